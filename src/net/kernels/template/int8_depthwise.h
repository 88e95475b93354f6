/* Depthwise convolution of bytes: one line of outputs, four vectors of channels. The lines of taps of a column are
 * interleaved once into quads, which go into every output they belong to: those are under way side by side, and the
 * first is done with each step of `stride` columns. Include after an int8 vector header. kernel, stride and quads (of
 * the window's height) are constants where it is inlined. */
#ifndef POM_NET_KERNELS_TEMPLATE_INT8_DEPTHWISE_H
#define POM_NET_KERNELS_TEMPLATE_INT8_DEPTHWISE_H

#include "net/kernels/template/int8_finish.h"

typedef struct pom_int8_depthwise_call depthwise_call;

enum { TAP_COLUMN = 4 * TAP_BYTES * LANES }; /* bytes of weights per column of taps and quad */

ALWAYS_INLINE bytes depthwise_load(const depthwise_call *d, int line, int x, bool whole) {
    const uint8_t *from = x >= 0 && x < d->in_w ? d->line[line] + x * d->step[line] : d->zero;
    return whole ? bytes_load(from) : bytes_load_n(from, d->columns);
}

/* The taps of column x that quad q has. */
ALWAYS_INLINE struct four depthwise_quads(const depthwise_call *d, int q, int x, bool whole) {
    const int line = q * POM_QUAD;
    return interleave(depthwise_load(d, line, x, whole), depthwise_load(d, line + 1, x, whole),
        depthwise_load(d, line + 2, x, whole), depthwise_load(d, line + 3, x, whole));
}

ALWAYS_INLINE struct four depthwise_dot(struct four s, struct four x, const int8_t *w) {
    enum { STEP = TAP_BYTES * LANES };
    return (struct four){tap_dot(s.a, x.a, w), tap_dot(s.b, x.b, w + STEP), tap_dot(s.c, x.c, w + 2 * STEP),
        tap_dot(s.d, x.d, w + 3 * STEP)};
}

ALWAYS_INLINE struct four depthwise_start(const depthwise_call *d) {
    const int32_t *start = d->numbers.start;
    return (struct four){
        sums_load(start), sums_load(start + LANES), sums_load(start + 2 * LANES), sums_load(start + 3 * LANES)};
}

ALWAYS_INLINE struct ending depthwise_ending(const depthwise_call *d) {
    return (struct ending){&d->numbers, d->residual, d->out, 0, d->out_pixel, d->columns, d->to_float, d->act};
}

ALWAYS_INLINE void depthwise_finish(const depthwise_call *d, struct ending *end, struct four s) {
    finish_rows(4, 1, end, s, 0);
    end->at += d->out_pixel;
    if (end->residual)
        end->residual += d->out_pixel;
}

/* NOLINTBEGIN(bugprone-macro-parentheses): the arguments are numbers and names, some of them pasted */

/* Column t of the window of output 0 into output i under way. */
#define DEPTHWISE_TAP(i)                                                                                               \
    if (t >= stride * i && t < stride * i + kernel)                                                                    \
        p##i = depthwise_dot(                                                                                          \
            t == stride * i && q == 0 ? start : p##i, x, w + (q * kernel + t - stride * i) * TAP_COLUMN);

#define DEPTHWISE_COLUMN(t_)                                                                                           \
    {                                                                                                                  \
        const int t = t_;                                                                                              \
        for (int q = 0; q < n_quads; q++) {                                                                            \
            const struct four x = depthwise_quads(d, q, column, whole);                                                \
            DEPTHWISE_TAP(0)                                                                                           \
            DEPTHWISE_TAP(1)                                                                                           \
            DEPTHWISE_TAP(2)                                                                                           \
            DEPTHWISE_TAP(3)                                                                                           \
            DEPTHWISE_TAP(4)                                                                                           \
        }                                                                                                              \
        column++;                                                                                                      \
    }

/* NOLINTEND(bugprone-macro-parentheses) */

ALWAYS_INLINE void depthwise_line(
    const int kernel, const int stride, const int n_quads, const depthwise_call *d, const bool whole) {
    const int8_t *w = d->weights;
    const struct four start = depthwise_start(d);
    struct four p0 = start, p1 = start, p2 = start, p3 = start, p4 = start;
    struct ending end = depthwise_ending(d);
    int column = d->first;
    if (kernel - stride > 0)
        DEPTHWISE_COLUMN(0)
    if (kernel - stride > 1)
        DEPTHWISE_COLUMN(1)
    if (kernel - stride > 2)
        DEPTHWISE_COLUMN(2)
    if (kernel - stride > 3)
        DEPTHWISE_COLUMN(3)
    for (int left = d->out_w; left > 0; left--) {
        if (stride > 1)
            DEPTHWISE_COLUMN(kernel - 2)
        DEPTHWISE_COLUMN(kernel - 1)
        depthwise_finish(d, &end, p0);
        p0 = p1, p1 = p2, p2 = p3, p3 = p4;
    }
}

/* Any window, one output after the other. */
static void depthwise_any(const depthwise_call *d) {
    struct ending end = depthwise_ending(d);
    for (int i = 0; i < d->out_w; i++) {
        const int8_t *w = d->weights;
        struct four s = depthwise_start(d);
        for (int q = 0; q < d->quads; q++)
            for (int kx = 0; kx < d->kernel_w; kx++, w += TAP_COLUMN)
                s = depthwise_dot(
                    s, depthwise_quads(d, q, d->first + i * d->stride + kx * d->dilation, d->columns == 4 * LANES), w);
        depthwise_finish(d, &end, s);
    }
}

#define DEPTHWISE_DEFINE(kernel, stride, quads)                                                                        \
    static void depthwise_##kernel##_##stride(const depthwise_call *d) {                                               \
        if (d->columns == 4 * LANES)                                                                                   \
            depthwise_line(kernel, stride, quads, d, true);                                                            \
        else                                                                                                           \
            depthwise_line(kernel, stride, quads, d, false);                                                           \
    }

#define DEPTHWISE_KERNEL(kernel, stride, quads)                                                                        \
    {"int8_depthwise_" #kernel "s" #stride "_" PATH, kernel, stride, quads, depthwise_##kernel##_##stride},

#define DEPTHWISE_EACH(X) X(3, 1, 1) X(3, 2, 1) X(5, 1, 2) X(5, 2, 2)

#endif
