#include "net/plan.h"

#include "net/bf16.h"
#include "net/move.h"
#include "net/narrow.h"
#include "net/op.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* What the planner is to plan: all of a graph, or a single node of it. */
struct plan_task {
    struct pom_node *const *nodes;
    int n_nodes;
    struct pom_value *const *inputs, *const *outputs;
    int n_inputs, n_outputs;
    bool image_input, nhwc_output;
    const struct pom_net_pixels *pixels; /* what the input is given as; NULL: floats */
    bool bf16;                           /* convolutions work in bf16 where they gain by it */
    struct pom_value *const *watched;
    int n_watched;
};

void pom_plan_clean_up(struct pom_plan *plan) {
    for (int i = 0; i < plan->n_steps; i++)
        if (plan->steps[i].kind->free)
            plan->steps[i].kind->free(plan->steps[i].params);
    for (int i = 0; i < plan->n_buffers; i++)
        free(plan->buffers[i].owned);
    free(plan->steps);
    free(plan->buffers);
    free(plan->segments);
    pom_arena_clean_up(&plan->arena);
    *plan = (struct pom_plan){0};
}

void pom_plan_fail(struct pom_planner *planner, enum pom_status status, const char *format, ...) {
    if (planner->status != POM_OK)
        return;
    struct pom_message text;
    va_list args;
    va_start(args, format);
    vsnprintf(text.text, sizeof text.text, format, args);
    va_end(args);
    planner->status = pom_fail(planner->msg, status, "%s", text.text);
}

static void fail_memory(struct pom_planner *planner) {
    pom_plan_fail(planner, POM_ERR_MEMORY, "out of memory for the plan of a network");
}

void *pom_plan_alloc(struct pom_planner *planner, size_t n, size_t size) {
    void *memory = pom_arena_alloc(&planner->plan->arena, n, size);
    if (!memory)
        fail_memory(planner);
    return memory;
}

void pom_layout_dims(const struct pom_value *value, enum pom_layout layout, int64_t dims[POM_NET_MAX_RANK]) {
    for (int i = 0; i < value->rank; i++)
        dims[pom_layout_axis(value->rank, i, layout)] = value->dims[i];
}

int pom_layout_axis(int rank, int axis, enum pom_layout layout) {
    if (layout == POM_LAYOUT_ROWS || rank < 3 || axis == 0)
        return axis;
    return axis == 1 ? rank - 1 : axis - 1;
}

bool pom_layout_same(int rank, const int64_t *dims) {
    return rank < 3 || dims[1] == 1 || pom_product(dims, 2, rank) == 1;
}

/* Buffers. Buffer 0 always exists, so that builders can go on after a failure. */

static int add_buffer(struct pom_planner *planner, struct pom_plan_buffer buffer) {
    struct pom_plan *plan = planner->plan;
    size_t need = (size_t)plan->n_buffers + 1;
    if (!pom_grow((void **)&plan->buffers, &plan->buffers_room, need, sizeof *plan->buffers)) {
        free(buffer.owned);
        fail_memory(planner);
        return 0;
    }
    plan->buffers[plan->n_buffers] = buffer;
    return plan->n_buffers++;
}

int pom_plan_scratch(struct pom_planner *planner, size_t elements, bool batched) {
    return add_buffer(
        planner, (struct pom_plan_buffer){.elements = elements, .width = sizeof(float), .batched = batched});
}

int pom_plan_constant(struct pom_planner *planner, const float *data, size_t n) {
    float *copy = pom_alloc_aligned(n, sizeof(float));
    if (!copy || !data) {
        free(copy);
        fail_memory(planner);
        return 0;
    }
    memcpy(copy, data, n * sizeof(float));
    planner->plan->weight_bytes += n * sizeof(float);
    return add_buffer(planner,
        (struct pom_plan_buffer){
            .place = POM_PLACE_CONSTANT, .elements = n, .width = sizeof(float), .constant = copy, .owned = copy});
}

void pom_plan_alias(struct pom_planner *planner, const struct pom_value *value, enum pom_layout layout, int buffer) {
    planner->held[value->id][layout] = buffer;
    if (layout <= POM_LAYOUT_CHANNELS_LAST && pom_layout_same(value->rank, value->dims))
        planner->held[value->id][!layout] = buffer;
}

