/* Pad, Slice and Gather: numbers picked along one axis after the other. Transpose. */
#include "net/move.h"
#include "net/op.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A value on its way through several picks: the buffer that holds it and its shape, both in one layout. */
struct picked {
    int buffer, rank;
    int64_t dims[POM_NET_MAX_RANK];
    bool batched;
};

/* Picks along `axis` (of the layout); `last` is the buffer for the result, or -1 for a new one. */
static void pick_axis(
    struct pom_planner *planner, struct picked *at, int axis, const int32_t *pick, int64_t n, float fill, int last) {
    struct pom_picks picks = {.outer = (size_t)pom_product(at->dims, 0, axis),
        .in_length = (size_t)at->dims[axis],
        .out_length = (size_t)n,
        .inner = (size_t)pom_product(at->dims, axis + 1, at->rank),
        .pick = pick,
        .fill = fill};
    at->dims[axis] = n;
    int to = last >= 0 ? last : pom_plan_scratch(planner, (size_t)pom_product(at->dims, 0, at->rank), at->batched);
    pom_plan_pick(planner, at->buffer, to, &picks);
    at->buffer = to;
}

static struct picked start_picks(struct pom_planner *planner, struct pom_value *in, enum pom_layout layout) {
    struct picked at = {.buffer = pom_plan_input(planner, in, layout), .rank = in->rank, .batched = in->batched};
    pom_layout_dims(in, layout, at.dims);
    return at;
}

/* Pad */

static enum pom_status pad_fill(const struct pom_node *node, float *fill, struct pom_message *msg) {
    struct pom_value *value = pom_node_input(node, 2);
    *fill = pom_node_float(node, "value", 0.0f);
    if (!value)
        return POM_OK;
    POM_TRY(pom_need_floats(node, 2, "fill", msg));
    const float *number = value->elements == 1 ? pom_value_floats(value) : NULL;
    if (!number)
        return pom_fail(msg, POM_ERR_FORMAT, "its fill is not one number");
    *fill = *number;
    return POM_OK;
}

static enum pom_status pad_mode(const struct pom_node *node, struct pom_pad_params *params, struct pom_message *msg) {
    static const char *const names[] = {"constant", "reflect", "edge", "wrap"};
    const char *mode = pom_node_text(node, "mode", "constant");
    for (int i = 0; i < 4; i++)
        if (strcmp(names[i], mode) == 0) {
            params->mode = i;
            return POM_OK;
        }
    return pom_fail(msg, POM_ERR_UNSUPPORTED, "mode '%.40s' is not supported", mode);
}

static enum pom_status pad_sides(const struct pom_node *node, struct pom_pad_params *params, struct pom_message *msg) {
    const int64_t limit = 1 << 24, *pads;
    const struct pom_value *in = node->inputs[0];
    size_t n;
    struct pom_axes axes;
    POM_TRY(pom_node_ints(node, "pads", 1, &pads, &n, msg));
    POM_TRY(pom_node_axes(node, 3, in->rank, &axes, msg));
    int count = axes.n >= 0 ? axes.n : in->rank;
    if (!pads || n != 2 * (size_t)count)
        return pom_fail(msg, POM_ERR_FORMAT, "pads has %zu values, not %d", n, 2 * count);
    for (int i = 0; i < count; i++) {
        int axis = axes.n >= 0 ? axes.axis[i] : i;
        int64_t begin = pads[i], end = pads[count + i];
        if (begin < -limit || begin > limit || end < -limit || end > limit || in->dims[axis] + begin + end < 0)
            return pom_fail(
                msg, POM_ERR_FORMAT, "pads of %lld and %lld are out of range", (long long)begin, (long long)end);
        if (params->mode != POM_PAD_CONSTANT && (begin > 0 || end > 0) && in->dims[axis] < 1)
            return pom_fail(msg, POM_ERR_FORMAT, "pads an empty tensor from itself");
        params->begin[axis] = begin;
        params->end[axis] = end;
    }
    return in->batched && (params->begin[0] != 0 || params->end[0] != 0) ? pom_fail_batch(msg) : POM_OK;
}

