/* Depthwise convolution of bytes: output lines that are made together, four vectors of channels. The lines of taps are
 * first interleaved to quads, column by column, once for all outputs that read them; from there on it is a small matrix
 * product. Include after an int8 vector header. kernel (3 or 5, of both sides), stride and lines are constants where
 * they are inlined. */
#ifndef POM_NET_KERNELS_TEMPLATE_INT8_DEPTHWISE_H
#define POM_NET_KERNELS_TEMPLATE_INT8_DEPTHWISE_H

#include "net/kernels/template/int8_finish.h"

typedef struct pom_int8_depthwise_call depthwise_call;

enum {
    DEPTHWISE_BLOCK = 4 * LANES,                 /* channels */
    DEPTHWISE_TAPS = WEIGHT_BYTES * LANES,       /* bytes of weights of a vector, for a column of a quad's taps */
    DEPTHWISE_WEIGHTS = 4 * DEPTHWISE_TAPS,      /* of four */
    DEPTHWISE_QUADS = POM_QUAD * DEPTHWISE_BLOCK /* bytes of a column of quads */
};

ALWAYS_INLINE bytes depthwise_load_n(const uint8_t *from, int n) {
    return n == DEPTHWISE_BLOCK ? bytes_load(from) : bytes_load_n(from, n);
}

/* Half a vector from each of two places. */
ALWAYS_INLINE bytes depthwise_load_pair(const uint8_t *left, const uint8_t *right, int n) {
    enum { HALF = DEPTHWISE_BLOCK / 2 };
    if (n == HALF)
        return bytes_join(left, right);
    return piece_load(piece_load(bytes_zero(), left, 0, HALF, n), right, 1, HALF, n);
}

ALWAYS_INLINE const uint8_t *depthwise_tap(const depthwise_call *d, int line, int x, const bool inside) {
    return inside || (unsigned)x < (unsigned)d->in_w ? d->line[line] + x * d->step[line] : d->zero;
}

ALWAYS_INLINE bytes depthwise_load(
    const depthwise_call *d, int line, int x, const int stride, const bool pairs, const bool inside) {
    const uint8_t *left = depthwise_tap(d, line, x, inside);
    return pairs ? depthwise_load_pair(left, depthwise_tap(d, line, x + stride, inside), d->columns)
                 : depthwise_load_n(left, d->columns);
}

/* Quad q of `rows` lines: what is past them meets weights of 0. */
ALWAYS_INLINE struct four depthwise_quads(const depthwise_call *d, const int rows, const int q, int x, const int stride,
    const bool pairs, const bool inside) {
    bytes y[POM_QUAD];
    for (int i = 0; i < POM_QUAD; i++)
        y[i] = q * POM_QUAD + i < rows ? depthwise_load(d, q * POM_QUAD + i, x, stride, pairs, inside) : y[i / 2];
    return interleave(y[0], y[1], y[2], y[3]);
}

/* Columns [from, to) of the lines of taps. */
ALWAYS_INLINE void depthwise_interleave(
    const depthwise_call *d, const int rows, const int stride, const bool pairs, int from, int to, const bool inside) {
    const int quads = rows > POM_QUAD ? 2 : 1;
    for (int x = from; x < to; x++)
        for (int q = 0; q < quads; q++) {
            const struct four f = depthwise_quads(d, rows, q, x, stride, pairs, inside);
            int32_t *at = d->scratch + (ptrdiff_t)((x - d->first) * quads + q) * DEPTHWISE_BLOCK;
            sums_store(at, f.a);
            sums_store(at + LANES, f.b);
            sums_store(at + 2 * LANES, f.c);
            sums_store(at + 3 * LANES, f.d);
        }
}

/* One vector of sums of two neighbouring outputs (a, b) of one or two lines (0, 1). */
struct depthwise_tile {
    sums a0, b0, a1, b1;
};