int pom_plan_output(struct pom_planner *planner, struct pom_value *value, enum pom_layout layout) {
    static const size_t widths[POM_LAYOUTS] = {[POM_LAYOUT_ROWS] = sizeof(float),
        [POM_LAYOUT_CHANNELS_LAST] = sizeof(float),
        [POM_LAYOUT_NARROW] = sizeof(uint8_t),
        [POM_LAYOUT_BF16] = sizeof(uint16_t)};
    int buffer = add_buffer(planner,
        (struct pom_plan_buffer){.elements = value->elements, .width = widths[layout], .batched = value->batched});
    pom_plan_alias(planner, value, layout, buffer);
    return buffer;
}

static void to_layout(int rank, enum pom_layout layout, int perm[POM_NET_MAX_RANK]) {
    for (int i = 0; i < rank; i++) {
        int from = pom_layout_axis(rank, i, layout);
        if (layout == POM_LAYOUT_CHANNELS_LAST)
            perm[from] = i; /* out axis `from` is in axis i */
        else
            perm[i] = pom_layout_axis(rank, i, POM_LAYOUT_CHANNELS_LAST);
    }
}

static int converted(struct pom_planner *planner, int in, int rank, const int64_t *dims, enum pom_layout layout) {
    int64_t from[POM_NET_MAX_RANK];
    int perm[POM_NET_MAX_RANK];
    enum pom_layout other = layout == POM_LAYOUT_ROWS ? POM_LAYOUT_CHANNELS_LAST : POM_LAYOUT_ROWS;
    for (int i = 0; i < rank; i++)
        from[pom_layout_axis(rank, i, other)] = dims[i];
    to_layout(rank, layout, perm);
    struct pom_plan_buffer buffer = planner->plan->buffers[in];
    if (buffer.place != POM_PLACE_CONSTANT) {
        int out = pom_plan_scratch(planner, buffer.elements, buffer.batched);
        pom_plan_permute(planner, in, out, rank, from, perm);
        return out;
    }
    int out = pom_plan_constant(planner, buffer.constant, buffer.elements);
    if (planner->status == POM_OK)
        pom_permute(buffer.constant, rank, from, perm, planner->plan->buffers[out].owned);
    return out;
}

bool pom_plan_holds(const struct pom_planner *planner, const struct pom_value *value, enum pom_layout layout) {
    return planner->held[value->id][layout] >= 0;
}

/* Is the value there as floats? */
static bool holds_floats(const struct pom_planner *planner, const struct pom_value *value) {
    return pom_plan_holds(planner, value, POM_LAYOUT_ROWS) || pom_plan_holds(planner, value, POM_LAYOUT_CHANNELS_LAST);
}

static int narrowed(struct pom_planner *planner, struct pom_value *value, enum pom_layout layout) {
    int from = pom_plan_input(planner, value, POM_LAYOUT_CHANNELS_LAST);
    int to = pom_plan_output(planner, value, layout);
    if (layout == POM_LAYOUT_BF16)
        pom_plan_bf16_narrow(planner, value, from, to);
    else
        pom_plan_quantise(planner, value, from, to);
    return to;
}

static void widen(struct pom_planner *planner, struct pom_value *value) {
    const int *held = planner->held[value->id];
    int to = pom_plan_output(planner, value, POM_LAYOUT_CHANNELS_LAST);
    if (held[POM_LAYOUT_BF16] >= 0)
        pom_plan_bf16_widen(planner, value, held[POM_LAYOUT_BF16], to);
    else if (value->pixels)
        pom_plan_pixels(planner, value->pixels, value, held[POM_LAYOUT_NARROW], to);
    else
        pom_plan_dequantise(planner, value, held[POM_LAYOUT_NARROW], to);
}

int pom_plan_input(struct pom_planner *planner, struct pom_value *value, enum pom_layout layout) {
    int *held = planner->held[value->id];
    if (layout > POM_LAYOUT_CHANNELS_LAST)
        return held[layout] >= 0 ? held[layout] : narrowed(planner, value, layout);
    if (!holds_floats(planner, value) && (held[POM_LAYOUT_NARROW] >= 0 || held[POM_LAYOUT_BF16] >= 0))
        widen(planner, value);
    if (!holds_floats(planner, value)) {
        if (!value->constant || value->element != POM_ELEMENT_FLOAT) {
            pom_plan_fail(planner, POM_ERR_UNSUPPORTED, "tensor '%.80s' is not float32", value->name);
            return 0;
        }
        pom_plan_alias(
            planner, value, POM_LAYOUT_ROWS, pom_plan_constant(planner, pom_value_floats(value), value->elements));
        pom_value_unload(value);
    }
    if (value->rank < 3)
        layout = POM_LAYOUT_ROWS;
    if (held[layout] < 0)
        held[layout] = converted(planner, held[!layout], value->rank, value->dims, layout);
    return held[layout];
}

