/* One tile of a matrix product of bytes: as template/gemm.h, with quads of neighbouring channels in the place of
 * floats. Include after an int8 vector header. */
#ifndef POM_NET_KERNELS_TEMPLATE_INT8_GEMM_H
#define POM_NET_KERNELS_TEMPLATE_INT8_GEMM_H

#include "net/kernels/template/int8_finish.h"
#include "net/kernels/template/rows.h"

typedef struct pom_int8_gemm_call gemm_call;

/* NOLINTBEGIN(bugprone-macro-parentheses): the arguments are numbers and names, some of them pasted */

#define GEMM_BEGIN(r, p, k) sums c##r##_0 = start0, c##r##_1 = start1, c##r##_2 = start0;

#define GEMM_STEP_ONE(r, v) c##r##_##v = sums_dot(c##r##_##v, x, b##v);
#define GEMM_STEP(r, p, k)                                                                                             \
    if (rows > r) {                                                                                                    \
        const inputs x = inputs_splat((p) + (k)*a_row);                                                                \
        GEMM_ROW(r, GEMM_STEP_ONE)                                                                                     \
    }

/* Into registers after the loop: else gcc keeps copies in memory and stores them with every step. */
#define GEMM_HOLD_ONE(r, v) SUMS_HOLD(c##r##_##v);
#define GEMM_HOLD(r, p, k) GEMM_ROW(r, GEMM_HOLD_ONE)

/* Rows whose bytes fill a vector together. */
#define GEMM_FINISH_2(r, q)                                                                                            \
    if (rows > r)                                                                                                      \
        finish_rows(2, rows - r, &end, (struct four){c##r##_0, c##r##_1, c##q##_0, c##q##_1}, r);
#define GEMM_FINISH_1(r, q, s, t)                                                                                      \
    if (rows > r)                                                                                                      \
        finish_rows(1, rows - r, &end, (struct four){c##r##_0, c##q##_0, c##s##_0, c##t##_0}, r);

/* NOLINTEND(bugprone-macro-parentheses) */

ALWAYS_INLINE const uint8_t *after(const uint8_t *residual, ptrdiff_t n) {
    return residual ? residual + n : NULL;
}

/* NOLINTNEXTLINE(readability-function-size): its macros are counted unfolded */
ALWAYS_INLINE void gemm_tile(const int rows, const int vectors, const gemm_call *g, const uint8_t *a, ptrdiff_t at) {
    const ptrdiff_t a_row = g->a_row;
    const sums start0 = sums_load(g->numbers.start),
               start1 = vectors > 1 ? sums_load(g->numbers.start + LANES) : start0;
    GEMM_ROWS(GEMM_BEGIN)
    const int8_t *b = g->b;
    for (int s = 0; s < g->segments; s++) {
        const uint8_t *p0 = a + g->segment_at[s], *p3 = p0 + 3 * a_row, *p6 = p3 + 3 * a_row, *p9 = p6 + 3 * a_row,
                      *p12 = p9 + 3 * a_row;
        for (int left = g->depth; left > 0; left--) {
            const weights b0 = weights_load(b), b1 = vectors > 1 ? weights_load(b + LANES * WEIGHT_BYTES) : b0, b2 = b0;
            prefetch_bytes(b, vectors * LANES * WEIGHT_BYTES);
            GEMM_ROWS(GEMM_STEP)
            b += vectors * LANES * WEIGHT_BYTES;
            p0 += POM_QUAD, p3 += POM_QUAD, p6 += POM_QUAD, p9 += POM_QUAD, p12 += POM_QUAD;
        }
    }
    GEMM_ROWS(GEMM_HOLD)
    const struct ending end = {
        g->numbers, after(g->residual, at), g->out, at, g->out_row, g->columns, g->to_float, g->act};
    if (vectors == 2) {
        GEMM_FINISH_2(0, 1)
        GEMM_FINISH_2(2, 3)
        GEMM_FINISH_2(4, 5)
        GEMM_FINISH_2(6, 7)
        GEMM_FINISH_2(8, 9)
        GEMM_FINISH_2(10, 11)
        GEMM_FINISH_2(12, 13)
    } else {
        GEMM_FINISH_1(0, 1, 2, 3)
        GEMM_FINISH_1(4, 5, 6, 7)
        GEMM_FINISH_1(8, 9, 10, 11)
        GEMM_FINISH_1(12, 13, 13, 13)
    }
}

ALWAYS_INLINE void gemm_tiles(const int rows, const int vectors, const gemm_call *g) {
    const uint8_t *a = g->a;
    ptrdiff_t at = 0;
    for (int left = g->tiles; left > 0; left--) {
        gemm_tile(rows, vectors, g, a, at);
        a += rows * g->a_row;
        at += rows * g->out_row;
    }
}

#endif
