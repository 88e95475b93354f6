#include "net/op.h"

#include <string.h>

enum { ANY = 1 << 16 };

static const struct pom_op ops[] = {
    /* name, inputs at least, at most, outputs, foldable, infer, build, multiply-adds */
    {"Add", 2, 2, 1, true, pom_infer_binary, pom_build_binary, NULL},
    {"AveragePool", 1, 1, 1, false, pom_infer_average_pool, pom_build_average_pool, NULL},
    {"BatchNormalization", 5, 5, 1, false, pom_infer_batch_norm, pom_build_batch_norm, NULL},
    {"Cast", 1, 1, 1, true, pom_infer_cast, pom_build_view, NULL},
    {"Clip", 1, 3, 1, true, pom_infer_activation, pom_build_activation, NULL},
    {"Concat", 1, ANY, 1, true, pom_infer_concat, pom_build_concat, NULL},
    {"Constant", 0, 0, 1, false, pom_infer_constant, pom_build_view, NULL},
    {"ConstantOfShape", 1, 1, 1, false, pom_infer_constant_of_shape, pom_build_view, NULL},
    {"Conv", 2, 3, 1, false, pom_infer_conv, pom_build_conv, pom_macs_conv},
    {"Div", 2, 2, 1, true, pom_infer_binary, pom_build_binary, NULL},
    {"Dropout", 1, 3, 1, false, pom_infer_dropout, pom_build_view, NULL},
    {"Flatten", 1, 1, 1, true, pom_infer_flatten, pom_build_view, NULL},
    {"Gather", 2, 2, 1, true, pom_infer_gather, pom_build_gather, NULL},
    {"Gemm", 2, 3, 1, false, pom_infer_gemm, pom_build_gemm, pom_macs_matmul},
    {"GlobalAveragePool", 1, 1, 1, false, pom_infer_global_pool, pom_build_global_pool, NULL},
    {"HardSigmoid", 1, 1, 1, true, pom_infer_unary, pom_build_unary, NULL},
    {"HardSwish", 1, 1, 1, true, pom_infer_unary, pom_build_unary, NULL},
    {"Identity", 1, 1, 1, true, pom_infer_identity, pom_build_view, NULL},
    {"LeakyRelu", 1, 1, 1, true, pom_infer_activation, pom_build_activation, NULL},
    {"MatMul", 2, 2, 1, false, pom_infer_matmul, pom_build_matmul, pom_macs_matmul},
    {"MaxPool", 1, 1, 1, false, pom_infer_max_pool, pom_build_max_pool, NULL},
    {"Mul", 2, 2, 1, true, pom_infer_binary, pom_build_binary, NULL},
    {"PRelu", 2, 2, 1, true, pom_infer_binary, pom_build_binary, NULL},
    {"Pad", 1, 4, 1, true, pom_infer_pad, pom_build_pad, NULL},
    {"ReduceMean", 1, 2, 1, true, pom_infer_reduce_mean, pom_build_reduce_mean, NULL},
    {"Relu", 1, 1, 1, true, pom_infer_activation, pom_build_activation, NULL},
    {"Reshape", 2, 2, 1, true, pom_infer_reshape, pom_build_view, NULL},
    {"Resize", 1, 4, 1, true, pom_infer_resize, pom_build_resize, NULL},
    {"Shape", 1, 1, 1, false, pom_infer_shape, pom_build_view, NULL},
    {"Sigmoid", 1, 1, 1, true, pom_infer_unary, pom_build_unary, NULL},
    {"Slice", 1, 5, 1, true, pom_infer_slice, pom_build_slice, NULL},
    {"Softmax", 1, 1, 1, true, pom_infer_softmax, pom_build_softmax, NULL},
    {"Split", 1, 2, ANY, true, pom_infer_split, pom_build_split, NULL},
    {"Squeeze", 1, 2, 1, true, pom_infer_squeeze, pom_build_view, NULL},
    {"Sub", 2, 2, 1, true, pom_infer_binary, pom_build_binary, NULL},
    {"Transpose", 1, 1, 1, true, pom_infer_transpose, pom_build_transpose, NULL},
    {"Unsqueeze", 1, 2, 1, true, pom_infer_unsqueeze, pom_build_view, NULL},
};

const struct pom_op *pom_op_find(const char *name) {
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (strcmp(ops[i].name, name) == 0)
            return &ops[i];
    return NULL;
}

enum pom_status pom_op_check_arity(const struct pom_node *node, struct pom_message *msg) {
    const struct pom_op *op = node->op;
    bool missing = node->n_inputs < op->min_inputs || node->n_inputs > op->max_inputs;
    for (int i = 0; i < op->min_inputs && !missing; i++)
        missing = !node->inputs[i];
    if (missing)
        return pom_fail(msg, POM_ERR_FORMAT, "has %d inputs where %d to %d are defined, or lacks a needed one",
            node->n_inputs, op->min_inputs, op->max_inputs);
    if (node->n_outputs > op->max_outputs)
        for (int i = op->max_outputs; i < node->n_outputs; i++)
            if (node->outputs[i] && node->outputs[i]->uses > 0)
                return pom_fail(msg, POM_ERR_UNSUPPORTED, "its output %d is not supported", i);
    return POM_OK;
}

