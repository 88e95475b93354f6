/* Depthwise convolution of bytes: one line of outputs, four vectors of channels. The lines of taps of a column are
 * interleaved once into quads, which go into every output they belong to: those are under way side by side, and the
 * first is done with each step of `stride` columns. Include after an int8 vector header. kernel (3 or 5, of both sides)
 * and stride are constants where it is inlined. */
#ifndef POM_NET_KERNELS_TEMPLATE_INT8_DEPTHWISE_H
#define POM_NET_KERNELS_TEMPLATE_INT8_DEPTHWISE_H

#include "net/kernels/template/int8_finish.h"

typedef struct pom_int8_depthwise_call depthwise_call;

enum { TAP_COLUMN = 4 * WEIGHT_BYTES * LANES }; /* bytes of weights per column of taps and quad */

/* The next column of the lines of taps. */
struct depthwise_lines {
    const uint8_t *p0, *p1, *p2, *p3, *p4;
    int x;
};

ALWAYS_INLINE bytes depthwise_load(const depthwise_call *d, const uint8_t *from, int x, bool whole) {
    if ((unsigned)x >= (unsigned)d->in_w)
        from = d->zero;
    return whole ? bytes_load(from) : bytes_load_n(from, d->columns);
}

/* The taps of a column that quad q has: what is past the kernel's height meets weights of 0. */
ALWAYS_INLINE struct four depthwise_quads(
    const int kernel, int q, const depthwise_call *d, const struct depthwise_lines *l, bool whole) {
    if (q == 1) {
        const bytes y4 = depthwise_load(d, l->p4, l->x, whole);
        return interleave(y4, y4, y4, y4);
    }
    const bytes y0 = depthwise_load(d, l->p0, l->x, whole), y1 = depthwise_load(d, l->p1, l->x, whole),
                y2 = depthwise_load(d, l->p2, l->x, whole);
    return interleave(y0, y1, y2, kernel > 3 ? depthwise_load(d, l->p3, l->x, whole) : y2);
}

ALWAYS_INLINE const uint8_t *depthwise_line_at(const depthwise_call *d, int line, int x) {
    return d->line[line] + x * d->step[line];
}

ALWAYS_INLINE struct depthwise_lines depthwise_lines_at(const int kernel, const depthwise_call *d, int x) {
    const int y3 = kernel > 3 ? 3 : 0, y4 = kernel > 4 ? 4 : 0;
    return (struct depthwise_lines){depthwise_line_at(d, 0, x), depthwise_line_at(d, 1, x), depthwise_line_at(d, 2, x),
        depthwise_line_at(d, y3, x), depthwise_line_at(d, y4, x), x};
}

ALWAYS_INLINE void depthwise_next_column(const depthwise_call *d, struct depthwise_lines *l) {
    l->p0 += d->step[0];
    l->p1 += d->step[1];
    l->p2 += d->step[2];
    l->p3 += d->step[3];
    l->p4 += d->step[4];
    l->x++;
}

ALWAYS_INLINE struct four depthwise_dot(struct four s, struct four x, const int8_t *w) {
    enum { STEP = WEIGHT_BYTES * LANES };
    return (struct four){sums_dot(s.a, inputs_of(x.a), weights_load(w)),
        sums_dot(s.b, inputs_of(x.b), weights_load(w + STEP)),
        sums_dot(s.c, inputs_of(x.c), weights_load(w + 2 * STEP)),
        sums_dot(s.d, inputs_of(x.d), weights_load(w + 3 * STEP))};
}

ALWAYS_INLINE struct four depthwise_start(const depthwise_call *d) {
    const int32_t *start = d->numbers.start;
    return (struct four){
        sums_load(start), sums_load(start + LANES), sums_load(start + 2 * LANES), sums_load(start + 3 * LANES)};
}

ALWAYS_INLINE struct ending depthwise_ending(const depthwise_call *d) {
    return (struct ending){d->numbers, d->residual, d->out, 0, d->out_pixel, d->columns, d->to_float, d->act};
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
        for (int q = 0; q < (kernel > 4 ? 2 : 1); q++) {                                                               \
            const struct four x = depthwise_quads(kernel, q, d, &lines, whole);                                        \
            DEPTHWISE_TAP(0)                                                                                           \
            DEPTHWISE_TAP(1)                                                                                           \
            DEPTHWISE_TAP(2)                                                                                           \
            DEPTHWISE_TAP(3)                                                                                           \
            DEPTHWISE_TAP(4)                                                                                           \
        }                                                                                                              \
        depthwise_next_column(d, &lines);                                                                              \
    }

/* NOLINTEND(bugprone-macro-parentheses) */

ALWAYS_INLINE void depthwise_line(const int kernel, const int stride, const depthwise_call *call, const bool whole) {
    const depthwise_call copy = *call, *d = &copy; /* which bytes stored cannot be */
    const int8_t *w = d->weights;
    const struct four start = depthwise_start(d);
    struct four p0 = start, p1 = start, p2 = start, p3 = start, p4 = start;
    struct ending end = depthwise_ending(d);
    struct depthwise_lines lines = depthwise_lines_at(kernel, d, d->first);
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

/* One column of taps of any window. */
ALWAYS_INLINE struct four depthwise_any_quads(const depthwise_call *d, int q, int x) {
    const bool whole = d->columns == 4 * LANES;
    bytes y[POM_QUAD];
    for (int i = 0; i < POM_QUAD; i++)
        y[i] = depthwise_load(d, depthwise_line_at(d, q * POM_QUAD + i, x), x, whole);
    return interleave(y[0], y[1], y[2], y[3]);
}

/* Any window, one output after the other. */
static void depthwise_any(const depthwise_call *d) {
    struct ending end = depthwise_ending(d);
    for (int i = 0; i < d->out_w; i++) {
        const int8_t *w = d->weights;
        struct four s = depthwise_start(d);
        for (int q = 0; q < d->quads; q++)
            for (int kx = 0; kx < d->kernel_w; kx++, w += TAP_COLUMN)
                s = depthwise_dot(s, depthwise_any_quads(d, q, d->first + i * d->stride + kx * d->dilation), w);
        depthwise_finish(d, &end, s);
    }
}

#define DEPTHWISE_DEFINE(kernel, stride)                                                                               \
    static void depthwise_##kernel##_##stride(const depthwise_call *d) {                                               \
        if (d->columns == 4 * LANES)                                                                                   \
            depthwise_line(kernel, stride, d, true);                                                                   \
        else                                                                                                           \
            depthwise_line(kernel, stride, d, false);                                                                  \
    }

#define DEPTHWISE_KERNEL(kernel, stride)                                                                               \
    {"int8_depthwise_" #kernel "s" #stride "_" PATH, kernel, stride, depthwise_##kernel##_##stride},

#define DEPTHWISE_EACH(X) X(3, 1) X(3, 2) X(5, 1) X(5, 2)

#endif
