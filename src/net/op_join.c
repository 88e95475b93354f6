/* Concat and Split: rows of one raster copied into another. */
#include "net/move.h"
#include "net/op.h"

#include <string.h>

static enum pom_status concat_ints(struct pom_graph *graph, struct pom_node *node, int axis, struct pom_message *msg) {
    struct pom_value *out = node->outputs[0];
    void *data;
    out->element = POM_ELEMENT_INT;
    POM_TRY(pom_value_make_constant(graph, out, &data, msg));
    size_t outer = (size_t)pom_product(out->dims, 0, axis), row = out->elements / (outer ? outer : 1), at = 0;
    for (int i = 0; i < node->n_inputs; i++) {
        const struct pom_value *in = node->inputs[i];
        size_t n = in->elements / (outer ? outer : 1);
        if (in->element != POM_ELEMENT_INT)
            return pom_fail(msg, POM_ERR_FORMAT, "joins ints and floats");
        for (size_t o = 0; o < outer; o++)
            memcpy((int64_t *)data + o * row + at, pom_value_ints(in) + o * n, n * sizeof(int64_t));
        at += n;
    }
    return POM_OK;
}

enum pom_status pom_infer_concat(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    const struct pom_value *first = node->inputs[0];
    int axis;
    int64_t dims[POM_NET_MAX_RANK] = {0};
    bool batched = false, ints = false;
    POM_TRY(pom_axis(pom_node_int(node, "axis", 1), first->rank, &axis, msg));
    for (int i = 0; i < node->n_inputs; i++) {
        const struct pom_value *in = node->inputs[i];
        if (!in || in->rank != first->rank)
            return pom_fail(msg, POM_ERR_FORMAT, "input %d is missing or has another rank", i);
        for (int k = 0; k < in->rank; k++)
            if (k != axis && in->dims[k] != first->dims[k])
                return pom_fail(msg, POM_ERR_FORMAT, "input %d has %lld elements along axis %d, not %lld", i,
                    (long long)in->dims[k], k, (long long)first->dims[k]);
            else
                dims[k] = k == axis ? dims[k] + in->dims[k] : in->dims[k];
        batched |= in->batched;
        ints |= in->element == POM_ELEMENT_INT;
    }
    if (batched && axis == 0)
        return pom_fail_batch(msg);
    POM_TRY(pom_value_set_shape(node->outputs[0], first->rank, dims, batched, msg));
    return ints ? concat_ints(graph, node, axis, msg) : POM_OK;
}

static bool all_bf16(const struct pom_planner *planner, const struct pom_node *node) {
    int n = 0;
    while (n < node->n_inputs && pom_plan_holds(planner, node->inputs[n], POM_LAYOUT_BF16))
        n++;
    return n == node->n_inputs;
}

static enum pom_layout layout_of_any(const struct pom_planner *planner, const struct pom_node *node) {
    if (all_bf16(planner, node))
        return POM_LAYOUT_BF16;
    for (int i = 0; i < node->n_inputs; i++)
        if (pom_plan_layout(planner, node->inputs[i]) == POM_LAYOUT_CHANNELS_LAST)
            return POM_LAYOUT_CHANNELS_LAST;
    return POM_LAYOUT_ROWS;
}

void pom_build_concat(struct pom_planner *planner, const struct pom_node *node) {
    struct pom_value *out = node->outputs[0];
    enum pom_layout layout = node->narrow && out->grid ? POM_LAYOUT_NARROW : layout_of_any(planner, node);
    int64_t axis = pom_node_int(node, "axis", 1), dims[POM_NET_MAX_RANK];
    int at = pom_layout_axis(out->rank, (int)(axis < 0 ? axis + out->rank : axis), layout);
    pom_layout_dims(out, layout, dims);
    size_t outer = (size_t)pom_product(dims, 0, at), inner = (size_t)pom_product(dims, at + 1, out->rank), offset = 0;
    size_t row = (size_t)dims[at] * inner;
    int to = pom_plan_output(planner, out, layout);
    for (int i = 0; i < node->n_inputs; i++) {
        pom_layout_dims(node->inputs[i], layout, dims);
        size_t n = (size_t)dims[at] * inner;
        if (n == 0 || outer == 0)
            continue;
        int from = pom_plan_input(planner, node->inputs[i], layout);
        pom_plan_copy_rows(planner, from, to, &(struct pom_rows){outer, n, n, row, 0, offset});
        offset += n;
    }
}