int pom_plan_operand(struct pom_planner *planner, struct pom_value *value, int rank, enum pom_layout layout) {
    if (value->rank == rank || layout == POM_LAYOUT_ROWS)
        return pom_plan_input(planner, value, value->rank == rank ? layout : POM_LAYOUT_ROWS);
    int64_t dims[POM_NET_MAX_RANK];
    for (int i = 0; i < rank; i++)
        dims[i] = i < rank - value->rank ? 1 : value->dims[i - (rank - value->rank)];
    int rows = pom_plan_input(planner, value, POM_LAYOUT_ROWS);
    return pom_layout_same(rank, dims) ? rows : converted(planner, rows, rank, dims, layout);
}

enum pom_layout pom_plan_layout(const struct pom_planner *planner, const struct pom_value *value) {
    const int *held = planner->held[value->id];
    bool last = held[POM_LAYOUT_CHANNELS_LAST] >= 0 || held[POM_LAYOUT_NARROW] >= 0 || held[POM_LAYOUT_BF16] >= 0;
    return last && held[POM_LAYOUT_ROWS] < 0 ? POM_LAYOUT_CHANNELS_LAST : POM_LAYOUT_ROWS;
}

/* Steps */

struct pom_step *pom_plan_step(
    struct pom_planner *planner, const struct pom_step_kind *kind, void *params, int in0, int in1, int out) {
    struct pom_plan *plan = planner->plan;
    size_t need = (size_t)plan->n_steps + 1;
    if (!params || planner->status != POM_OK ||
        !pom_grow((void **)&plan->steps, &plan->steps_room, need, sizeof *plan->steps)) {
        if (params && kind->free)
            kind->free(params);
        fail_memory(planner);
        return NULL;
    }
    struct pom_step *step = &plan->steps[plan->n_steps++];
    *step = (struct pom_step){.kind = kind,
        .node = planner->node ? planner->node->name : "",
        .params = params,
        .in = {in0, in1, -1},
        .out = out,
        .phase = plan->buffers[out].batched ? POM_PHASE_IMAGE : POM_PHASE_ONCE};
    return step;
}

static double bytes_of(const struct pom_plan_buffer *buffer) {
    return (double)buffer->elements * (double)buffer->width;
}

static double bytes_moved(const struct pom_plan *plan, const struct pom_step *step) {
    double bytes = bytes_of(&plan->buffers[step->out]);
    for (int k = 0; k < POM_STEP_INPUTS; k++)
        bytes += step->in[k] >= 0 ? bytes_of(&plan->buffers[step->in[k]]) : 0.0;
    return bytes;
}

/* From where on all images take a step before any takes the next: weights are then read once for all of them, but what
 * the steps hand on has to wait for its turn in a farther cache. Worth it from where the former outweighs the latter
 * the most. */
static void batch_the_end(struct pom_plan *plan) {
    double gain = 0.0, best = 0.0;
    int first = plan->n_steps;
    for (int i = plan->n_steps - 1; i >= 0 && plan->steps[i].phase == POM_PHASE_IMAGE; i--) {
        gain += (double)plan->steps[i].weight_bytes - bytes_moved(plan, &plan->steps[i]);
        if (gain > best) {
            best = gain;
            first = i;
        }
    }
    for (int i = first; i < plan->n_steps; i++)
        plan->steps[i].phase = POM_PHASE_BATCH;
}

/* Steps that no image changes run first. */
static bool order_steps(struct pom_plan *plan) {
    struct pom_step *sorted = pom_calloc((size_t)plan->n_steps, sizeof *sorted);
    if (!sorted)
        return false;
    int n = 0;
    for (int once = 1; once >= 0; once--)
        for (int i = 0; i < plan->n_steps; i++)
            if ((plan->steps[i].phase == POM_PHASE_ONCE) == (once == 1))
                sorted[n++] = plan->steps[i];
    free(plan->steps);
    plan->steps = sorted;
    plan->steps_room = (size_t)n;
    return true;
}

