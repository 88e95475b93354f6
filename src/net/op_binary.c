/* Add, Sub, Mul, Div and PRelu with numpy's broadcasting. */
#include "net/kernels/kernels.h"
#include "net/op.h"

#include <string.h>

enum binary { BINARY_ADD, BINARY_SUB, BINARY_MUL, BINARY_DIV, BINARY_PRELU };

static enum binary binary_of(const char *type) {
    static const char *const names[] = {"Add", "Sub", "Mul", "Div", "PRelu"};
    int i = 0;
    while (i < BINARY_PRELU && strcmp(names[i], type) != 0)
        i++;
    return (enum binary)i;
}

/* The strides of value, lying in `layout`, for the axes of an output of that rank; 0 where it is broadcast. */
static void strides_in(
    const struct pom_value *value, int rank, enum pom_layout layout, int64_t strides[POM_NET_MAX_RANK]) {
    int64_t dims[POM_NET_MAX_RANK] = {0}, stride = 1;
    for (int i = 0; i < rank; i++) {
        int own = i - (rank - value->rank);
        dims[pom_layout_axis(rank, i, layout)] = own < 0 ? 1 : value->dims[own];
    }
    for (int i = rank - 1; i >= 0; i--) {
        strides[i] = dims[i] == 1 ? 0 : stride;
        stride *= dims[i];
    }
}

/* Shape arithmetic. Sums and products wrap, as numpy's do. */
static int64_t int_result(enum binary op, int64_t a, int64_t b) {
    switch (op) {
    case BINARY_ADD:
        return (int64_t)((uint64_t)a + (uint64_t)b);
    case BINARY_SUB:
        return (int64_t)((uint64_t)a - (uint64_t)b);
    case BINARY_MUL:
        return (int64_t)((uint64_t)a * (uint64_t)b);
    default:
        return b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
    }
}

static enum pom_status fold_ints(
    struct pom_graph *graph, struct pom_node *node, enum binary op, struct pom_message *msg) {
    struct pom_value *out = node->outputs[0];
    const struct pom_value *a = node->inputs[0], *b = node->inputs[1];
    int64_t a_strides[POM_NET_MAX_RANK], b_strides[POM_NET_MAX_RANK];
    void *data;
    if (op == BINARY_PRELU || !a->constant || !b->constant || a->element != b->element)
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "takes two float32 tensors, or two constant ints");
    out->element = POM_ELEMENT_INT;
    strides_in(a, out->rank, POM_LAYOUT_ROWS, a_strides);
    strides_in(b, out->rank, POM_LAYOUT_ROWS, b_strides);
    POM_TRY(pom_value_make_constant(graph, out, &data, msg));
    for (size_t i = 0; i < out->elements; i++) {
        int64_t left = (int64_t)i, at_a = 0, at_b = 0;
        for (int axis = out->rank - 1; axis >= 0; axis--) {
            at_a += left % out->dims[axis] * a_strides[axis];
            at_b += left % out->dims[axis] * b_strides[axis];
            left /= out->dims[axis];
        }
        int64_t divisor = pom_value_ints(b)[at_b];
        if (op == BINARY_DIV && divisor == 0)
            return pom_fail(msg, POM_ERR_FORMAT, "divides by zero");
        ((int64_t *)data)[i] = int_result(op, pom_value_ints(a)[at_a], divisor);
    }
    return POM_OK;
}

enum pom_status pom_infer_binary(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    const struct pom_value *a = node->inputs[0], *b = node->inputs[1];
    POM_TRY(pom_broadcast(a, b, node->outputs[0], msg));
    if (a->element == POM_ELEMENT_INT || b->element == POM_ELEMENT_INT)
        return fold_ints(graph, node, binary_of(node->type), msg);
    return POM_OK;
}

/* out[i] = expression of x = a[i * a_stride] and y = b[i * b_stride]; strides are 0 or 1. Each case is a loop of its
 * own so that it vectorises. */
#define BINARY_ROW(name, expression)                                                                                   \
    static void name(const float *a, int64_t a_stride, const float *b, int64_t b_stride, int64_t n, float *out) {      \
        if (a_stride == b_stride) {                                                                                    \
            for (int64_t i = 0; i < n; i++) {                                                                          \
                float x = a[i], y = b[i];                                                                              \
                out[i] = expression;                                                                                   \
            }                                                                                                          \
        } else if (b_stride == 0) {                                                                                    \
            float y = *b;                                                                                              \
            for (int64_t i = 0; i < n; i++) {                                                                          \
                float x = a[i];                                                                                        \
                out[i] = expression;                                                                                   \
            }                                                                                                          \
        } else {                                                                                                       \
            float x = *a;                                                                                              \
            for (int64_t i = 0; i < n; i++) {                                                                          \
                float y = b[i];                                                                                        \
                out[i] = expression;                                                                                   \
            }                                                                                                          \
        }                                                                                                              \
    }

BINARY_ROW(add_row, x + y)
BINARY_ROW(sub_row, x - y)
BINARY_ROW(mul_row, x *y)
BINARY_ROW(div_row, x / y)
BINARY_ROW(prelu_row, x < 0.0f ? x * y : x)