ALWAYS_INLINE sums depthwise_round(const depthwise_call *d, int v, sums x) {
    return sums_of(
        reals_fma(reals_of(x), reals_load(d->numbers.factor + v * LANES), reals_load(d->numbers.offset + v * LANES)));
}

/* Vector v of the tile whose first output's quads are at x; next: columns to its neighbour's. */
ALWAYS_INLINE struct depthwise_tile depthwise_sums(const depthwise_call *d, const int kernel, const int quads,
    const int lines, const int next, const int32_t *x, int v) {
    const sums start = INPUT_OFFSET ? sums_load(d->numbers.start + v * LANES) : sums_zero();
    struct depthwise_tile s = {start, start, start, start};
    const int8_t *w0 = (const int8_t *)d->weights + v * DEPTHWISE_TAPS, *w1 = w0 + quads * kernel * DEPTHWISE_WEIGHTS;
    x += v * LANES;
#pragma GCC unroll 16
    for (int t = 0; t < kernel + next; t++) {
        if (t >= kernel && t < next)
            continue;
#pragma GCC unroll 2
        for (int q = 0; q < quads; q++) {
            const inputs in = inputs_of(bytes_of(sums_load(x + (t * quads + q) * DEPTHWISE_BLOCK)));
            const int at = (q * kernel + t) * DEPTHWISE_WEIGHTS, before = at - next * DEPTHWISE_WEIGHTS;
            if (t < kernel)
                s.a0 = sums_dot(s.a0, in, weights_load(w0 + at));
            if (t >= next)
                s.b0 = sums_dot(s.b0, in, weights_load(w0 + before));
            if (t < kernel && lines > 1)
                s.a1 = sums_dot(s.a1, in, weights_load(w1 + at));
            if (t >= next && lines > 1)
                s.b1 = sums_dot(s.b1, in, weights_load(w1 + before));
        }
    }
    return (struct depthwise_tile){depthwise_round(d, v, s.a0), depthwise_round(d, v, s.b0),
        depthwise_round(d, v, s.a1), depthwise_round(d, v, s.b1)};
}

ALWAYS_INLINE void depthwise_store(const depthwise_call *d, const bool pairs, uint8_t *out, struct four s) {
    enum { HALF = DEPTHWISE_BLOCK / 2 };
    bytes x = bytes_clamp(narrow(s), bytes_load(d->numbers.low), bytes_load(d->numbers.high));
    piece_store(out, x, 0, pairs ? HALF : DEPTHWISE_BLOCK, d->columns);
    if (pairs)
        piece_store(out + d->out_pixel, x, 1, HALF, d->columns);
}

/* The tile at output x. */
ALWAYS_INLINE void depthwise_tile_at(
    const depthwise_call *d, const int kernel, const int stride, const int lines, const bool pairs, int x) {
    const int quads = kernel + (lines - 1) * stride > POM_QUAD ? 2 : 1, neighbour = pairs ? 2 : 1;
    const int32_t *in = d->scratch + (ptrdiff_t)x * stride * quads * DEPTHWISE_BLOCK;
    uint8_t *out = (uint8_t *)d->out + x * d->out_pixel, *next = out + neighbour * d->out_pixel;
    const struct depthwise_tile a = depthwise_sums(d, kernel, quads, lines, neighbour * stride, in, 0),
                                b = depthwise_sums(d, kernel, quads, lines, neighbour * stride, in, 1),
                                c = depthwise_sums(d, kernel, quads, lines, neighbour * stride, in, 2),
                                e = depthwise_sums(d, kernel, quads, lines, neighbour * stride, in, 3);
    depthwise_store(d, pairs, out, (struct four){a.a0, b.a0, c.a0, e.a0});
    depthwise_store(d, pairs, next, (struct four){a.b0, b.b0, c.b0, e.b0});
    if (lines > 1) {
        depthwise_store(d, pairs, out + d->out_line, (struct four){a.a1, b.a1, c.a1, e.a1});
        depthwise_store(d, pairs, next + d->out_line, (struct four){a.b1, b.b1, c.b1, e.b1});
    }
}