enum pom_status pom_axis(int64_t axis, int rank, int *out, struct pom_message *msg) {
    if (axis < -rank || axis >= rank)
        return pom_fail(msg, POM_ERR_FORMAT, "axis %lld is not one of a tensor of rank %d", (long long)axis, rank);
    *out = (int)(axis < 0 ? axis + rank : axis);
    return POM_OK;
}

enum pom_status pom_node_ints(const struct pom_node *node, const char *attribute, int input, const int64_t **values,
    size_t *n, struct pom_message *msg) {
    const struct pom_value *value = pom_node_input(node, input);
    const struct pom_attribute *found = pom_node_attribute(node, attribute);
    *values = NULL;
    *n = 0;
    if (value) {
        if (!value->constant || value->element != POM_ELEMENT_INT || value->rank > 1)
            return pom_fail(msg, POM_ERR_UNSUPPORTED, "its %s are computed at run time, not constant", attribute);
        *values = pom_value_ints(value);
        *n = value->elements;
    } else if (found && found->ints) {
        *values = found->ints;
        *n = found->n;
    }
    return POM_OK;
}

enum pom_status pom_node_axes(
    const struct pom_node *node, int input, int rank, struct pom_axes *out, struct pom_message *msg) {
    const int64_t *values;
    size_t n;
    *out = (struct pom_axes){.n = -1};
    POM_TRY(pom_node_ints(node, "axes", input, &values, &n, msg));
    if (!values)
        return POM_OK;
    if (n > (size_t)rank)
        return pom_fail(msg, POM_ERR_FORMAT, "names %zu axes of a tensor of rank %d", n, rank);
    out->n = (int)n;
    for (int i = 0; i < out->n; i++) {
        POM_TRY(pom_axis(values[i], rank, &out->axis[i], msg));
        if (out->has[out->axis[i]])
            return pom_fail(msg, POM_ERR_FORMAT, "names axis %d twice", out->axis[i]);
        out->has[out->axis[i]] = true;
    }
    return POM_OK;
}

enum pom_status pom_fail_batch(struct pom_message *msg) {
    return pom_fail(msg, POM_ERR_UNSUPPORTED, "works across the images of a batch");
}

static int64_t aligned_dim(const struct pom_value *value, int rank, int axis) {
    int own = axis - (rank - value->rank);
    return own < 0 ? 1 : value->dims[own];
}

enum pom_status pom_broadcast(
    const struct pom_value *a, const struct pom_value *b, struct pom_value *out, struct pom_message *msg) {
    int rank = a->rank > b->rank ? a->rank : b->rank;
    int64_t dims[POM_NET_MAX_RANK] = {0};
    for (int i = 0; i < rank; i++) {
        int64_t x = aligned_dim(a, rank, i), y = aligned_dim(b, rank, i);
        if (x != y && x != 1 && y != 1)
            return pom_fail(msg, POM_ERR_FORMAT, "sides %lld and %lld (axis %d) do not fit together", (long long)x,
                (long long)y, i);
        dims[i] = x == 1 ? y : x;
    }
    bool batched = a->batched || b->batched;
    if ((a->batched && a->rank < rank) || (b->batched && b->rank < rank) || (batched && (rank == 0 || dims[0] != 1)))
        return pom_fail_batch(msg);
    return pom_value_set_shape(out, rank, dims, batched, msg);
}

enum pom_status pom_need_floats(const struct pom_node *node, int i, const char *what, struct pom_message *msg) {
    const struct pom_value *value = pom_node_input(node, i);
    if (!value || !value->constant || value->element != POM_ELEMENT_FLOAT)
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "its %s must be constant floats", what);
    return POM_OK;
}

enum pom_status pom_infer_same(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    (void)graph;
    const struct pom_value *in = node->inputs[0];
    node->outputs[0]->element = in->element;
    return pom_value_set_shape(node->outputs[0], in->rank, in->dims, in->batched, msg);
}

enum pom_status pom_count_folded(struct pom_graph *graph, const struct pom_value *value, struct pom_message *msg) {
    const int64_t most = (int64_t)1 << 27;
    graph->folded += (int64_t)value->elements;
    if (graph->folded > most)
        return pom_fail(msg, POM_ERR_LIMIT, "the model computes more than %lld constants", (long long)most);
    return POM_OK;
}

int64_t pom_product(const int64_t *dims, int from, int to) {
    int64_t product = 1;
    for (int i = from; i < to; i++)
        product *= dims[i];
    return product;
}
