/* Depthwise convolution of a tile: neighbouring outputs of one line, one whole vector of channels. Each input is read
 * once per line of taps and goes into every output it belongs to, so taps arrive in ascending order. Include after a
 * vector header. pixels, kernel and stride are constants where it is inlined: every index below is one too, and the
 * sums stay in registers. */
#ifndef POM_NET_KERNELS_TEMPLATE_DEPTHWISE_H
#define POM_NET_KERNELS_TEMPLATE_DEPTHWISE_H

#include "net/kernels/template/lanes.h"

/* NOLINTBEGIN(bugprone-macro-parentheses): the arguments are numbers and names, some of them pasted */

enum { DEPTHWISE_MAX_PIXELS = 14 };

#define DEPTHWISE_OUTPUTS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13)

/* Columns of taps, up to (14 - 1) * 2 + 5, in threes that share a pointer. */
#define DEPTHWISE_COLUMNS(X) X(0) X(3) X(6) X(9) X(12) X(15) X(18) X(21) X(24) X(27) X(30)

#define DEPTHWISE_THREE(j)                                                                                             \
    if (j < columns) {                                                                                                 \
        DEPTHWISE_COLUMN(j, p)                                                                                         \
        DEPTHWISE_COLUMN(j + 1, p + in_pixel)                                                                          \
        DEPTHWISE_COLUMN(j + 2, p + 2 * in_pixel)                                                                      \
        p = opaque(p + 3 * in_pixel);                                                                                  \
    }

#define DEPTHWISE_TAP(j, kx)                                                                                           \
    if (kx < kernel && (j) >= kx && ((j)-kx) % stride == 0 && ((j)-kx) / stride < pixels)                              \
        sum[((j) >= kx ? (j)-kx : 0) / stride] = vec_fma(x, w##kx, sum[((j) >= kx ? (j)-kx : 0) / stride]);

/* Only a tile's outer columns can be padding. */
#define DEPTHWISE_COLUMN(j, at)                                                                                        \
    if ((j) < columns &&                                                                                               \
        (((j) >= kernel - 1 && (j) <= columns - kernel) || !(padding & 1u << ((j) < columns ? (j) : 0)))) {            \
        const vec x = data_load_once(at);                                                                              \
        DEPTHWISE_TAP(j, 0)                                                                                            \
        DEPTHWISE_TAP(j, 1)                                                                                            \
        DEPTHWISE_TAP(j, 2)                                                                                            \
        DEPTHWISE_TAP(j, 3)                                                                                            \
        DEPTHWISE_TAP(j, 4)                                                                                            \
    }

#define DEPTHWISE_BEGIN(i) sum[i] = bias;
#define DEPTHWISE_RESIDUAL(i)                                                                                          \
    if (i < pixels)                                                                                                    \
        sum[i] = vec_add(sum[i], data_load(residual + i * d->out_pixel));
#define DEPTHWISE_CLAMP(i) sum[i] = vec_at_most(high, vec_at_least(low, sum[i]));
#define DEPTHWISE_LEAKY(i) sum[i] = vec_leaky(low, sum[i]);
#define DEPTHWISE_STORE(i)                                                                                             \
    if (i < pixels)                                                                                                    \
        data_store(out + i * d->out_pixel, sum[i]);

/* NOLINTEND(bugprone-macro-parentheses) */

/* A line of taps, where it lies in the ring. */
static inline const float *depthwise_wrap(const struct pom_depthwise_call *d, const float *line) {
    return line >= d->in_end ? line - d->in_ring : line;
}

static inline __attribute__((always_inline)) void depthwise_line(const int pixels, const int kernel, const int stride,
    const struct pom_depthwise_call *d, const float *in, const float *residual, float *out) {
    const int columns = (pixels - 1) * stride + kernel;
    const unsigned padding = d->padding;
    const ptrdiff_t in_pixel = d->in_pixel;
    vec sum[DEPTHWISE_MAX_PIXELS];
    const vec bias = vec_load(d->weights);
    DEPTHWISE_OUTPUTS(DEPTHWISE_BEGIN)
    const float *w = d->weights + (1 + d->tap_y0 * kernel) * LANES, *line = in;
    for (int left = d->tap_y1 - d->tap_y0; left > 0; left--, w += kernel * LANES) {
        const float *p = line;
        const vec w0 = vec_load(w), w1 = vec_load(w + LANES), w2 = vec_load(w + 2 * LANES),
                  w3 = kernel > 3 ? vec_load(w + 3 * LANES) : w0, w4 = kernel > 4 ? vec_load(w + 4 * LANES) : w0;
        DEPTHWISE_COLUMNS(DEPTHWISE_THREE)
        line = opaque(depthwise_wrap(d, line + d->in_line));
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
        in = depthwise_wrap(d, in + d->in_next);
        out += d->out_line;
        if (residual)
            residual += d->out_line;
    }
}

/* One output pixel of any window, `lanes` channels. */
static void depthwise_any(const struct pom_depthwise_call *d) {
    const float *in = d->in;
    for (int line = 0; line < d->lines; line++, in = depthwise_wrap(d, in + d->in_next)) {
        const float *taps = in;
        vec sum = vec_load(d->weights);
        for (int ky = d->tap_y0; ky < d->tap_y1; ky++, taps = depthwise_wrap(d, taps + d->in_line))
            for (int kx = d->tap_x0; kx < d->tap_x1; kx++) {
                vec x = load_lanes(taps + kx * d->in_pixel, d->lanes);
                sum = vec_fma(x, vec_load(d->weights + (1 + ky * d->kernel_w + kx) * LANES), sum);
            }
        if (d->residual)
            sum = vec_add(sum, load_lanes(d->residual + line * d->out_line, d->lanes));
        store_lanes(d->out + line * d->out_line, activate(sum, d->act), d->lanes);
    }
}

/* What a path has, from one list: the windows, and in each of them its tiles by their pixels, the largest first. */
#define DEPTHWISE_EACH(TILES, X) TILES(X, 3, 1) TILES(X, 3, 2) TILES(X, 5, 1) TILES(X, 5, 2)

#define DEPTHWISE_TILES_7(X, kernel, stride)                                                                           \
    X(7, kernel, stride) X(4, kernel, stride) X(2, kernel, stride) X(1, kernel, stride)
#define DEPTHWISE_TILES_14(X, kernel, stride) X(14, kernel, stride) DEPTHWISE_TILES_7(X, kernel, stride)

#define DEPTHWISE_DEFINE(pixels, kernel, stride)                                                                       \
    static void depthwise_##pixels##_##kernel##_##stride(const struct pom_depthwise_call *d) {                         \
        depthwise_tile(pixels, kernel, stride, d);                                                                     \
    }

#define DEPTHWISE_KERNEL(pixels, kernel, stride)                                                                       \
    {DATA_NAME "_depthwise_" #pixels "x" #kernel "s" #stride "_" PATH, pixels, kernel, stride,                         \
        depthwise_##pixels##_##kernel##_##stride},

/* PATH: the path's name, a string. */
#define DEPTHWISE_TABLE(TILES)                                                                                         \
    {                                                                                                                  \
        DEPTHWISE_EACH(TILES, DEPTHWISE_KERNEL) {                                                                      \
            DATA_NAME "_depthwise_any_" PATH, 1, 0, 0, depthwise_any                                                   \
        }                                                                                                              \
    }

#endif
