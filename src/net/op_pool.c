#include "net/kernels/bf16.h"
#include "net/kernels/int8.h"
#include "net/op.h"

#include <limits.h>

static enum pom_status infer_pool(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    const struct pom_value *in = node->inputs[0];
    struct pom_window *window = pom_arena_alloc(&graph->arena, 1, sizeof *window);
    int64_t side[2];
    if (!window)
        return pom_fail_memory(msg, "a pool");
    node->params = window;
    POM_TRY(pom_window_infer(node, in, NULL, side, window, msg));
    if (in->dims[1] < 1 || in->dims[1] > INT_MAX)
        return pom_fail(msg, POM_ERR_LIMIT, "has %lld channels", (long long)in->dims[1]);
    int64_t dims[] = {in->dims[0], in->dims[1], side[2 - (in->rank - 2)], side[1]};
    return pom_value_set_shape(node->outputs[0], in->rank, dims, in->batched, msg);
}

enum pom_status pom_infer_average_pool(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    return infer_pool(graph, node, msg);
}

enum pom_status pom_infer_max_pool(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    if (pom_node_int(node, "storage_order", 0) != 0)
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "storage_order 1 is not supported");
    return infer_pool(graph, node, msg);
}

/* One of the pools, by what the elements are. */
struct pool {
    void (*floats)(const struct pom_pool_desc *desc, const float *in, float *out);
    void (*bf16)(const struct pom_pool_desc *desc, const uint16_t *in, uint16_t *out);
    void (*bytes)(const struct pom_pool_desc *desc, const uint8_t *in, uint8_t *out);
};

struct pool_step {
    struct pom_pool_desc desc;
    size_t images, in_stride, out_stride; /* in elements */
    struct pool pool;
};

static void run_pool(const void *params, const struct pom_call *call) {
    const struct pool_step *p = params;
    for (size_t i = 0; i < p->images; i++) {
        size_t from = i * p->in_stride, to = i * p->out_stride;
        if (p->pool.floats)
            p->pool.floats(&p->desc, (const float *)call->in[0] + from, (float *)call->out + to);
        else if (p->pool.bf16)
            p->pool.bf16(&p->desc, (const uint16_t *)call->in[0] + from, (uint16_t *)call->out + to);
        else
            p->pool.bytes(&p->desc, (const uint8_t *)call->in[0] + from, (uint8_t *)call->out + to);
    }
}

static void describe_pool(const void *params, FILE *out) {
    const struct pom_pool_desc *d = &((const struct pool_step *)params)->desc;
    fprintf(out, "%dx%d stride %d,%d: %dx%dx%d -> %dx%d", d->kernel_h, d->kernel_w, d->stride_h, d->stride_w, d->in_h,
        d->in_w, d->channels, d->out_h, d->out_w);
}

static struct pom_pool_desc pool_desc(const struct pom_node *node) {
    const struct pom_window *w = node->params;
    const struct pom_value *in = node->inputs[0], *out = node->outputs[0];
    bool plane = in->rank == 4;
    return (struct pom_pool_desc){
        .in_h = plane ? (int)in->dims[2] : 1,
        .in_w = (int)in->dims[in->rank - 1],
        .channels = (int)in->dims[1],
        .out_h = plane ? (int)out->dims[2] : 1,
        .out_w = (int)out->dims[out->rank - 1],
        .kernel_h = w->kernel[0],
        .kernel_w = w->kernel[1],
        .stride_h = w->stride[0],
        .stride_w = w->stride[1],
        .dilation_h = w->dilation[0],
        .dilation_w = w->dilation[1],
        .pad_top = w->pad_begin[0],
        .pad_left = w->pad_begin[1],
        .pad_bottom = w->pad_end[0],
        .pad_right = w->pad_end[1],
        .count_include_pad = pom_node_int(node, "count_include_pad", 0) != 0,
    };
}

static void build_pool(struct pom_planner *planner, const struct pom_node *node, const struct pom_step_kind *kind,
    enum pom_layout layout, struct pool pool) {
    const struct pom_value *in = node->inputs[0], *out = node->outputs[0];
    int from = pom_plan_input(planner, node->inputs[0], layout);
    int to = pom_plan_output(planner, node->outputs[0], layout);
    struct pool_step *params = pom_plan_alloc(planner, 1, sizeof *params);
    size_t images = (size_t)in->dims[0];
    if (params && images > 0)
        *params = (struct pool_step){pool_desc(node), images, in->elements / images, out->elements / images, pool};
    pom_plan_step(planner, kind, params, from, -1, to);
}

