/* Operators that give the same numbers a new shape: no step of the plan, and shape arithmetic on ints. */
#include "net/move.h"
#include "net/op.h"

#include <string.h>

/* The output takes the input's element type and, where the input is constant ints, its numbers. */
static enum pom_status view(
    struct pom_graph *graph, struct pom_node *node, int rank, const int64_t *dims, struct pom_message *msg) {
    const struct pom_value *in = node->inputs[0];
    struct pom_value *out = node->outputs[0];
    if (in->batched && (rank == 0 || dims[0] != 1))
        return pom_fail_batch(msg);
    out->element = in->element;
    POM_TRY(pom_value_set_shape(out, rank, dims, in->batched, msg));
    if (out->elements != in->elements)
        return pom_fail(msg, POM_ERR_FORMAT, "%zu elements do not fit a shape of %zu", in->elements, out->elements);
    if (in->element == POM_ELEMENT_INT) {
        void *data;
        POM_TRY(pom_value_make_constant(graph, out, &data, msg));
        memcpy(data, in->constant->data, in->elements * sizeof(int64_t));
    }
    return POM_OK;
}

void pom_build_view(struct pom_planner *planner, const struct pom_node *node) {
    const struct pom_value *in = node->inputs[0], *out = node->outputs[0];
    bool same_shape = in->rank == out->rank && memcmp(in->dims, out->dims, (size_t)in->rank * sizeof *in->dims) == 0;
    enum pom_layout layout = same_shape ? pom_plan_layout(planner, in) : POM_LAYOUT_ROWS;
    pom_plan_alias(planner, out, layout, pom_plan_input(planner, node->inputs[0], layout));
}

enum pom_status pom_infer_identity(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    return view(graph, node, node->inputs[0]->rank, node->inputs[0]->dims, msg);
}

enum pom_status pom_infer_dropout(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    const struct pom_value *training = pom_node_input(node, 2);
    if (training && (!training->constant || training->element != POM_ELEMENT_INT || training->elements != 1 ||
                        pom_value_ints(training)[0] != 0))
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "is in training mode; export the model for inference");
    return pom_infer_identity(graph, node, msg);
}

enum pom_status pom_infer_flatten(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    const struct pom_value *in = node->inputs[0];
    int64_t at = pom_node_int(node, "axis", 1);
    at = at < 0 ? at + in->rank : at;
    if (at < 0 || at > in->rank)
        return pom_fail(msg, POM_ERR_FORMAT, "axis %lld is not one of a tensor of rank %d", (long long)at, in->rank);
    if (in->batched && at == 0)
        return pom_fail_batch(msg);
    int64_t dims[] = {pom_product(in->dims, 0, (int)at), pom_product(in->dims, (int)at, in->rank)};
    return view(graph, node, 2, dims, msg);
}

/* 0 copies a side unless allowzero says otherwise, -1 stands for what is left. */
static enum pom_status wanted_shape(
    const struct pom_node *node, const int64_t *shape, int rank, int64_t *dims, struct pom_message *msg) {
    const struct pom_value *in = node->inputs[0];
    bool keep_zero = pom_node_int(node, "allowzero", 0) != 0;
    int open = -1;
    int64_t known = 1;
    for (int i = 0; i < rank; i++) {
        dims[i] = shape[i];
        if (shape[i] == 0 && !keep_zero && i < in->rank)
            dims[i] = in->dims[i];
        if (shape[i] == -1 && open < 0)
            open = i;
        else if (dims[i] < 0 || __builtin_mul_overflow(known, dims[i], &known))
            return pom_fail(msg, POM_ERR_FORMAT, "the new shape's side %d is %lld", i, (long long)shape[i]);
    }
    if (open >= 0 && known > 0)
        dims[open] = (int64_t)in->elements / known;
    else if (open >= 0)
        return pom_fail(msg, POM_ERR_FORMAT, "the new shape has an open side and an empty one");
    return POM_OK;
}

