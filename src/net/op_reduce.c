/* ReduceMean and Softmax. */
#include "net/mathf.h"
#include "net/op.h"

#include <limits.h>
#include <string.h>

struct reduce_params {
    bool has[POM_NET_MAX_RANK];
    bool plane; /* all axes but the first two: GlobalAveragePool */
};

enum pom_status pom_infer_reduce_mean(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    const struct pom_value *in = node->inputs[0];
    struct reduce_params *params = pom_arena_alloc(&graph->arena, 1, sizeof *params);
    struct pom_axes axes;
    int64_t dims[POM_NET_MAX_RANK];
    int rank = 0;
    if (!params)
        return pom_fail_memory(msg, "a mean");
    node->params = params;
    POM_TRY(pom_node_axes(node, 1, in->rank, &axes, msg));
    bool keep = pom_node_int(node, "keepdims", 1) != 0;
    bool all = axes.n <= 0 && pom_node_int(node, "noop_with_empty_axes", 0) == 0;
    params->plane = in->rank >= 3 && pom_product(in->dims, 1, in->rank) <= INT_MAX;
    for (int i = 0; i < in->rank; i++) {
        params->has[i] = all || axes.has[i];
        params->plane &= params->has[i] == (i >= 2);
        if (!params->has[i] || keep)
            dims[rank++] = params->has[i] ? 1 : in->dims[i];
    }
    if (in->batched && params->has[0])
        return pom_fail_batch(msg);
    if (in->element != POM_ELEMENT_FLOAT)
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "takes float32 tensors");
    return pom_value_set_shape(node->outputs[0], rank, dims, in->batched, msg);
}

struct reduce_step {
    int rank;
    int64_t dims[POM_NET_MAX_RANK], out_strides[POM_NET_MAX_RANK]; /* 0 along axes that are summed */
    size_t n_out;
    float count;
};

static const float *sum_axes(const struct reduce_step *p, int axis, const float *in, float *out) {
    if (axis == p->rank) {
        *out += *in;
        return in + 1;
    }
    for (int64_t i = 0; i < p->dims[axis]; i++)
        in = sum_axes(p, axis + 1, in, out + i * p->out_strides[axis]);
    return in;
}

static void run_reduce(const void *params, const struct pom_call *call) {
    const struct reduce_step *p = params;
    float *out = call->out;
    memset(out, 0, p->n_out * sizeof(float));
    sum_axes(p, 0, call->in[0], out);
    for (size_t i = 0; i < p->n_out; i++)
        out[i] /= p->count;
}

static const struct pom_step_kind reduce_kind = {.name = "f32_mean", .run = run_reduce};

static void build_mean(struct pom_planner *planner, const struct pom_node *node) {
    struct pom_value *in = node->inputs[0], *out = node->outputs[0];
    const struct reduce_params *params = node->params;
    int from = pom_plan_input(planner, in, POM_LAYOUT_ROWS), to = pom_plan_output(planner, out, POM_LAYOUT_ROWS);
    struct reduce_step *step = pom_plan_alloc(planner, 1, sizeof *step);
    if (!step)
        return;
    int64_t stride = 1;
    step->rank = in->rank;
    step->n_out = out->elements;
    size_t count = in->elements / out->elements;
    step->count = (float)count;
    for (int i = in->rank - 1; i >= 0; i--) {
        step->dims[i] = in->dims[i];
        step->out_strides[i] = params->has[i] ? 0 : stride;
        stride *= params->has[i] ? 1 : in->dims[i];
    }
    pom_plan_step(planner, &reduce_kind, step, from, -1, to);
}

void pom_build_reduce_mean(struct pom_planner *planner, const struct pom_node *node) {
    if (((const struct reduce_params *)node->params)->plane)
        pom_build_global_pool(planner, node);
    else
        build_mean(planner, node);
}

/* Softmax: along one axis since opset 13, over all axes from `axis` on before. */

struct softmax_params {
    int64_t outer, n, inner;
};

enum pom_status pom_infer_softmax(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    enum { ONE_AXIS_SINCE = 13 };
    const struct pom_value *in = node->inputs[0];
    struct softmax_params *params = pom_arena_alloc(&graph->arena, 1, sizeof *params);
    bool one_axis = node->opset >= ONE_AXIS_SINCE;
    int axis;
    if (!params)
        return pom_fail_memory(msg, "a Softmax");
    node->params = params;
    POM_TRY(pom_axis(pom_node_int(node, "axis", one_axis ? -1 : 1), in->rank, &axis, msg));
    if (in->batched && axis == 0)
        return pom_fail_batch(msg);
    params->outer = pom_product(in->dims, 0, axis);
    params->n = pom_product(in->dims, axis, one_axis ? axis + 1 : in->rank);
    params->inner = one_axis ? pom_product(in->dims, axis + 1, in->rank) : 1;
    return pom_infer_same(graph, node, msg);
}

/* One row: the elements of in at distance `stride`. The largest is taken off first, so that no power overflows. */
static void softmax_row(const float *in, int64_t n, int64_t stride, float *out) {
    float largest = in[0], sum = 0.0f;
    for (int64_t i = 1; i < n; i++)
        largest = in[i * stride] > largest ? in[i * stride] : largest;
    for (int64_t i = 0; i < n; i++)
        out[i * stride] = pom_expf(in[i * stride] - largest);
    for (int64_t i = 0; i < n; i++)
        sum += out[i * stride];
    for (int64_t i = 0; i < n; i++)
        out[i * stride] /= sum;
}

static void run_softmax(const void *params, const struct pom_call *call) {
    const struct softmax_params *p = params;
    const float *in = call->in[0];
    float *out = call->out;
    for (int64_t o = 0; o < p->outer; o++)
        for (int64_t i = 0; i < p->inner; i++) {
            int64_t at = o * p->n * p->inner + i;
            softmax_row(in + at, p->n, p->inner, out + at);
        }
}

static const struct pom_step_kind softmax_kind = {.name = "f32_softmax", .run = run_softmax, .in_place = 1};

void pom_build_softmax(struct pom_planner *planner, const struct pom_node *node) {
    int from = pom_plan_input(planner, node->inputs[0], POM_LAYOUT_ROWS);
    int to = pom_plan_output(planner, node->outputs[0], POM_LAYOUT_ROWS);
    struct softmax_params *params = pom_plan_alloc(planner, 1, sizeof *params);
    if (params)
        *params = *(const struct softmax_params *)node->params;
    pom_plan_step(planner, &softmax_kind, params, from, -1, to);
}
