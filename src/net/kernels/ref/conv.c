#include "net/kernels/conv.h"
#include "net/kernels/ref/ref.h"

enum { BLOCK = 32 }; /* output channels whose chains run together */

/* One tap: x[0..depth) against depth rows of the weights; x NULL is padding. */
static void add_tap(float *acc, int n, const float *x, const float *weights, int depth, int row) {
    for (int c = 0; c < depth; c++) {
        float value = x ? x[c] : 0.0f;
        for (int i = 0; i < n; i++)
            acc[i] = fmaf(value, weights[(size_t)c * (size_t)row + (size_t)i], acc[i]);
    }
}

/* The channels [first, first + n) of a group at one output pixel. */
static void add_window(
    const struct pom_conv_desc *d, const float *weights, const float *in, int y, int x, float *acc, int n) {
    int depth = d->in_c / d->groups, row = d->out_c / d->groups;
    for (int ky = 0; ky < d->kernel_h; ky++) {
        long iy = (long)y * d->stride_h - d->pad_top + (long)ky * d->dilation_h;
        for (int kx = 0; kx < d->kernel_w; kx++) {
            long ix = (long)x * d->stride_w - d->pad_left + (long)kx * d->dilation_w;
            bool inside = iy >= 0 && iy < d->in_h && ix >= 0 && ix < d->in_w;
            const float *tap = inside ? in + (size_t)(iy * d->in_w + ix) * (size_t)d->in_c : NULL;
            if (inside || !pom_conv_is_depthwise(d))
                add_tap(acc, n, tap, weights, depth, row);
            weights += (size_t)depth * (size_t)row;
        }
    }
}

/* Output channels [oc, oc + n), all of one group, at one pixel. */
static void conv_block(const struct pom_conv_desc *d, const float *weights, const float *bias, const float *in,
    const float *residual, float *out, int y, int x, int oc, int n) {
    int row = d->out_c / d->groups, depth = d->in_c / d->groups, group = oc / row;
    size_t group_weights = (size_t)d->kernel_h * (size_t)d->kernel_w * (size_t)depth * (size_t)row;
    size_t at = ((size_t)y * (size_t)d->out_w + (size_t)x) * (size_t)d->out_c + (size_t)oc;
    struct pom_act act = pom_act_of(d->activation, d->low, d->high);
    float acc[BLOCK];
    for (int i = 0; i < n; i++)
        acc[i] = bias[oc + i];
    add_window(d, weights + (size_t)group * group_weights + oc % row, in + (size_t)group * (size_t)depth, y, x, acc, n);
    for (int i = 0; i < n; i++)
        out[at + (size_t)i] = pom_act_apply(d->residual ? acc[i] + residual[at + (size_t)i] : acc[i], act);
}

void pom_ref_conv(const struct pom_conv_desc *d, const float *weights, const float *bias, const float *in,
    const float *residual, float *out) {
    int row = d->out_c / d->groups;
    for (int y = 0; y < d->out_h; y++)
        for (int x = 0; x < d->out_w; x++)
            for (int group = 0; group < d->groups; group++)
                for (int i = 0; i < row; i += BLOCK)
                    conv_block(
                        d, weights, bias, in, residual, out, y, x, group * row + i, row - i < BLOCK ? row - i : BLOCK);
}
