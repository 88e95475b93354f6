/* Which part of a graph is wanted: its outputs, and what they need. */
#include "net/graph.h"

#include <stdio.h>
#include <string.h>

enum { NAMES_LISTED = 8 };

static struct pom_value *output_named(const struct pom_graph *graph, const char *name) {
    for (int i = 0; i < graph->n_nodes; i++)
        if (strcmp(graph->nodes[i]->name, name) == 0)
            return graph->nodes[i]->outputs[0];
    return *name ? pom_graph_find(graph, name) : NULL;
}

static void list_last_names(const struct pom_graph *graph, char *text, size_t size) {
    size_t used = 0;
    int first = graph->n_nodes > NAMES_LISTED ? graph->n_nodes - NAMES_LISTED : 0;
    text[0] = '\0';
    for (int i = first; i < graph->n_nodes && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%.30s", i == first ? "" : ", ", graph->nodes[i]->name);
}

enum pom_status pom_graph_select_output(struct pom_graph *graph, const char *name, struct pom_message *msg) {
    struct pom_value *value = output_named(graph, name);
    if (value) {
        if (graph->n_outputs == 0)
            return pom_fail(msg, POM_ERR_FORMAT, "the network has no outputs");
        graph->outputs[0] = value;
        graph->n_outputs = 1;
        return POM_OK;
    }
    char names[NAMES_LISTED * 33];
    list_last_names(graph, names, sizeof names);
    return pom_fail(msg, POM_ERR_NOT_FOUND,
        "the network has no layer or tensor named '%.80s'; its last layers are %s (`pomona model inspect` lists all)",
        name, names);
}

static void count_uses(struct pom_graph *graph) {
    for (int i = 0; i < graph->n_values; i++)
        graph->values[i]->uses = 0;
    for (int i = 0; i < graph->n_outputs; i++)
        graph->outputs[i]->uses++;
    for (int i = graph->n_nodes - 1; i >= 0; i--) { /* readers come before what they read */
        struct pom_node *node = graph->nodes[i];
        bool wanted = false;
        for (int k = 0; k < node->n_outputs; k++)
            wanted |= node->outputs[k] && node->outputs[k]->uses > 0;
        node->dead |= !wanted;
        if (node->dead)
            continue;
        for (int k = 0; k < node->n_inputs; k++)
            if (node->inputs[k])
                node->inputs[k]->uses++;
        if (node->epilogue.residual)
            node->epilogue.residual->uses++;
    }
}

void pom_graph_prune(struct pom_graph *graph) {
    count_uses(graph);
    int kept = 0;
    for (int i = 0; i < graph->n_nodes; i++)
        if (!graph->nodes[i]->dead)
            graph->nodes[kept++] = graph->nodes[i];
    graph->n_nodes = kept;
    kept = 0;
    for (int i = 0; i < graph->n_inputs; i++)
        if (graph->inputs[i]->uses > 0)
            graph->inputs[kept++] = graph->inputs[i];
    graph->n_inputs = kept;
}

void pom_graph_replace(struct pom_graph *graph, struct pom_value *from, struct pom_value *to) {
    for (int i = 0; i < graph->n_nodes; i++) {
        struct pom_node *node = graph->nodes[i];
        for (int k = 0; k < node->n_inputs; k++)
            if (node->inputs[k] == from)
                node->inputs[k] = to;
        if (node->epilogue.residual == from)
            node->epilogue.residual = to;
    }
    for (int i = 0; i < graph->n_outputs; i++)
        if (graph->outputs[i] == from)
            graph->outputs[i] = to;
}