static bool make_segments(struct pom_plan *plan) {
    for (int i = 0; i < plan->n_steps; i++) {
        struct pom_segment *last = plan->n_segments > 0 ? &plan->segments[plan->n_segments - 1] : NULL;
        if (last && last->phase == plan->steps[i].phase) {
            last->end = i + 1;
            continue;
        }
        size_t need = (size_t)plan->n_segments + 1;
        if (!pom_grow((void **)&plan->segments, &plan->segments_room, need, sizeof *plan->segments))
            return false;
        plan->segments[plan->n_segments++] = (struct pom_segment){i, i + 1, plan->steps[i].phase};
    }
    return true;
}

/* The driver */

static void place_input(struct pom_planner *planner, const struct pom_value *value, int index, bool image_input) {
    int buffer = pom_plan_scratch(planner, value->elements, value->batched);
    planner->plan->buffers[buffer].place = POM_PLACE_INPUT;
    planner->plan->buffers[buffer].index = index;
    bool channels_last = image_input && value->rank == 4 && !pom_is_nhwc_image(value);
    pom_plan_alias(planner, value, channels_last ? POM_LAYOUT_CHANNELS_LAST : POM_LAYOUT_ROWS, buffer);
}

/* Whose channels lie as the bytes do: where the graph wants them last, they are made floats at once. */
static void place_pixels(struct pom_planner *planner, struct pom_value *value, const struct pom_net_pixels *pixels) {
    int bytes = add_buffer(
        planner, (struct pom_plan_buffer){
                     .place = POM_PLACE_PIXELS, .elements = value->elements, .width = 1, .batched = value->batched});
    if (value->pixels)
        pom_plan_alias(planner, value, POM_LAYOUT_NARROW, bytes);
    else
        pom_plan_pixels(planner, pixels, value, bytes, pom_plan_output(planner, value, POM_LAYOUT_ROWS));
}

static void place_output(struct pom_planner *planner, struct pom_value *value, int index, bool nhwc_output) {
    enum pom_layout layout = nhwc_output && value->rank == 4 ? POM_LAYOUT_CHANNELS_LAST : POM_LAYOUT_ROWS;
    int buffer = pom_plan_input(planner, value, layout);
    if (planner->status == POM_OK && planner->plan->buffers[buffer].place != POM_PLACE_ARENA) {
        int copy = pom_plan_scratch(planner, value->elements, value->batched);
        pom_plan_copy_rows(planner, buffer, copy, &(struct pom_rows){.rows = 1, .n = value->elements});
        buffer = copy;
    }
    planner->plan->buffers[buffer].place = POM_PLACE_OUTPUT;
    planner->plan->buffers[buffer].index = index;
}

/* The values in task->watched that node makes (NULL: the inputs), from the *next on. */
static void watch_outputs(
    struct pom_planner *planner, const struct plan_task *task, const struct pom_node *node, int *next) {
    for (; *next < task->n_watched && task->watched[*next]->producer == node; ++*next) {
        struct pom_value *value = task->watched[*next];
        int seen = pom_plan_scratch(planner, 3 * (size_t)value->dims[1], value->batched);
        planner->plan->buffers[seen].place = POM_PLACE_OUTPUT;
        planner->plan->buffers[seen].index = task->n_outputs + *next;
        pom_plan_watch(planner, value, pom_plan_input(planner, value, POM_LAYOUT_CHANNELS_LAST), seen);
    }
}

static enum pom_status build_nodes(struct pom_planner *planner, const struct plan_task *task) {
    int watched = 0;
    watch_outputs(planner, task, NULL, &watched);
    for (int i = 0; i < task->n_nodes; i++) {
        planner->node = task->nodes[i];
        int before = planner->plan->n_steps;
        planner->node->op->build(planner, planner->node);
        if (planner->plan->n_steps > before && planner->node->op->macs) /* the last step does the work */
            planner->plan->steps[planner->plan->n_steps - 1].macs = planner->node->op->macs(planner->node);
        watch_outputs(planner, task, planner->node, &watched);
        if (planner->status != POM_OK)
            return pom_fail_in(
                planner->msg, planner->status, "node %.80s (%.40s)", planner->node->name, planner->node->type);
    }
    planner->node = NULL;
    return POM_OK;
}