enum pom_status pom_infer_reshape(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    const int64_t *shape;
    size_t n;
    int64_t dims[POM_NET_MAX_RANK] = {0};
    POM_TRY(pom_node_ints(node, "shape", 1, &shape, &n, msg));
    if (n > POM_NET_MAX_RANK)
        return pom_fail(msg, POM_ERR_LIMIT, "the new shape has rank %zu, more than %d", n, POM_NET_MAX_RANK);
    POM_TRY(wanted_shape(node, shape, (int)n, dims, msg));
    if (node->inputs[0]->batched && n > 0 && shape[0] > 1) /* a batch size that the exporter fixed */
        return pom_fail_batch(msg);
    return view(graph, node, (int)n, dims, msg);
}

enum pom_status pom_infer_squeeze(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    const struct pom_value *in = node->inputs[0];
    struct pom_axes axes;
    int64_t dims[POM_NET_MAX_RANK] = {0};
    int rank = 0;
    POM_TRY(pom_node_axes(node, 1, in->rank, &axes, msg));
    if (in->batched && axes.has[0])
        return pom_fail_batch(msg);
    for (int i = 0; i < in->rank; i++) {
        bool drop = axes.n >= 0 ? axes.has[i] : in->dims[i] == 1 && !(i == 0 && in->batched);
        if (drop && in->dims[i] != 1)
            return pom_fail(msg, POM_ERR_FORMAT, "axis %d has %lld elements, not 1", i, (long long)in->dims[i]);
        if (!drop)
            dims[rank++] = in->dims[i];
    }
    return view(graph, node, rank, dims, msg);
}

enum pom_status pom_infer_unsqueeze(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    const struct pom_value *in = node->inputs[0];
    const int64_t *values;
    size_t n;
    POM_TRY(pom_node_ints(node, "axes", 1, &values, &n, msg));
    if (!values || n > (size_t)(POM_NET_MAX_RANK - in->rank))
        return pom_fail(msg, POM_ERR_LIMIT, "makes a tensor of more than rank %d, or names no axes", POM_NET_MAX_RANK);
    struct pom_axes axes;
    int rank = in->rank + (int)n;
    int64_t dims[POM_NET_MAX_RANK] = {0};
    POM_TRY(pom_node_axes(node, 1, rank, &axes, msg));
    if (in->batched && axes.has[0])
        return pom_fail_batch(msg);
    for (int i = 0, from = 0; i < rank; i++)
        dims[i] = axes.has[i] ? 1 : in->dims[from++];
    return view(graph, node, rank, dims, msg);
}

/* Constants */

enum pom_status pom_infer_shape(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    const struct pom_value *in = node->inputs[0];
    int64_t start = pom_node_int(node, "start", 0), end = pom_node_int(node, "end", in->rank);
    start = start < 0 ? start + in->rank : start;
    end = end < 0 ? end + in->rank : end;
    start = start < 0 ? 0 : start;
    end = end > in->rank ? in->rank : end;
    int64_t n = end > start ? end - start : 0;
    struct pom_value *out = node->outputs[0];
    void *data;
    out->element = POM_ELEMENT_INT;
    POM_TRY(pom_value_set_shape(out, 1, &n, false, msg));
    POM_TRY(pom_value_make_constant(graph, out, &data, msg));
    if (n > 0)
        memcpy(data, in->dims + start, (size_t)n * sizeof(int64_t));
    return POM_OK;
}

static enum pom_status constant_numbers(struct pom_graph *graph, struct pom_value *out,
    const struct pom_attribute *from, bool scalar, struct pom_message *msg) {
    int64_t n = (int64_t)from->n;
    void *data;
    out->element = from->ints ? POM_ELEMENT_INT : POM_ELEMENT_FLOAT;
    if (scalar && n != 1)
        return pom_fail(msg, POM_ERR_FORMAT, "'%.40s' is not one number", from->name);
    POM_TRY(pom_value_set_shape(out, scalar ? 0 : 1, &n, false, msg));
    POM_TRY(pom_value_make_constant(graph, out, &data, msg));
    if (n > 0)
        memcpy(data, from->ints ? (const void *)from->ints : from->floats,
            (size_t)n * (from->ints ? sizeof(int64_t) : sizeof(float)));
    return POM_OK;
}