enum pom_status pom_infer_pad(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    const struct pom_value *in = node->inputs[0];
    struct pom_pad_params *params = pom_arena_alloc(&graph->arena, 1, sizeof *params);
    int64_t dims[POM_NET_MAX_RANK];
    if (!params)
        return pom_fail_memory(msg, "a Pad");
    node->params = params;
    POM_TRY(pad_mode(node, params, msg));
    POM_TRY(pad_sides(node, params, msg));
    POM_TRY(pad_fill(node, &params->fill, msg));
    if (in->element != POM_ELEMENT_FLOAT)
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "pads ints");
    for (int i = 0; i < in->rank; i++)
        dims[i] = in->dims[i] + params->begin[i] + params->end[i];
    return pom_value_set_shape(node->outputs[0], in->rank, dims, in->batched, msg);
}

/* The element of a side of n that stands at i, which may be outside. */
static int64_t padded_at(int64_t i, int64_t n, int mode) {
    if (i >= 0 && i < n)
        return i;
    switch (mode) {
    case POM_PAD_EDGE:
        return i < 0 ? 0 : n - 1;
    case POM_PAD_WRAP:
        return (i % n + n) % n;
    case POM_PAD_REFLECT: {
        int64_t period = n > 1 ? 2 * (n - 1) : 1, at = (i % period + period) % period;
        return at < n ? at : period - at;
    }
    default:
        return -1;
    }
}

void pom_build_pad(struct pom_planner *planner, const struct pom_node *node) {
    struct pom_value *in = node->inputs[0], *out = node->outputs[0];
    const struct pom_pad_params *params = node->params;
    enum pom_layout layout = pom_plan_layout(planner, in);
    struct picked at = start_picks(planner, in, layout);
    for (int axis = 0; axis < in->rank && out->elements > 0; axis++) {
        int64_t n = out->dims[axis];
        if (params->begin[axis] == 0 && params->end[axis] == 0)
            continue;
        int32_t *pick = pom_plan_alloc(planner, (size_t)n, sizeof *pick);
        for (int64_t i = 0; i < n && pick; i++)
            pick[i] = (int32_t)padded_at(i - params->begin[axis], in->dims[axis], (int)params->mode);
        pick_axis(planner, &at, pom_layout_axis(in->rank, axis, layout), pick, n, params->fill, -1);
    }
    pom_plan_alias(planner, out, layout, at.buffer);
}

/* Slice */

struct slice_params {
    int64_t start[POM_NET_MAX_RANK], step[POM_NET_MAX_RANK], n[POM_NET_MAX_RANK];
};

static int64_t clamp(int64_t x, int64_t low, int64_t high) {
    return x < low ? low : x > high ? high : x;
}

/* start, end and step of one axis, as the standard clamps them. */
static void slice_axis(int64_t side, int64_t start, int64_t end, int64_t step, struct slice_params *params, int axis) {
    start = clamp(start < 0 ? start + side : start, 0, step > 0 ? side : side - 1);
    end = clamp(end < 0 ? (end < -side ? -1 : end + side) : end, step > 0 ? 0 : -1, side);
    int64_t room = step > 0 ? end - start : start - end, stride = step > 0 ? step : -step;
    params->start[axis] = start;
    params->step[axis] = step;
    params->n[axis] = room > 0 && side > 0 ? (room - 1) / stride + 1 : 0;
}

static enum pom_status read_slices(const struct pom_node *node, struct slice_params *params, struct pom_message *msg) {
    const struct pom_value *in = node->inputs[0];
    const int64_t *starts, *ends, *steps, huge = (int64_t)1 << 40;
    size_t n_starts, n_ends, n_steps;
    struct pom_axes axes;
    POM_TRY(pom_node_ints(node, "starts", 1, &starts, &n_starts, msg));
    POM_TRY(pom_node_ints(node, "ends", 2, &ends, &n_ends, msg));
    POM_TRY(pom_node_ints(node, "steps", 4, &steps, &n_steps, msg));
    POM_TRY(pom_node_axes(node, 3, in->rank, &axes, msg));
    size_t n = axes.n >= 0 ? (size_t)axes.n : n_starts;
    if (!starts || !ends || n_starts != n || n_ends != n || (steps && n_steps != n) || n > (size_t)in->rank)
        return pom_fail(msg, POM_ERR_FORMAT, "its starts, ends, axes and steps do not fit together");
    for (int i = 0; i < in->rank; i++)
        slice_axis(in->dims[i], 0, in->dims[i], 1, params, i);
    for (size_t i = 0; i < n; i++) {
        int axis = axes.n >= 0 ? axes.axis[i] : (int)i;
        int64_t step = steps ? clamp(steps[i], -huge, huge) : 1;
        if (step == 0)
            return pom_fail(msg, POM_ERR_FORMAT, "has a step of 0");
        slice_axis(in->dims[axis], clamp(starts[i], -huge, huge), clamp(ends[i], -huge, huge), step, params, axis);
    }
    bool whole = in->rank == 0 || (params->start[0] == 0 && params->n[0] == in->dims[0]);
    return in->batched && !whole ? pom_fail_batch(msg) : POM_OK;
}

