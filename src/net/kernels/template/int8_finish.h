/* From 32-bit sums to the output's grid, four vectors at a time. Include after an int8 vector header, which has
 *
 *   sums, reals, bytes          a vector as LANES 32-bit integers, as many floats, 4 * LANES bytes
 *   inputs, weights             LANES quads as the path's dot product takes them: sums_dot(sum, x, w)
 *   narrow(four)                to bytes, saturated; within each 128 bits the four lanes of a, then of b, c, d
 *   widen(bytes)                back, from unsigned
 *   rows_from_narrow(x, vectors), narrow_from_rows(x, vectors)
 *                               between that order and 4 / vectors whole rows one after the other
 *   piece_load, piece_store     a row's bytes of such a vector */
#ifndef POM_NET_KERNELS_TEMPLATE_INT8_FINISH_H
#define POM_NET_KERNELS_TEMPLATE_INT8_FINISH_H

#include "net/kernels/int8_table.h"

/* Where four vectors of results go. */
struct ending {
    struct pom_int8_numbers numbers;
    const uint8_t *residual; /* or NULL */
    void *out;
    ptrdiff_t at, row; /* in elements: of out, and from row to row of both */
    int columns;       /* that exist */
    bool to_float;
    struct pom_act act;
};

struct four_reals {
    reals a, b, c, d;
};

/* Where the numbers of each of the four vectors are. */
ALWAYS_INLINE int second(const int vectors) {
    return vectors > 1 ? LANES : 0;
}
ALWAYS_INLINE int third(const int vectors) {
    return vectors > 2 ? 2 * LANES : 0;
}
ALWAYS_INLINE int fourth(const int vectors) {
    return third(vectors) + second(vectors);
}

/* The weights of one step, long before their turn: in a network every panel comes from afar once per image. */
ALWAYS_INLINE void prefetch_bytes(const int8_t *b, int size) {
    enum { AHEAD = 8192, LINE = 64 };
    __builtin_prefetch(b + AHEAD);
    if (size > LINE)
        __builtin_prefetch(b + AHEAD + LINE);
}

ALWAYS_INLINE struct four_reals reals_of_four(struct four s) {
    return (struct four_reals){reals_of(s.a), reals_of(s.b), reals_of(s.c), reals_of(s.d)};
}

/* x * factor + y of each channel */
ALWAYS_INLINE struct four_reals scale_add(
    const int vectors, struct four_reals x, const float *factor, struct four_reals y) {
    return (struct four_reals){reals_fma(x.a, reals_load(factor), y.a),
        reals_fma(x.b, reals_load(factor + second(vectors)), y.b),
        reals_fma(x.c, reals_load(factor + third(vectors)), y.c),
        reals_fma(x.d, reals_load(factor + fourth(vectors)), y.d)};
}

ALWAYS_INLINE struct four_reals load_four(const int vectors, const float *from) {
    return (struct four_reals){reals_load(from), reals_load(from + second(vectors)), reals_load(from + third(vectors)),
        reals_load(from + fourth(vectors))};
}

ALWAYS_INLINE struct four_reals add_residual(
    const int vectors, const int rows, const struct ending *e, ptrdiff_t first, struct four_reals y) {
    enum { ALL = POM_QUAD * LANES };
    const int size = LANES * vectors;
    bytes x = bytes_zero();
    for (int i = 0; i < ALL / size && i < rows; i++)
        x = piece_load(x, e->residual + first + i * e->row, i, size, e->columns);
    return scale_add(vectors, reals_of_four(widen(narrow_from_rows(x, vectors))), e->numbers.residual_factor, y);
}

/* One vector of floats; its lanes go where their channels are, four of which are neighbours. */
ALWAYS_INLINE void store_reals(const float *lanes, int vectors, int v, int columns, float *out) {
    enum { TOGETHER = 4 };
    for (int i = 0; i < LANES; i += TOGETHER) {
        int channel = pom_int8_channel(vectors, v, i), left = columns - channel;
        if (left >= TOGETHER)
            memcpy(out + channel, lanes + i, TOGETHER * sizeof *out);
        else if (left > 0)
            memcpy(out + channel, lanes + i, (size_t)left * sizeof *out);
    }
}

static __attribute__((noinline)) void store_floats(
    int vectors, int rows, int columns, struct pom_act act, float *out, ptrdiff_t row, struct four_reals y) {
    float lanes[4 * LANES];
    reals_store(lanes, y.a);
    reals_store(lanes + LANES, y.b);
    reals_store(lanes + 2 * LANES, y.c);
    reals_store(lanes + 3 * LANES, y.d);
    for (int i = 0; i < 4 * LANES; i++)
        lanes[i] = pom_act_apply(lanes[i], act);
    for (int r = 0; r < rows && r * vectors < 4; r++, out += row)
        for (int v = 0; v < vectors; v++)
            store_reals(lanes + (r * vectors + v) * LANES, vectors, v, columns, out);
}

/* `vectors` vectors of the 4 / vectors rows from `row` on, of which `rows` exist. */
ALWAYS_INLINE void finish_rows(
    const int vectors, const int rows, const struct ending *e, struct four s, const int row) {
    const int size = LANES * vectors;
    const ptrdiff_t first = row * e->row, at = e->at + first;
    struct four_reals y =
        scale_add(vectors, reals_of_four(s), e->numbers.factor, load_four(vectors, e->numbers.offset));
    if (e->residual)
        y = add_residual(vectors, rows, e, first, y);
    if (e->to_float) {
        store_floats(vectors, rows, e->columns, e->act, (float *)e->out + at, e->row, y);
        return;
    }
    bytes x = rows_from_narrow(narrow((struct four){sums_of(y.a), sums_of(y.b), sums_of(y.c), sums_of(y.d)}), vectors);
    x = bytes_clamp(x, bytes_repeat(e->numbers.low, size), bytes_repeat(e->numbers.high, size));
    uint8_t *out = (uint8_t *)e->out + at;
    piece_store(out, x, 0, size, e->columns);
    if (vectors < 4 && rows > 1)
        piece_store(out + e->row, x, 1, size, e->columns);
    if (vectors < 2 && rows > 2)
        piece_store(out + 2 * e->row, x, 2, size, e->columns);
    if (vectors < 2 && rows > 3)
        piece_store(out + 3 * e->row, x, 3, size, e->columns);
}

#endif