typedef void (*row_function)(const float *a, int64_t a_stride, const float *b, int64_t b_stride, int64_t n, float *out);
static const row_function row_functions[] = {add_row, sub_row, mul_row, div_row, prelu_row};

/* Axes that both operands step through alike are merged. */
struct binary_step {
    enum binary op;
    int rank;
    int64_t dims[POM_NET_MAX_RANK], a[POM_NET_MAX_RANK], b[POM_NET_MAX_RANK];
    int64_t n;
    struct pom_epilogue epilogue;
    const struct pom_kernels *kernels;
};

static float *binary_axes(const struct binary_step *p, int axis, const float *a, const float *b, float *out) {
    int64_t n = p->dims[axis];
    if (axis == p->rank - 1) {
        row_functions[p->op](a, p->a[axis], b, p->b[axis], n, out);
        return out + n;
    }
    for (int64_t i = 0; i < n; i++)
        out = binary_axes(p, axis + 1, a + i * p->a[axis], b + i * p->b[axis], out);
    return out;
}

static void run_binary(const void *params, const struct pom_call *call) {
    const struct binary_step *p = params;
    enum pom_activation activation = (enum pom_activation)p->epilogue.activation;
    float low = p->epilogue.low, high = p->epilogue.high;
    if (p->op == BINARY_ADD && p->rank == 1 && p->a[0] == 1 && p->b[0] == 1) {
        p->kernels->add(call->in[0], call->in[1], (size_t)p->n, activation, low, high, call->out);
        return;
    }
    binary_axes(p, 0, call->in[0], call->in[1], call->out);
    if (activation != POM_ACT_NONE)
        p->kernels->activate(call->out, (size_t)p->n, activation, low, high, call->out);
}

static void describe_binary(const void *params, FILE *out) {
    static const char *const names[] = {"add", "subtract", "multiply", "divide", "prelu"};
    const struct binary_step *p = params;
    fprintf(out, "%s", names[p->op]);
    for (int i = 0; i < p->rank; i++)
        fprintf(out, "%s%lld%s", i ? " x " : ", ", (long long)p->dims[i],
            p->a[i] && p->b[i] ? ""
            : p->a[i]          ? " (b stays)"
                               : " (a stays)");
}

static const struct pom_step_kind binary_kind = {
    .name = "f32_binary", .run = run_binary, .describe = describe_binary, .in_place = 1};
static const struct pom_step_kind binary_broadcast_kind = {
    .name = "f32_binary", .run = run_binary, .describe = describe_binary};

static void merge_axes(struct binary_step *p, int rank, const int64_t *dims, const int64_t *a, const int64_t *b) {
    p->n = 1;
    for (int i = 0; i < rank; i++) {
        int last = p->rank - 1;
        p->n *= dims[i];
        if (dims[i] == 1)
            continue;
        if (last >= 0 && p->a[last] == a[i] * dims[i] && p->b[last] == b[i] * dims[i]) {
            p->dims[last] *= dims[i];
            p->a[last] = a[i];
            p->b[last] = b[i];
        } else {
            p->dims[p->rank] = dims[i];
            p->a[p->rank] = a[i];
            p->b[p->rank++] = b[i];
        }
    }
    if (p->rank == 0)
        p->dims[p->rank++] = 1;
}

static enum pom_layout common_layout(const struct pom_planner *planner, const struct pom_node *node) {
    for (int i = 0; i < 2; i++)
        if (node->inputs[i]->rank == node->outputs[0]->rank &&
            pom_plan_layout(planner, node->inputs[i]) == POM_LAYOUT_CHANNELS_LAST)
            return POM_LAYOUT_CHANNELS_LAST;
    return POM_LAYOUT_ROWS;
}

void pom_build_binary(struct pom_planner *planner, const struct pom_node *node) {
    struct pom_value *a = node->inputs[0], *b = node->inputs[1], *out = node->outputs[0];
    enum pom_layout layout = common_layout(planner, node);
    int64_t dims[POM_NET_MAX_RANK] = {0}, a_strides[POM_NET_MAX_RANK] = {0}, b_strides[POM_NET_MAX_RANK] = {0};
    pom_layout_dims(out, layout, dims);
    strides_in(a, out->rank, layout, a_strides);
    strides_in(b, out->rank, layout, b_strides);
    int in0 = pom_plan_operand(planner, a, out->rank, layout), in1 = pom_plan_operand(planner, b, out->rank, layout);
    int to = pom_plan_output(planner, out, layout);
    struct binary_step *params = pom_plan_alloc(planner, 1, sizeof *params);
    if (params) {
        params->op = binary_of(node->type);
        params->epilogue = node->epilogue;
        params->kernels = pom_kernels(planner->isa);
        merge_axes(params, out->rank, dims, a_strides, b_strides);
    }
    /* an operand that is broadcast is smaller than the output, but for b read again under a row of a */
    bool same = a->elements == out->elements;
    pom_plan_step(planner, same ? &binary_kind : &binary_broadcast_kind, params, in0, in1, to);
}