enum pom_status pom_infer_slice(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    const struct pom_value *in = node->inputs[0];
    struct pom_value *out = node->outputs[0];
    struct slice_params *params = pom_arena_alloc(&graph->arena, 1, sizeof *params);
    if (!params)
        return pom_fail_memory(msg, "a Slice");
    node->params = params;
    POM_TRY(read_slices(node, params, msg));
    POM_TRY(pom_value_set_shape(out, in->rank, params->n, in->batched, msg));
    if (in->element == POM_ELEMENT_FLOAT)
        return POM_OK;
    void *data;
    out->element = POM_ELEMENT_INT;
    if (in->rank != 1)
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "slices ints of rank %d", in->rank);
    POM_TRY(pom_value_make_constant(graph, out, &data, msg));
    for (int64_t i = 0; i < params->n[0]; i++)
        ((int64_t *)data)[i] = pom_value_ints(in)[params->start[0] + i * params->step[0]];
    return POM_OK;
}

void pom_build_slice(struct pom_planner *planner, const struct pom_node *node) {
    struct pom_value *in = node->inputs[0], *out = node->outputs[0];
    const struct slice_params *params = node->params;
    enum pom_layout layout = pom_plan_layout(planner, in);
    struct picked at = start_picks(planner, in, layout);
    for (int axis = 0; axis < in->rank && out->elements > 0; axis++) {
        int64_t n = params->n[axis];
        if (params->start[axis] == 0 && params->step[axis] == 1 && n == in->dims[axis])
            continue;
        int32_t *pick = pom_plan_alloc(planner, (size_t)n, sizeof *pick);
        for (int64_t i = 0; i < n && pick; i++)
            pick[i] = (int32_t)(params->start[axis] + i * params->step[axis]);
        pick_axis(planner, &at, pom_layout_axis(in->rank, axis, layout), pick, n, 0.0f, -1);
    }
    pom_plan_alias(planner, out, layout, at.buffer);
}

/* Gather with constant indices */

static enum pom_status check_indices(const struct pom_node *node, int64_t side, struct pom_message *msg) {
    const struct pom_value *indices = node->inputs[1];
    if (!indices->constant || indices->element != POM_ELEMENT_INT)
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "its indices are computed at run time, not constant ints");
    for (size_t i = 0; i < indices->elements; i++) {
        int64_t index = pom_value_ints(indices)[i];
        if (index < -side || index >= side)
            return pom_fail(
                msg, POM_ERR_FORMAT, "index %lld is outside a side of %lld", (long long)index, (long long)side);
    }
    return POM_OK;
}

static int64_t index_at(const struct pom_value *indices, size_t i, int64_t side) {
    int64_t index = pom_value_ints(indices)[i];
    return index < 0 ? index + side : index;
}

enum pom_status pom_infer_gather(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    const struct pom_value *in = node->inputs[0], *indices = node->inputs[1];
    struct pom_value *out = node->outputs[0];
    int64_t dims[2 * POM_NET_MAX_RANK];
    int axis, rank = 0;
    POM_TRY(pom_axis(pom_node_int(node, "axis", 0), in->rank, &axis, msg));
    POM_TRY(check_indices(node, in->dims[axis], msg));
    if (in->batched && axis == 0)
        return pom_fail_batch(msg);
    for (int i = 0; i < in->rank; i++)
        if (i != axis)
            dims[rank++] = in->dims[i];
        else
            for (int k = 0; k < indices->rank; k++)
                dims[rank++] = indices->dims[k];
    POM_TRY(pom_value_set_shape(out, rank, dims, in->batched, msg));
    if (in->element == POM_ELEMENT_FLOAT)
        return POM_OK;
    void *data;
    out->element = POM_ELEMENT_INT;
    if (in->rank != 1)
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "gathers ints of rank %d", in->rank);
    POM_TRY(pom_value_make_constant(graph, out, &data, msg));
    for (size_t i = 0; i < indices->elements; i++)
        ((int64_t *)data)[i] = pom_value_ints(in)[index_at(indices, i, in->dims[0])];
    return POM_OK;
}

