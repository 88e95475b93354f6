/* Depthwise convolution of a tile: neighbouring outputs of one line, one whole vector of channels. Each input is read
 * once per line of taps and goes into every output it belongs to, so taps arrive in ascending order. Include after a
 * vector header. pixels, kernel and stride are constants where it is inlined: every index below is one too, and the
 * sums stay in registers. */
#ifndef POM_NET_KERNELS_TEMPLATE_DEPTHWISE_H
#define POM_NET_KERNELS_TEMPLATE_DEPTHWISE_H

#include "net/kernels/template/lanes.h"

enum { DEPTHWISE_MAX_PIXELS = 14 };

#define DEPTHWISE_OUTPUTS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13)

/* Columns of taps: up to (14 - 1) * 2 + 5. */
#define DEPTHWISE_COLUMNS(X)                                                                                           \
    X(0)                                                                                                               \
    X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19) X(20)     \
        X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30)

#define DEPTHWISE_TAP(j, kx)                                                                                           \
    if (kx < kernel && j >= kx && (j - kx) % stride == 0 && (j - kx) / stride < pixels)                                \
        sum[(j >= kx ? j - kx : 0) / stride] = vec_fma(x, w##kx, sum[(j >= kx ? j - kx : 0) / stride]);

/* Only a tile's outer columns can be padding. */
#define DEPTHWISE_COLUMN(j)                                                                                            \
    if (j < columns) {                                                                                                 \
        if ((j >= kernel - 1 && j <= columns - kernel) || (j >= column0 && j < column1)) {                             \
            const vec x = vec_load(p);                                                                                 \
            DEPTHWISE_TAP(j, 0)                                                                                        \
            DEPTHWISE_TAP(j, 1)                                                                                        \
            DEPTHWISE_TAP(j, 2)                                                                                        \
            DEPTHWISE_TAP(j, 3)                                                                                        \
            DEPTHWISE_TAP(j, 4)                                                                                        \
        }                                                                                                              \
        p += in_pixel;                                                                                                 \
    }

#define DEPTHWISE_BEGIN(i) sum[i] = bias;
#define DEPTHWISE_RESIDUAL(i)                                                                                          \
    if (i < pixels)                                                                                                    \
        sum[i] = vec_add(sum[i], vec_load(residual + i * d->out_pixel));
#define DEPTHWISE_CLAMP(i) sum[i] = vec_at_most(high, vec_at_least(low, sum[i]));
#define DEPTHWISE_LEAKY(i) sum[i] = vec_leaky(low, sum[i]);
#define DEPTHWISE_STORE(i)                                                                                             \
    if (i < pixels)                                                                                                    \
        vec_store(out + i * d->out_pixel, sum[i]);

static inline __attribute__((always_inline)) void depthwise_line(const int pixels, const int kernel, const int stride,
    const struct pom_depthwise_call *d, const float *in, const float *residual, float *out) {
    const int columns = (pixels - 1) * stride + kernel, column0 = d->column0, column1 = d->column1;
    const ptrdiff_t in_pixel = d->in_pixel;
    vec sum[DEPTHWISE_MAX_PIXELS];
    const vec bias = vec_load(d->weights);
    DEPTHWISE_OUTPUTS(DEPTHWISE_BEGIN)
    for (int ky = d->tap_y0; ky < d->tap_y1; ky++) {
        const float *w = d->weights + (1 + ky * kernel) * LANES, *p = in + ky * d->in_line;
        const vec w0 = vec_load(w), w1 = vec_load(w + LANES), w2 = vec_load(w + 2 * LANES),
                  w3 = kernel > 3 ? vec_load(w + 3 * LANES) : w0, w4 = kernel > 4 ? vec_load(w + 4 * LANES) : w0;
        DEPTHWISE_COLUMNS(DEPTHWISE_COLUMN)
    }
    if (residual) {
        DEPTHWISE_OUTPUTS(DEPTHWISE_RESIDUAL)
    }
    if (d->act.kind == POM_ACT_KIND_CLAMP) {
        const vec low = vec_splat(d->act.low), high = vec_splat(d->act.high);
        DEPTHWISE_OUTPUTS(DEPTHWISE_CLAMP)
    } else if (d->act.kind == POM_ACT_KIND_LEAKY) {
        const vec low = vec_splat(d->act.low);
        DEPTHWISE_OUTPUTS(DEPTHWISE_LEAKY)
    }
    DEPTHWISE_OUTPUTS(DEPTHWISE_STORE)
}

static inline __attribute__((always_inline)) void depthwise_tile(
    const int pixels, const int kernel, const int stride, const struct pom_depthwise_call *d) {
    const float *in = d->in, *residual = d->residual;
    float *out = d->out;
    for (int left = d->lines; left > 0; left--) {
        depthwise_line(pixels, kernel, stride, d, in, residual, out);
        in += d->in_next;
        out += d->out_line;
        if (residual)
            residual += d->out_line;
    }
}

/* One output pixel of any window, `lanes` channels. */
static void depthwise_any(const struct pom_depthwise_call *d) {
    for (int line = 0; line < d->lines; line++) {
        const float *in = d->in + line * d->in_next;
        vec sum = vec_load(d->weights);
        for (int ky = d->tap_y0; ky < d->tap_y1; ky++)
            for (int kx = d->column0; kx < d->column1; kx++) {
                vec x = load_lanes(in + ky * d->in_line + kx * d->in_pixel, d->lanes);
                sum = vec_fma(x, vec_load(d->weights + (1 + ky * d->kernel_w + kx) * LANES), sum);
            }
        if (d->residual)
            sum = vec_add(sum, load_lanes(d->residual + line * d->out_line, d->lanes));
        store_lanes(d->out + line * d->out_line, activate(sum, d->act), d->lanes);
    }
}

#define DEPTHWISE_DEFINE(pixels, kernel, stride)                                                                       \
    static void depthwise_##pixels##_##kernel##_##stride(const struct pom_depthwise_call *d) {                         \
        depthwise_tile(pixels, kernel, stride, d);                                                                     \
    }

#endif
