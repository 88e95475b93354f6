#include "net/kernels/int8.h"
#include "net/narrow.h"
#include "net/op.h"
#include <string.h>

/* Between a float and an 8-bit buffer, or from a float one to what was seen of it. */
struct narrow_step {
    size_t pixels;
    int channels;
    const struct pom_int8_grid *grid;
    const float *inverse; /* 1 / scale */
    const struct pom_int8_kernels *kernels;
};

static void run_quantise(const void *params, const struct pom_call *call) {
    const struct narrow_step *p = params;
    p->kernels->quantise(call->in[0], p->pixels, p->channels, p->inverse, p->grid->zero, call->out);
}

static void run_dequantise(const void *params, const struct pom_call *call) {
    const struct narrow_step *p = params;
    p->kernels->dequantise(call->in[0], p->pixels, p->channels, p->grid->scale, p->grid->zero, call->out);
}

/* A NaN makes its channel's mean one. */
static void run_watch(const void *params, const struct pom_call *call) {
    const struct narrow_step *p = params;
    size_t channels = (size_t)p->channels;
    const float *in = call->in[0];
    float *low = call->out, *high = low + channels, *mean = high + channels;
    for (size_t c = 0; c < channels; c++) {
        low[c] = high[c] = in[c];
        mean[c] = 0.0F;
    }
    for (size_t i = 0; i < p->pixels; i++, in += channels)
        for (size_t c = 0; c < channels; c++) {
            low[c] = in[c] < low[c] ? in[c] : low[c];
            high[c] = in[c] > high[c] ? in[c] : high[c];
            mean[c] += in[c];
        }
    for (size_t c = 0; c < channels; c++)
        mean[c] /= (float)p->pixels;
}

/* Of a picture. */
struct pixels_step {
    size_t pixels;
    float value[3][256];
    uint8_t source[3];
};

static void run_pixels(const void *params, const struct pom_call *call) {
    const struct pixels_step *p = params;
    const uint8_t *in = call->in[0];
    float *out = call->out;
    for (size_t i = 0; i < p->pixels; i++, in += 3, out += 3)
        for (int c = 0; c < 3; c++)
            out[c] = p->value[c][in[p->source[c]]];
}

static void describe_pixels(const void *params, FILE *out) {
    fprintf(out, "%zu pixels", ((const struct pixels_step *)params)->pixels);
}

static void describe(const void *params, FILE *out) {
    const struct narrow_step *p = params;
    fprintf(out, "%zu pixels x %d", p->pixels, p->channels);
}

static const struct pom_step_kind quantise_kind = {.name = "int8_quantise", .run = run_quantise, .describe = describe};
static const struct pom_step_kind dequantise_kind = {
    .name = "int8_dequantise", .run = run_dequantise, .describe = describe};
static const struct pom_step_kind pixels_kind = {.name = "f32_pixels", .run = run_pixels, .describe = describe_pixels};
static const struct pom_step_kind watch_kind = {.name = "f32_watch", .run = run_watch, .describe = describe};

static const float *inverses(struct pom_planner *planner, const struct pom_int8_grid *grid, int channels) {
    float *inverse = pom_plan_alloc(planner, (size_t)channels, sizeof *inverse);
    for (int c = 0; c < channels && inverse; c++)
        inverse[c] = (float)(1.0 / (double)grid->scale[c]);
    return inverse;
}

static void add_step(
    struct pom_planner *planner, const struct pom_step_kind *kind, const struct pom_value *value, int in, int out) {
    struct narrow_step *params = pom_plan_alloc(planner, 1, sizeof *params);
    if (!params)
        return;
    int channels = (int)value->dims[1];
    *params = (struct narrow_step){.pixels = value->elements / (size_t)channels,
        .channels = channels,
        .grid = value->grid,
        .inverse = kind == &quantise_kind ? inverses(planner, value->grid, channels) : NULL,
        .kernels = pom_int8_kernels(planner->isa)};
    pom_plan_step(planner, kind, params, in, -1, out);
}

void pom_plan_quantise(struct pom_planner *planner, const struct pom_value *value, int in, int out) {
    add_step(planner, &quantise_kind, value, in, out);
}

void pom_plan_dequantise(struct pom_planner *planner, const struct pom_value *value, int in, int out) {
    add_step(planner, &dequantise_kind, value, in, out);
}

void pom_plan_pixels(
    struct pom_planner *planner, const struct pom_net_pixels *pixels, const struct pom_value *value, int in, int out) {
    struct pixels_step *params = pom_plan_alloc(planner, 1, sizeof *params);
    if (!params)
        return;
    params->pixels = value->elements / 3;
    for (int c = 0; c < 3; c++)
        memcpy(params->value[c], pixels->value[c], sizeof params->value[c]);
    memcpy(params->source, pixels->source, sizeof params->source);
    pom_plan_step(planner, &pixels_kind, params, in, -1, out);
}

void pom_plan_watch(struct pom_planner *planner, const struct pom_value *value, int in, int out) {
    add_step(planner, &watch_kind, value, in, out);
}