enum pom_status pom_infer_constant(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    struct pom_value *out = node->outputs[0];
    const struct pom_attribute *first = node->n_attributes > 0 ? &node->attributes[0] : NULL;
    if (first && first->tensor && strcmp(first->name, "value") == 0) {
        struct pom_value *from = first->tensor;
        out->element = from->element;
        POM_TRY(pom_value_set_shape(out, from->rank, from->dims, false, msg));
        out->constant = from->constant;
        from->constant = NULL;
        return POM_OK;
    }
    bool scalar = first && (strcmp(first->name, "value_float") == 0 || strcmp(first->name, "value_int") == 0);
    bool list = first && (strcmp(first->name, "value_floats") == 0 || strcmp(first->name, "value_ints") == 0);
    if (!(scalar || list) || !(first->ints || first->floats))
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "is not a constant of numbers");
    return constant_numbers(graph, out, first, scalar, msg);
}

enum pom_status pom_infer_constant_of_shape(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    const int64_t *shape;
    size_t n;
    void *data;
    POM_TRY(pom_node_ints(node, "shape", 0, &shape, &n, msg));
    const struct pom_attribute *attribute = pom_node_attribute(node, "value");
    struct pom_value *value = attribute ? attribute->tensor : NULL, *out = node->outputs[0];
    if (n > POM_NET_MAX_RANK || (value && value->elements != 1))
        return pom_fail(msg, POM_ERR_FORMAT, "has a shape of rank %zu, or a value that is not one number", n);
    out->element = value ? value->element : POM_ELEMENT_FLOAT;
    POM_TRY(pom_value_set_shape(out, (int)n, shape, false, msg));
    POM_TRY(pom_count_folded(graph, out, msg));
    POM_TRY(pom_value_make_constant(graph, out, &data, msg));
    for (size_t i = 0; i < out->elements && value; i++)
        if (out->element == POM_ELEMENT_INT)
            ((int64_t *)data)[i] = pom_value_ints(value)[0];
        else
            ((float *)data)[i] = pom_value_floats(value)[0];
    return POM_OK;
}

/* ONNX's numbers for the element types that we hold as ints (TensorProto.DataType). */
static bool is_int_type(int64_t type) {
    return (type >= 2 && type <= 7) || type == 9 || type == 12 || type == 13;
}

enum pom_status pom_infer_cast(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    enum { TYPE_FLOAT = 1, TYPE_BOOL = 9 };
    struct pom_value *in = node->inputs[0], *out = node->outputs[0];
    int64_t to = pom_node_int(node, "to", 0);
    if (to != TYPE_FLOAT && !(is_int_type(to) && in->constant))
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "casts to element type %lld", (long long)to);
    if (in->element == POM_ELEMENT_FLOAT && to == TYPE_FLOAT)
        return pom_infer_identity(graph, node, msg);
    void *data;
    out->element = to == TYPE_FLOAT ? POM_ELEMENT_FLOAT : POM_ELEMENT_INT;
    POM_TRY(pom_value_set_shape(out, in->rank, in->dims, false, msg));
    POM_TRY(pom_value_make_constant(graph, out, &data, msg));
    const float *floats = in->element == POM_ELEMENT_FLOAT ? pom_value_floats(in) : NULL;
    if (in->element == POM_ELEMENT_FLOAT && !floats)
        return pom_fail_memory(msg, "a constant of a network");
    for (size_t i = 0; i < out->elements; i++) {
        if (to == TYPE_FLOAT)
            ((float *)data)[i] = (float)pom_value_ints(in)[i];
        else if (floats && !(floats[i] > -0x1p62f && floats[i] < 0x1p62f))
            return pom_fail(msg, POM_ERR_FORMAT, "casts a number that is out of range");
        else
            ((int64_t *)data)[i] = floats ? (int64_t)floats[i] : pom_value_ints(in)[i];
        if (to == TYPE_BOOL)
            ((int64_t *)data)[i] = floats ? floats[i] != 0.0f : pom_value_ints(in)[i] != 0;
    }
    return POM_OK;
}
