/* Resize with constant scales or sizes: one axis after the other, each output element a weighted sum of a few inputs.
 * Source of the formulas: https://onnx.ai/onnx/operators/onnx__Resize.html */
#include "net/move.h"
#include "net/op.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum resize_mode { RESIZE_NEAREST, RESIZE_LINEAR, RESIZE_CUBIC };

struct resize_params {
    enum resize_mode mode;
    const char *coordinates, *nearest;
    bool antialias, exclude_outside;
    double cubic, extrapolation;
    double scale[POM_NET_MAX_RANK], roi_start[POM_NET_MAX_RANK], roi_end[POM_NET_MAX_RANK];
};

static enum pom_status one_of(const char *text, const char *const *names, const char *what, struct pom_message *msg) {
    for (; *names; names++)
        if (strcmp(*names, text) == 0)
            return POM_OK;
    return pom_fail(msg, POM_ERR_UNSUPPORTED, "%s '%.40s' is not supported", what, text);
}

static enum pom_status read_modes(const struct pom_node *node, struct resize_params *params, struct pom_message *msg) {
    static const char *const modes[] = {"nearest", "linear", "cubic", NULL};
    static const char *const coordinates[] = {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",
        "align_corners", "asymmetric", "tf_crop_and_resize", NULL};
    static const char *const roundings[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil", NULL};
    const char *mode = pom_node_text(node, "mode", "nearest");
    bool old = node->opset < 11; /* then without a choice */
    params->coordinates = pom_node_text(node, "coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
    params->nearest = pom_node_text(node, "nearest_mode", old ? "floor" : "round_prefer_floor");
    POM_TRY(one_of(mode, modes, "mode", msg));
    POM_TRY(one_of(params->coordinates, coordinates, "coordinate_transformation_mode", msg));
    POM_TRY(one_of(params->nearest, roundings, "nearest_mode", msg));
    params->mode = *mode == 'n' ? RESIZE_NEAREST : *mode == 'l' ? RESIZE_LINEAR : RESIZE_CUBIC;
    params->antialias = pom_node_int(node, "antialias", 0) != 0;
    params->exclude_outside = pom_node_int(node, "exclude_outside", 0) != 0;
    params->cubic = (double)pom_node_float(node, "cubic_coeff_a", -0.75f);
    params->extrapolation = (double)pom_node_float(node, "extrapolation_value", 0.0f);
    return POM_OK;
}

/* The constant floats of input i: n of them, or none. */
static enum pom_status floats_of(
    const struct pom_node *node, int i, size_t n, const float **out, struct pom_message *msg) {
    struct pom_value *value = pom_node_input(node, i);
    *out = NULL;
    if (!value || value->elements == 0)
        return POM_OK;
    POM_TRY(pom_need_floats(node, i, "scales or region", msg));
    if (value->elements != n)
        return pom_fail(msg, POM_ERR_FORMAT, "input %d has %zu values, not %zu", i, value->elements, n);
    *out = pom_value_floats(value);
    return *out ? POM_OK : pom_fail_memory(msg, "a constant of a network");
}

/* Which axes are meant, in what order: all where the node does not say. */
static enum pom_status resize_axes(
    const struct pom_node *node, int rank, struct pom_axes *axes, struct pom_message *msg) {
    POM_TRY(pom_node_axes(node, POM_NET_MAX_RANK, rank, axes, msg));
    if (axes->n >= 0)
        return POM_OK;
    axes->n = rank;
    for (int i = 0; i < rank; i++)
        axes->axis[i] = i;
    return POM_OK;
}

/* Sizes under keep_aspect_ratio_policy: one scale for all axes. */
static void keep_aspect(const char *policy, const struct pom_axes *axes, const struct pom_value *in,
    struct resize_params *params, int64_t *dims) {
    bool larger = strcmp(policy, "not_smaller") == 0;
    double common = params->scale[axes->axis[0]];
    for (int i = 1; i < axes->n; i++) {
        double scale = params->scale[axes->axis[i]];
        common = (scale > common) == larger ? scale : common;
    }
    for (int i = 0; i < axes->n; i++) {
        int axis = axes->axis[i];
        params->scale[axis] = common;
        dims[axis] = (int64_t)floor(common * (double)in->dims[axis] + 0.5);
    }
}

static enum pom_status read_scales(const struct pom_node *node, const struct pom_axes *axes,
    struct resize_params *params, int64_t *dims, struct pom_message *msg) {
    const struct pom_value *in = node->inputs[0];
    const float *scales;
    const int64_t *sizes;
    size_t n_sizes;
    POM_TRY(floats_of(node, node->opset < 11 ? 1 : 2, (size_t)axes->n, &scales, msg));
    POM_TRY(pom_node_ints(node, "sizes", 3, &sizes, &n_sizes, msg));
    if (scales ? false : !sizes || n_sizes != (size_t)axes->n)
        return pom_fail(msg, POM_ERR_FORMAT, "has neither scales nor sizes for its %d axes", axes->n);
    for (int i = 0; i < axes->n; i++) {
        int axis = axes->axis[i];
        double side = (double)in->dims[axis], wanted = scales ? floor((double)scales[i] * side) : (double)sizes[i];
        if (!(wanted >= 1 && wanted < 0x1p24) || side < 1)
            return pom_fail(msg, POM_ERR_FORMAT, "axis %d cannot become %g long", axis, wanted);
        dims[axis] = (int64_t)wanted;
        params->scale[axis] = scales ? (double)scales[i] : wanted / side;
    }
    const char *policy = pom_node_text(node, "keep_aspect_ratio_policy", "stretch");
    if (!scales && axes->n > 0 && strcmp(policy, "stretch") != 0)
        keep_aspect(policy, axes, in, params, dims);
    return POM_OK;
}

static enum pom_status read_region(
    const struct pom_node *node, const struct pom_axes *axes, struct resize_params *params, struct pom_message *msg) {
    const float *roi;
    if (strcmp(params->coordinates, "tf_crop_and_resize") != 0)
        return POM_OK;
    POM_TRY(floats_of(node, 1, 2 * (size_t)axes->n, &roi, msg));
    if (!roi)
        return pom_fail(msg, POM_ERR_FORMAT, "has no region to crop");
    for (int i = 0; i < axes->n; i++) {
        params->roi_start[axes->axis[i]] = (double)roi[i];
        params->roi_end[axes->axis[i]] = (double)roi[axes->n + i];
    }
    return POM_OK;
}

enum pom_status pom_infer_resize(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    const struct pom_value *in = node->inputs[0];
    struct resize_params *params = pom_arena_alloc(&graph->arena, 1, sizeof *params);
    struct pom_axes axes;
    int64_t dims[POM_NET_MAX_RANK] = {0};
    if (!params)
        return pom_fail_memory(msg, "a Resize");
    node->params = params;
    for (int i = 0; i < in->rank; i++) {
        params->scale[i] = params->roi_end[i] = 1.0;
        dims[i] = in->dims[i];
    }
    POM_TRY(read_modes(node, params, msg));
    POM_TRY(resize_axes(node, in->rank, &axes, msg));
    POM_TRY(read_scales(node, &axes, params, dims, msg));
    POM_TRY(read_region(node, &axes, params, msg));
    if (in->batched && (in->rank == 0 || dims[0] != 1 || params->scale[0] != 1.0))
        return pom_fail_batch(msg);
    if (in->element != POM_ELEMENT_FLOAT)
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "takes float32 tensors");
    return pom_value_set_shape(node->outputs[0], in->rank, dims, in->batched, msg);
}

/* One axis of a Resize. */
struct resize_axis {
    const struct resize_params *params;
    double side, out_side, scale, roi_start, roi_end;
};

/* Where output element i lies on the input's axis. */
static double source_of(const struct resize_axis *axis, double i) {
    const char *mode = axis->params->coordinates;
    double side = axis->side, length = axis->scale * side; /* of the output, before rounding */
    if (strcmp(mode, "align_corners") == 0)
        return length == 1.0 ? 0.0 : i * (side - 1.0) / (length - 1.0);
    if (strcmp(mode, "asymmetric") == 0)
        return i / axis->scale;
    if (strcmp(mode, "tf_crop_and_resize") == 0) {
        double span = (axis->roi_end - axis->roi_start) * (side - 1.0);
        return axis->roi_start * (side - 1.0) + (length == 1.0 ? span / 2.0 : i * span / (length - 1.0));
    }
    if (strcmp(mode, "pytorch_half_pixel") == 0 && length == 1.0)
        return -0.5;
    double offset = strcmp(mode, "half_pixel_symmetric") == 0 ? side / 2.0 * (1.0 - axis->out_side / length) : 0.0;
    return offset + (i + 0.5) / axis->scale - 0.5;
}

static bool is_outside(const struct resize_axis *axis, double x) {
    return strcmp(axis->params->coordinates, "tf_crop_and_resize") == 0 && (x < 0.0 || x > axis->side - 1.0);
}

static double nearest(const char *mode, double x) {
    if (strcmp(mode, "floor") == 0)
        return floor(x);
    if (strcmp(mode, "ceil") == 0)
        return ceil(x);
    return strcmp(mode, "round_prefer_ceil") == 0 ? floor(x + 0.5) : ceil(x - 0.5);
}

/* The weight of an element at distance d. Cubic: Keys, "Cubic Convolution Interpolation" (1981). */
static double weight_at(const struct resize_params *params, double d) {
    double a = params->cubic;
    d = fabs(d);
    if (params->mode == RESIZE_LINEAR)
        return d < 1.0 ? 1.0 - d : 0.0;
    if (d <= 1.0)
        return ((a + 2.0) * d - (a + 3.0)) * d * d + 1.0;
    return d < 2.0 ? ((a * d - 5.0 * a) * d + 8.0 * a) * d - 4.0 * a : 0.0;
}

static int32_t clamped(double i, double side) {
    return (int32_t)(!(i > 0.0) ? 0.0 : i > side - 1.0 ? side - 1.0 : i); /* NaN, from a NaN region: 0 */
}

/* Along the middle axis of [outer][in_length][inner]: element i is the sum over its taps of weight * element. */
struct blend_step {
    size_t outer, in_length, out_length, inner, n_taps;
    int32_t *index; /* out_length x n_taps */
    float *weight;
    bool *outside; /* out_length: these are `fill` */
    float fill;
};

static void run_blend(const void *params, const struct pom_call *call) {
    const struct blend_step *p = params;
    for (size_t o = 0; o < p->outer; o++)
        for (size_t i = 0; i < p->out_length; i++) {
            const float *in = (const float *)call->in[0] + o * p->in_length * p->inner;
            float *out = (float *)call->out + (o * p->out_length + i) * p->inner;
            for (size_t c = 0; c < p->inner; c++)
                out[c] = p->outside[i] ? p->fill : 0.0f;
            for (size_t t = 0; t < p->n_taps && !p->outside[i]; t++) {
                const float *row = in + (size_t)p->index[i * p->n_taps + t] * p->inner;
                float weight = p->weight[i * p->n_taps + t];
                for (size_t c = 0; c < p->inner; c++)
                    out[c] += row[c] * weight;
            }
        }
}

static const struct pom_step_kind blend_kind = {.name = "f32_blend", .run = run_blend};

/* The taps around x: `first` and the n_taps - 1 after it; those outside the input repeat its edge or count for nothing.
 */
static void set_taps(
    const struct resize_axis *axis, double x, double shrink, size_t n_taps, int32_t *index, float *weight) {
    double support = axis->params->mode == RESIZE_LINEAR ? 1.0 : 2.0, sum = 0.0;
    double first = floor(x - support / shrink) + 1.0;
    bool normalise = axis->params->exclude_outside || axis->params->antialias;
    for (int pass = 0; pass < 2; pass++)
        for (size_t t = 0; t < n_taps; t++) {
            double at = first + (double)t, w = weight_at(axis->params, (at - x) * shrink);
            if (axis->params->exclude_outside && (at < 0.0 || at >= axis->side))
                w = 0.0;
            if (pass == 0)
                sum += w;
            index[t] = clamped(at, axis->side);
            weight[t] = (float)(normalise && sum != 0.0 ? w / sum : w);
        }
}

static void blend_axis(
    struct pom_planner *planner, const struct resize_axis *axis, struct blend_step step, int in, int out) {
    struct blend_step *params = pom_plan_alloc(planner, 1, sizeof *params);
    double shrink = axis->params->antialias && axis->scale < 1.0 ? axis->scale : 1.0;
    step.n_taps = (size_t)ceil((axis->params->mode == RESIZE_LINEAR ? 2.0 : 4.0) / shrink);
    size_t taps;
    if (!pom_size_mul(step.out_length, step.n_taps, &taps) || taps > ((size_t)1 << 28)) {
        pom_plan_fail(planner, POM_ERR_LIMIT, "shrinks an axis too far");
        return;
    }
    step.index = pom_plan_alloc(planner, taps, sizeof *step.index);
    step.weight = pom_plan_alloc(planner, taps, sizeof *step.weight);
    step.outside = pom_plan_alloc(planner, step.out_length, sizeof *step.outside);
    if (!params || !step.index || !step.weight || !step.outside)
        return;
    for (size_t i = 0; i < step.out_length; i++) {
        double x = source_of(axis, (double)i);
        step.outside[i] = is_outside(axis, x);
        set_taps(axis, x, shrink, step.n_taps, step.index + i * step.n_taps, step.weight + i * step.n_taps);
    }
    *params = step;
    pom_plan_step(planner, &blend_kind, params, in, -1, out);
}

static void pick_nearest(
    struct pom_planner *planner, const struct resize_axis *axis, const struct blend_step *step, int in, int out) {
    int32_t *pick = pom_plan_alloc(planner, step->out_length, sizeof *pick);
    for (size_t i = 0; i < step->out_length && pick; i++) {
        double x = source_of(axis, (double)i);
        pick[i] = is_outside(axis, x) ? -1 : clamped(nearest(axis->params->nearest, x), axis->side);
    }
    pom_plan_pick(planner, in, out,
        &(struct pom_picks){step->outer, step->in_length, step->out_length, step->inner, pick, step->fill});
}

void pom_build_resize(struct pom_planner *planner, const struct pom_node *node) {
    struct pom_value *in = node->inputs[0], *out = node->outputs[0];
    const struct resize_params *params = node->params;
    enum pom_layout layout = pom_plan_layout(planner, in);
    int64_t dims[POM_NET_MAX_RANK];
    pom_layout_dims(in, layout, dims);
    int at = pom_plan_input(planner, in, layout);
    for (int i = 0; i < in->rank; i++) {
        bool crops = params->roi_start[i] != 0.0 || params->roi_end[i] != 1.0;
        if (in->dims[i] == out->dims[i] && params->scale[i] == 1.0 && !crops)
            continue;
        int k = pom_layout_axis(in->rank, i, layout);
        struct resize_axis axis = {params, (double)in->dims[i], (double)out->dims[i], params->scale[i],
            params->roi_start[i], params->roi_end[i]};
        struct blend_step step = {.outer = (size_t)pom_product(dims, 0, k),
            .in_length = (size_t)dims[k],
            .out_length = (size_t)out->dims[i],
            .inner = (size_t)pom_product(dims, k + 1, in->rank),
            .fill = (float)params->extrapolation};
        dims[k] = out->dims[i];
        int to = pom_plan_scratch(planner, (size_t)pom_product(dims, 0, in->rank), in->batched);
        if (params->mode == RESIZE_NEAREST)
            pick_nearest(planner, &axis, &step, at, to);
        else
            blend_axis(planner, &axis, step, at, to);
        at = to;
    }
    pom_plan_alias(planner, out, layout, at);
}