void pom_build_average_pool(struct pom_planner *planner, const struct pom_node *node) {
    static const struct pom_step_kind kind = {.name = "f32_average_pool", .run = run_pool, .describe = describe_pool};
    const struct pool pool = {.floats = pom_kernels(planner->isa)->average_pool};
    build_pool(planner, node, &kind, POM_LAYOUT_CHANNELS_LAST, pool);
}

void pom_build_max_pool(struct pom_planner *planner, const struct pom_node *node) {
    static const struct pom_step_kind floats = {.name = "f32_max_pool", .run = run_pool, .describe = describe_pool},
                                      bf16 = {.name = "bf16_max_pool", .run = run_pool, .describe = describe_pool},
                                      bytes = {.name = "int8_max_pool", .run = run_pool, .describe = describe_pool};
    const enum pom_isa isa = planner->isa;
    if (pom_plan_holds(planner, node->inputs[0], POM_LAYOUT_BF16))
        build_pool(planner, node, &bf16, POM_LAYOUT_BF16, (struct pool){.bf16 = pom_bf16_kernels(isa)->max_pool});
    else if (node->narrow && node->outputs[0]->grid)
        build_pool(planner, node, &bytes, POM_LAYOUT_NARROW, (struct pool){.bytes = pom_int8_kernels(isa)->max_pool});
    else
        build_pool(
            planner, node, &floats, POM_LAYOUT_CHANNELS_LAST, (struct pool){.floats = pom_kernels(isa)->max_pool});
}

/* GlobalAveragePool, and ReduceMean over height and width (op_reduce.c) */

enum pom_status pom_infer_global_pool(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    (void)graph;
    const struct pom_value *in = node->inputs[0];
    if (in->rank < 3)
        return pom_fail(msg, POM_ERR_FORMAT, "takes tensors of rank 3 and more, not %d", in->rank);
    int64_t dims[POM_NET_MAX_RANK];
    for (int i = 0; i < in->rank; i++)
        dims[i] = i < 2 ? in->dims[i] : 1;
    if (pom_product(in->dims, 1, in->rank) > INT_MAX || in->elements == 0)
        return pom_fail(msg, POM_ERR_LIMIT, "its input is too large, or empty");
    return pom_value_set_shape(node->outputs[0], in->rank, dims, in->batched, msg);
}

struct global_step {
    int pixels, channels;
    size_t images;
    void (*average)(const float *in, int pixels, int channels, float *out);
    void (*average_bf16)(const uint16_t *in, int pixels, int channels, float *out);
};

static void run_global(const void *params, const struct pom_call *call) {
    const struct global_step *p = params;
    size_t channels = (size_t)p->channels, image = (size_t)p->pixels * channels;
    const float *in = call->in[0];
    float *out = call->out;
    for (size_t i = 0; i < p->images; i++)
        p->average(in + i * image, p->pixels, p->channels, out + i * channels);
}

static void run_global_bf16(const void *params, const struct pom_call *call) {
    const struct global_step *p = params;
    size_t channels = (size_t)p->channels, image = (size_t)p->pixels * channels;
    const uint16_t *in = call->in[0];
    float *out = call->out;
    for (size_t i = 0; i < p->images; i++)
        p->average_bf16(in + i * image, p->pixels, p->channels, out + i * channels);
}

static void describe_global(const void *params, FILE *out) {
    const struct global_step *p = params;
    fprintf(out, "%d pixels x %d", p->pixels, p->channels);
}

static const struct pom_step_kind global_kind = {
    .name = "f32_global_average", .run = run_global, .describe = describe_global};
static const struct pom_step_kind global_bf16_kind = {
    .name = "bf16_global_average", .run = run_global_bf16, .describe = describe_global};

void pom_build_global_pool(struct pom_planner *planner, const struct pom_node *node) {
    const struct pom_value *in = node->inputs[0];
    bool bf16 = pom_plan_holds(planner, in, POM_LAYOUT_BF16);
    int from = pom_plan_input(planner, node->inputs[0], bf16 ? POM_LAYOUT_BF16 : POM_LAYOUT_CHANNELS_LAST);
    int to = pom_plan_output(planner, node->outputs[0], POM_LAYOUT_CHANNELS_LAST);
    struct global_step *params = pom_plan_alloc(planner, 1, sizeof *params);
    if (params)
        *params = (struct global_step){(int)pom_product(in->dims, 2, in->rank), (int)in->dims[1], (size_t)in->dims[0],
            pom_kernels(planner->isa)->global_average, pom_bf16_kernels(planner->isa)->global_average};
    pom_plan_step(planner, bf16 ? &global_bf16_kind : &global_kind, params, from, -1, to);
}