void pom_build_gather(struct pom_planner *planner, const struct pom_node *node) {
    struct pom_value *in = node->inputs[0], *out = node->outputs[0];
    const struct pom_value *indices = node->inputs[1];
    int64_t axis = pom_node_int(node, "axis", 0);
    int at_axis = (int)(axis < 0 ? axis + in->rank : axis);
    struct picked at = start_picks(planner, in, POM_LAYOUT_ROWS);
    int32_t *pick = pom_plan_alloc(planner, indices->elements, sizeof *pick);
    for (size_t i = 0; i < indices->elements && pick; i++)
        pick[i] = (int32_t)index_at(indices, i, in->dims[at_axis]);
    int to = pom_plan_output(planner, out, POM_LAYOUT_ROWS);
    pick_axis(planner, &at, at_axis, pick, (int64_t)indices->elements, 0.0f, to);
}

/* Transpose */

static enum pom_status read_perm(
    const struct pom_node *node, int rank, int perm[POM_NET_MAX_RANK], struct pom_message *msg) {
    const struct pom_attribute *attribute = pom_node_attribute(node, "perm");
    bool seen[POM_NET_MAX_RANK] = {false};
    if (attribute && (!attribute->ints || attribute->n != (size_t)rank))
        return pom_fail(msg, POM_ERR_FORMAT, "perm does not have %d values", rank);
    for (int i = 0; i < rank; i++) {
        int64_t from = attribute ? attribute->ints[i] : rank - 1 - i;
        if (from < 0 || from >= rank || seen[from])
            return pom_fail(msg, POM_ERR_FORMAT, "perm is not a permutation");
        seen[from] = true;
        perm[i] = (int)from;
    }
    return POM_OK;
}

enum pom_status pom_infer_transpose(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    const struct pom_value *in = node->inputs[0];
    int *perm = pom_arena_alloc(&graph->arena, POM_NET_MAX_RANK, sizeof *perm);
    int64_t dims[POM_NET_MAX_RANK];
    if (!perm)
        return pom_fail_memory(msg, "a Transpose");
    node->params = perm;
    POM_TRY(read_perm(node, in->rank, perm, msg));
    for (int i = 0; i < in->rank; i++)
        dims[i] = in->dims[perm[i]];
    if (in->batched && perm[0] != 0)
        return pom_fail_batch(msg);
    if (in->element == POM_ELEMENT_INT) {
        if (in->rank > 1)
            return pom_fail(msg, POM_ERR_UNSUPPORTED, "transposes ints");
        return pom_infer_identity(graph, node, msg);
    }
    return pom_value_set_shape(node->outputs[0], in->rank, dims, in->batched, msg);
}

/* Is the input in memory (in that layout) already what the output is in the other one? */
static bool is_layout_change(const int *perm, int rank, enum pom_layout from) {
    for (int i = 0; i < rank; i++) {
        int expected = from == POM_LAYOUT_CHANNELS_LAST ? (i == 0             ? 0
                                                              : i == rank - 1 ? 1
                                                                              : i + 1)
                                                        : (i == 0      ? 0
                                                              : i == 1 ? rank - 1
                                                                       : i - 1);
        if (perm[i] != expected)
            return false;
    }
    return rank > 2;
}

/* NCHW to NHWC and back is no work where the layout is the other one already. */
void pom_build_transpose(struct pom_planner *planner, const struct pom_node *node) {
    struct pom_value *in = node->inputs[0], *out = node->outputs[0];
    const int *perm = node->params;
    enum pom_layout layout = pom_plan_layout(planner, in);
    if (is_layout_change(perm, in->rank, layout)) {
        enum pom_layout other = layout == POM_LAYOUT_ROWS ? POM_LAYOUT_CHANNELS_LAST : POM_LAYOUT_ROWS;
        pom_plan_alias(planner, out, other, pom_plan_input(planner, in, layout));
        return;
    }
    int from = pom_plan_input(planner, in, POM_LAYOUT_ROWS), to = pom_plan_output(planner, out, POM_LAYOUT_ROWS);
    pom_plan_permute(planner, from, to, in->rank, in->dims, perm);
}