/* Split: sizes from the input or attribute "split"; else num_outputs parts, the last one smaller. */
static enum pom_status split_sizes(const struct pom_node *node, int64_t side, int64_t *sizes, struct pom_message *msg) {
    const int64_t *given;
    size_t n;
    int64_t total = 0;
    POM_TRY(pom_node_ints(node, "split", 1, &given, &n, msg));
    if (given && n != (size_t)node->n_outputs)
        return pom_fail(msg, POM_ERR_FORMAT, "has %d outputs and %zu sizes", node->n_outputs, n);
    int64_t part = (side + node->n_outputs - 1) / node->n_outputs;
    for (int i = 0; i < node->n_outputs; i++) {
        int64_t left = side - total;
        sizes[i] = given ? given[i] : part < left ? part : left;
        if (sizes[i] < 0 || sizes[i] > left)
            return pom_fail(msg, POM_ERR_FORMAT, "its parts do not add up to %lld", (long long)side);
        total += sizes[i];
    }
    return total == side ? POM_OK : pom_fail(msg, POM_ERR_FORMAT, "its parts do not add up to %lld", (long long)side);
}

enum pom_status pom_infer_split(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    const struct pom_value *in = node->inputs[0];
    int axis;
    POM_TRY(pom_axis(pom_node_int(node, "axis", 0), in->rank, &axis, msg));
    if (in->batched && axis == 0)
        return pom_fail_batch(msg);
    if (in->element != POM_ELEMENT_FLOAT)
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "splits ints");
    int64_t *sizes = pom_arena_alloc(&graph->arena, (size_t)node->n_outputs, sizeof *sizes), dims[POM_NET_MAX_RANK];
    if (!sizes)
        return pom_fail_memory(msg, "the parts of a tensor");
    POM_TRY(split_sizes(node, in->dims[axis], sizes, msg));
    memcpy(dims, in->dims, sizeof dims);
    for (int i = 0; i < node->n_outputs; i++) {
        dims[axis] = sizes[i];
        if (node->outputs[i])
            POM_TRY(pom_value_set_shape(node->outputs[i], in->rank, dims, in->batched, msg));
    }
    return POM_OK;
}

void pom_build_split(struct pom_planner *planner, const struct pom_node *node) {
    struct pom_value *in = node->inputs[0];
    enum pom_layout layout = pom_plan_layout(planner, in);
    int64_t axis = pom_node_int(node, "axis", 0), dims[POM_NET_MAX_RANK];
    int at = pom_layout_axis(in->rank, (int)(axis < 0 ? axis + in->rank : axis), layout);
    pom_layout_dims(in, layout, dims);
    int from = pom_plan_input(planner, in, layout);
    size_t offset = 0;
    for (int i = 0; i < node->n_outputs; i++) {
        int64_t part[POM_NET_MAX_RANK];
        if (!node->outputs[i])
            pom_plan_fail(planner, POM_ERR_UNSUPPORTED, "leaves out an output");
        if (planner->status != POM_OK)
            return;
        pom_layout_dims(node->outputs[i], layout, part);
        size_t inner = (size_t)pom_product(dims, at + 1, in->rank), outer = (size_t)pom_product(dims, 0, at);
        struct pom_rows rows = {.rows = outer,
            .n = (size_t)part[at] * inner,
            .in_stride = (size_t)dims[at] * inner,
            .out_stride = (size_t)part[at] * inner,
            .in_offset = offset};
        pom_plan_copy_rows(planner, from, pom_plan_output(planner, node->outputs[i], layout), &rows);
        offset += rows.n;
    }
}
