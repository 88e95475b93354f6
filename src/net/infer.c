#include "net/infer.h"

#include "net/op.h"
#include <string.h>

static bool all_constant(struct pom_value *const *values, int n) {
    for (int i = 0; i < n; i++)
        if (values[i] && !values[i]->constant)
            return false;
    return true;
}

static enum pom_status check_inputs(const struct pom_node *node, struct pom_message *msg) {
    for (int i = 0; i < node->n_inputs; i++) {
        const struct pom_value *value = node->inputs[i];
        if (value && value->rank < 0)
            return pom_fail(msg, POM_ERR_FORMAT, "reads tensor '%.80s', which no node provides", value->name);
        if (value && !value->constant && value->element != POM_ELEMENT_FLOAT)
            return pom_fail(msg, POM_ERR_UNSUPPORTED, "tensor '%.80s' is not float32 and not constant", value->name);
    }
    return POM_OK;
}

static enum pom_status fold(struct pom_graph *graph, struct pom_node *node, enum pom_isa isa, struct pom_message *msg) {
    for (int i = 0; i < node->n_outputs; i++) {
        if (!node->outputs[i] || node->outputs[i]->rank < 0)
            return pom_fail(msg, POM_ERR_UNSUPPORTED, "an output is left out");
        POM_TRY(pom_count_folded(graph, node->outputs[i], msg));
    }
    POM_TRY(pom_plan_fold(graph, node, isa, msg));
    for (int i = 0; i < node->n_inputs; i++)
        if (node->inputs[i])
            pom_value_unload(node->inputs[i]);
    node->dead = true;
    return POM_OK;
}

static bool makes_empty(const struct pom_node *node) {
    for (int i = 0; i < node->n_outputs; i++) {
        const struct pom_value *value = node->outputs[i];
        if (value && value->rank >= 0 && value->elements == 0 && !value->constant)
            return true;
    }
    return false;
}

static enum pom_status infer_node(
    struct pom_graph *graph, struct pom_node *node, enum pom_isa isa, struct pom_message *msg) {
    if (!node->op)
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "this operator is not supported");
    POM_TRY(pom_op_check_arity(node, msg));
    POM_TRY(check_inputs(node, msg));
    POM_TRY(node->op->infer(graph, node, msg));
    if (makes_empty(node))
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "makes an empty tensor");
    if (node->outputs[0]->constant)
        node->dead = true;
    else if (node->op->foldable && all_constant(node->inputs, node->n_inputs))
        return fold(graph, node, isa, msg);
    return POM_OK;
}

static int64_t parameters_of(const struct pom_node *node) {
    int64_t total = 0;
    for (int i = 1; i < node->n_inputs; i++) {
        const struct pom_value *value = node->inputs[i];
        if (value && value->constant && value->element == POM_ELEMENT_FLOAT && value->rank > 0)
            total += (int64_t)value->elements;
    }
    return total;
}

static enum pom_status list_layers(struct pom_graph *graph, struct pom_message *msg) {
    graph->layers = pom_arena_alloc(&graph->arena, (size_t)graph->n_nodes, sizeof *graph->layers);
    if (!graph->layers)
        return pom_fail_memory(msg, "the layers of a network");
    for (int i = 0; i < graph->n_nodes; i++) {
        const struct pom_node *node = graph->nodes[i];
        if (node->dead)
            continue;
        graph->layers[graph->n_layers++] = (struct pom_layer){
            .name = node->name,
            .op = node->type,
            .output = node->outputs[0],
            .parameters = parameters_of(node),
            .macs = node->op->macs ? node->op->macs(node) : 0,
        };
    }
    return POM_OK;
}

enum pom_status pom_infer(struct pom_graph *graph, enum pom_isa isa, struct pom_message *msg) {
    for (int i = 0; i < graph->n_nodes; i++) {
        struct pom_node *node = graph->nodes[i];
        enum pom_status status = infer_node(graph, node, isa, msg);
        if (status != POM_OK)
            return pom_fail_in(msg, status, "node %.80s (%.40s)", node->name, node->type);
    }
    pom_graph_prune(graph);
    return list_layers(graph, msg);
}
