#include "net/kernels/ref/bf16.h"
#include "net/kernels/bf16_number.h"
#include "net/kernels/conv.h"
#include "net/kernels/window.h"

/* The channels of a tap, or NULL where it is padding. */
static const uint16_t *tap_at(const struct pom_conv_desc *d, const uint16_t *in, int y, int x, int ky, int kx) {
    long iy = (long)y * d->stride_h - d->pad_top + (long)ky * d->dilation_h;
    long ix = (long)x * d->stride_w - d->pad_left + (long)kx * d->dilation_w;
    bool inside = iy >= 0 && iy < d->in_h && ix >= 0 && ix < d->in_w;
    return inside ? in + (size_t)(iy * d->in_w + ix) * (size_t)d->in_c * 2 : NULL;
}

static float depthwise_sum(
    const struct pom_conv_desc *d, const float *weights, float sum, const uint16_t *in, int y, int x, int n) {
    weights += (size_t)n * (size_t)d->kernel_h * (size_t)d->kernel_w;
    for (int ky = 0; ky < d->kernel_h; ky++)
        for (int kx = 0; kx < d->kernel_w; kx++, weights++) {
            const uint16_t *tap = tap_at(d, in, y, x, ky, kx);
            if (tap)
                sum = fmaf(pom_bf16_widen(tap[n]), *weights, sum);
        }
    return sum;
}

static float product_sum(
    const struct pom_conv_desc *d, const uint16_t *weights, float sum, const uint16_t *in, int y, int x, int n) {
    static const uint16_t zeros[2];
    size_t taps = (size_t)d->kernel_h * (size_t)d->kernel_w;
    weights += 2 * taps * (size_t)d->in_c * (size_t)n;
    for (int ky = 0; ky < d->kernel_h; ky++)
        for (int kx = 0; kx < d->kernel_w; kx++, weights += 2) {
            const uint16_t *tap = tap_at(d, in, y, x, ky, kx);
            for (size_t c = 0; c < (size_t)d->in_c; c++)
                sum = pom_bf16_dot(sum, tap ? tap + 2 * c : zeros, weights + 2 * taps * c);
        }
    return sum;
}

void pom_ref_bf16_conv(const struct pom_conv_desc *d, const void *weights, const float *bias, const uint16_t *in,
    const uint16_t *residual, uint16_t *out) {
    struct pom_act act = pom_act_of(d->activation, d->low, d->high);
    size_t at = 0;
    for (int y = 0; y < d->out_h; y++)
        for (int x = 0; x < d->out_w; x++)
            for (int n = 0; n < 2 * d->out_c; n++, at++) {
                float sum = pom_conv_is_depthwise(d) ? depthwise_sum(d, weights, bias[n], in, y, x, n)
                                                     : product_sum(d, weights, bias[n], in, y, x, n);
                if (residual)
                    sum += pom_bf16_widen(residual[at]);
                out[at] = pom_bf16_narrow(pom_act_apply(sum, act));
            }
}

void pom_ref_bf16_narrow(const float *in, size_t n, uint16_t *out) {
    for (size_t i = 0; i < n; i++)
        out[i] = pom_bf16_narrow(in[i]);
}

void pom_ref_bf16_widen(const uint16_t *in, size_t n, float *out) {
    for (size_t i = 0; i < n; i++)
        out[i] = pom_bf16_widen(in[i]);
}

static float window_max(
    const struct pom_pool_desc *d, const uint16_t *in, struct pom_window rows, struct pom_window columns, int c) {
    float best = -INFINITY;
    for (int y = rows.first; y < rows.end; y += d->dilation_h)
        for (int x = columns.first; x < columns.end; x += d->dilation_w) {
            size_t pixel = (size_t)y * (size_t)d->in_w + (size_t)x;
            float value = pom_bf16_widen(in[pixel * (size_t)d->channels + (size_t)c]);
            best = value > best || isnan(value) ? value : best;
        }
    return best;
}

void pom_ref_bf16_max_pool(const struct pom_pool_desc *d, const uint16_t *in, uint16_t *out) {
    for (int y = 0; y < d->out_h; y++)
        for (int x = 0; x < d->out_w; x++)
            for (int c = 0; c < d->channels; c++)
                *out++ = pom_bf16_narrow(window_max(d, in, pom_window_rows(d, y), pom_window_columns(d, x), c));
}

void pom_ref_bf16_global_average(const uint16_t *in, int pixels, int channels, float *out) {
    for (int c = 0; c < channels; c++) {
        float sum = 0.0f;
        for (int p = 0; p < pixels; p++)
            sum += pom_bf16_widen(in[(size_t)p * (size_t)channels + (size_t)c]);
        out[c] = sum / (float)pixels;
    }
}