ALWAYS_INLINE int at_most(int x, int y) {
    return x < y ? x : y;
}

ALWAYS_INLINE void depthwise_lines(
    const depthwise_call *call, const int kernel, const int stride, const int lines, const bool pairs) {
    const depthwise_call copy = *call, *d = &copy; /* which bytes stored cannot be */
    const int rows = kernel + (lines - 1) * stride, width = pairs ? 4 : 2;
    const int end = d->first + (d->out_w - 1) * stride + kernel, left = at_most(0, end),
              right = at_most(d->in_w - (pairs ? stride : 0), end);
    depthwise_interleave(d, rows, stride, pairs, d->first, left, false);
    depthwise_interleave(d, rows, stride, pairs, left, right, true);
    depthwise_interleave(d, rows, stride, pairs, right > left ? right : left, end, false);
    for (int x = 0; x < d->out_w; x += width) /* the last tile may make some outputs again */
        depthwise_tile_at(d, kernel, stride, lines, pairs, at_most(x, d->out_w - width));
}

ALWAYS_INLINE struct four depthwise_dot(struct four s, struct four x, const int8_t *w) {
    return (struct four){sums_dot(s.a, inputs_of(bytes_of(x.a)), weights_load(w)),
        sums_dot(s.b, inputs_of(bytes_of(x.b)), weights_load(w + DEPTHWISE_TAPS)),
        sums_dot(s.c, inputs_of(bytes_of(x.c)), weights_load(w + 2 * DEPTHWISE_TAPS)),
        sums_dot(s.d, inputs_of(bytes_of(x.d)), weights_load(w + 3 * DEPTHWISE_TAPS))};
}

/* One column of taps of any window. */
ALWAYS_INLINE struct four depthwise_any_quads(const depthwise_call *d, int q, int x) {
    bytes y[POM_QUAD];
    for (int i = 0; i < POM_QUAD; i++)
        y[i] = depthwise_load(d, q * POM_QUAD + i, x, 0, false, false);
    return interleave(y[0], y[1], y[2], y[3]);
}

/* Any window and ending, one output after the other. */
static void depthwise_any(const depthwise_call *d) {
    struct ending end = {d->numbers, d->residual, d->out, 0, d->out_pixel, d->columns, d->to_float, d->act};
    const int32_t *start = d->numbers.start;
    for (int i = 0; i < d->out_w; i++, end.at += d->out_pixel) {
        const int8_t *w = d->weights;
        struct four s = {
            sums_load(start), sums_load(start + LANES), sums_load(start + 2 * LANES), sums_load(start + 3 * LANES)};
        for (int q = 0; q < d->quads; q++)
            for (int kx = 0; kx < d->kernel_w; kx++, w += DEPTHWISE_WEIGHTS)
                s = depthwise_dot(s, depthwise_any_quads(d, q, d->first + i * d->stride + kx * d->dilation), w);
        end.residual = d->residual ? d->residual + end.at : NULL;
        finish_rows(4, 1, &end, s, 0);
    }
}

#define DEPTHWISE_DEFINE(kernel, stride, lines)                                                                        \
    static void depthwise_##kernel##_##stride(const depthwise_call *d) {                                               \
        if (d->pairs)                                                                                                  \
            depthwise_lines(d, kernel, stride, lines, true);                                                           \
        else                                                                                                           \
            depthwise_lines(d, kernel, stride, lines, false);                                                          \
    }

#define DEPTHWISE_KERNEL(kernel, stride, lines)                                                                        \
    {"int8_depthwise_" #kernel "s" #stride "_" PATH, kernel, stride, lines, depthwise_##kernel##_##stride},

/* Two lines share their quads; 3x3 with stride 2 has only one line of taps in common. */
#define DEPTHWISE_EACH(X) X(3, 1, 2) X(3, 2, 1) X(5, 1, 2) X(5, 2, 2)

#endif