static enum pom_status run_planner(struct pom_planner *planner, const struct plan_task *task) {
    pom_plan_scratch(planner, 0, false); /* the buffer 0 of failures */
    for (int i = 0; i < task->n_inputs; i++)
        if (task->pixels)
            place_pixels(planner, task->inputs[i], task->pixels);
        else
            place_input(planner, task->inputs[i], i, task->image_input);
    POM_TRY(build_nodes(planner, task));
    for (int i = 0; i < task->n_outputs; i++)
        place_output(planner, task->outputs[i], i, task->nhwc_output);
    if (planner->status != POM_OK)
        return planner->status;
    bool ordered = order_steps(planner->plan);
    if (ordered)
        batch_the_end(planner->plan);
    if (!ordered || !make_segments(planner->plan))
        fail_memory(planner);
    return planner->status;
}

static enum pom_status make_plan(struct pom_graph *graph, const struct plan_task *task, enum pom_isa isa,
    struct pom_plan *plan, struct pom_message *msg) {
    struct pom_planner planner = {.graph = graph, .plan = plan, .isa = isa, .bf16 = task->bf16, .msg = msg};
    planner.held = pom_calloc((size_t)graph->n_values, sizeof *planner.held);
    if (!planner.held)
        return pom_fail_memory(msg, "the plan of a network");
    for (int i = 0; i < graph->n_values; i++)
        for (int layout = 0; layout < POM_LAYOUTS; layout++)
            planner.held[i][layout] = -1;
    enum pom_status status = run_planner(&planner, task);
    free(planner.held);
    free(planner.weights);
    return status;
}

enum pom_status pom_plan_build(struct pom_graph *graph, enum pom_isa isa, const struct pom_net_options *options,
    struct pom_plan *plan, struct pom_message *msg) {
    struct plan_task task = {.nodes = graph->nodes,
        .n_nodes = graph->n_nodes,
        .inputs = graph->inputs,
        .outputs = graph->outputs,
        .n_inputs = graph->n_inputs,
        .n_outputs = graph->n_outputs,
        .image_input = options->image_input,
        .nhwc_output = graph->nhwc_output,
        .pixels = options->pixels,
        .bf16 = options->bf16,
        .watched = graph->watched,
        .n_watched = options->watch ? graph->n_watched : 0};
    return make_plan(graph, &task, isa, plan, msg);
}

/* Folding: the plan of one node, run once. */

static enum pom_status fold_run(struct pom_graph *graph, struct pom_node *node, const struct pom_plan *plan,
    struct pom_memory_map *map, struct pom_message *msg) {
    enum { MAX_OUTPUTS = 64 };
    float *outputs[MAX_OUTPUTS];
    if (node->n_outputs > MAX_OUTPUTS)
        return pom_fail(msg, POM_ERR_LIMIT, "node %.80s has more than %d outputs", node->name, MAX_OUTPUTS);
    POM_TRY(pom_memory_map_new(plan, 1, map, msg));
    void *arena = pom_alloc_aligned(map->arena_bytes, 1), *scratch = pom_alloc_aligned(map->scratch_bytes, 1);
    enum pom_status status = arena && scratch ? POM_OK : pom_fail_memory(msg, "a constant of a network");
    for (int i = 0; i < node->n_outputs && status == POM_OK; i++) {
        void *data = NULL;
        status = pom_value_make_constant(graph, node->outputs[i], &data, msg);
        outputs[i] = data;
    }
    if (status == POM_OK)
        pom_plan_run(plan, map, arena, scratch, &(struct pom_plan_call){.n = 1, .outputs = outputs});
    free(arena);
    free(scratch);
    return status;
}

enum pom_status pom_plan_fold(
    struct pom_graph *graph, struct pom_node *node, enum pom_isa isa, struct pom_message *msg) {
    struct plan_task task = {.nodes = &node, .n_nodes = 1, .outputs = node->outputs, .n_outputs = node->n_outputs};
    struct pom_plan plan = {0};
    struct pom_memory_map map = {0};
    enum pom_status status = make_plan(graph, &task, isa, &plan, msg);
    if (status == POM_OK)
        status = fold_run(graph, node, &plan, &map, msg);
    pom_memory_map_clean_up(&map);
    pom_plan_clean_up(&plan);
    return status;
}
