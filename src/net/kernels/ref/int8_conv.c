#include "net/kernels/int8_conv.h"
#include "net/kernels/conv.h"

#include <math.h>

static int32_t add_tap(int32_t acc, const uint8_t *u, const int8_t *q, int depth) {
    for (int c = 0; c < depth; c++)
        acc += u[c] * q[c];
    return acc;
}

/* The window of output channel n at one pixel. */
static int32_t add_window(const struct pom_int8_layer *layer, const uint8_t *in, int y, int x, int n) {
    const struct pom_conv_desc *d = &layer->desc;
    int depth = d->in_c / d->groups, first = n / (d->out_c / d->groups) * depth;
    const int8_t *q = layer->weights + (size_t)n * (size_t)d->kernel_h * (size_t)d->kernel_w * (size_t)depth;
    int32_t acc = 0;
    for (int ky = 0; ky < d->kernel_h; ky++) {
        long iy = (long)y * d->stride_h - d->pad_top + (long)ky * d->dilation_h;
        for (int kx = 0; kx < d->kernel_w; kx++, q += depth) {
            long ix = (long)x * d->stride_w - d->pad_left + (long)kx * d->dilation_w;
            bool inside = iy >= 0 && iy < d->in_h && ix >= 0 && ix < d->in_w;
            const uint8_t *tap = inside ? in + (size_t)(iy * d->in_w + ix) * (size_t)d->in_c : layer->zero;
            acc = add_tap(acc, tap + first, q, depth);
        }
    }
    return acc;
}

static uint8_t to_grid(float y, uint8_t low, uint8_t high) {
    float u = rintf(y); /* below 2^30: pom_int8_layer_init sees to it */
    return u < (float)low ? low : u > (float)high ? high : (uint8_t)u;
}

static enum pom_status init(struct pom_int8_conv *conv, const struct pom_int8_table *table, struct pom_message *msg) {
    (void)table;
    (void)msg;
    const struct pom_conv_desc *d = &conv->layer.desc;
    conv->weight_bytes = (size_t)d->kernel_h * (size_t)d->kernel_w * (size_t)(d->in_c / d->groups) * (size_t)d->out_c;
    conv->kernel_name = "int8_conv_ref";
    return POM_OK;
}

static void clean_up(struct pom_int8_conv *conv) {
    (void)conv;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the type is the table's */
static void run(const struct pom_int8_conv *conv, const uint8_t *in, const uint8_t *residual, void *out, int images,
    void *scratch) {
    (void)images;
    (void)scratch;
    const struct pom_int8_layer *l = &conv->layer;
    const struct pom_conv_desc *d = &l->desc;
    size_t at = 0;
    for (int y = 0; y < d->out_h; y++)
        for (int x = 0; x < d->out_w; x++)
            for (int n = 0; n < d->out_c; n++, at++) {
                float result = fmaf((float)add_window(l, in, y, x, n), l->factor[n], l->offset[n]);
                if (residual)
                    result = fmaf((float)residual[at], l->residual_factor[n], result);
                if (l->to_float)
                    ((float *)out)[at] = pom_act_apply(result, l->act);
                else
                    ((uint8_t *)out)[at] = to_grid(result, l->low[n], l->high[n]);
            }
}

const struct pom_int8_method pom_int8_by_ref = {init, clean_up, run};
