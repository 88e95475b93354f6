/* A tile of one and a half vectors of channels, as template/gemm.h otherwise: the half vectors of two neighbouring
 * pixels share a vector, so that 24 channels cost three multiply-adds per two pixels instead of four. Include after a
 * vector header that has halves. */
#ifndef POM_NET_KERNELS_TEMPLATE_GEMM_PAIRS_H
#define POM_NET_KERNELS_TEMPLATE_GEMM_PAIRS_H

#include "net/kernels/template/lanes.h"

/* NOLINTBEGIN(bugprone-macro-parentheses): the arguments are numbers and names, some of them pasted */

/* Pair i is rows 2i and 2i + 1; three rows share a pointer: (i, pointer and rows from it, twice). */
#define GEMM_PAIRS(X)                                                                                                  \
    X(0, p0, 0, p0, 1)                                                                                                 \
    X(1, p0, 2, p3, 0)                                                                                                 \
    X(2, p3, 1, p3, 2)                                                                                                 \
    X(3, p6, 0, p6, 1)                                                                                                 \
    X(4, p6, 2, p9, 0)                                                                                                 \
    X(5, p9, 1, p9, 2)                                                                                                 \
    X(6, p12, 0, p12, 1)

/* first, second: a whole vector of each pixel; both: the half vectors of the two. */
#define GEMM_PAIRS_BEGIN(i, p, k, q, l) vec first##i = bias0, second##i = bias0, both##i = bias1;

#define GEMM_PAIRS_STEP(i, p, k, q, l)                                                                                 \
    if (rows > 2 * i) {                                                                                                \
        const vec x = vec_splat((p)[(k)*a_row]), y = vec_splat((q)[(l)*a_row]);                                        \
        first##i = vec_fma(x, b0, first##i);                                                                           \
        second##i = vec_fma(y, b0, second##i);                                                                         \
        both##i = vec_fma(vec_join(x, y), b1, both##i);                                                                \
    }

#define GEMM_PAIRS_RESIDUAL(i, p, k, q, l)                                                                             \
    if (rows > 2 * i) {                                                                                                \
        const float *r = residual + 2 * i * out_row;                                                                   \
        first##i = vec_add(first##i, vec_load(r));                                                                     \
        second##i = vec_add(second##i, vec_load(r + out_row));                                                         \
        both##i = vec_add(both##i, vec_load_halves(r + LANES, r + out_row + LANES));                                   \
    }

#define GEMM_PAIRS_CLAMP(i, p, k, q, l)                                                                                \
    first##i = vec_at_most(high, vec_at_least(low, first##i));                                                         \
    second##i = vec_at_most(high, vec_at_least(low, second##i));                                                       \
    both##i = vec_at_most(high, vec_at_least(low, both##i));

#define GEMM_PAIRS_LEAKY(i, p, k, q, l)                                                                                \
    first##i = vec_leaky(low, first##i);                                                                               \
    second##i = vec_leaky(low, second##i);                                                                             \
    both##i = vec_leaky(low, both##i);

#define GEMM_PAIRS_STORE(i, p, k, q, l)                                                                                \
    if (rows > 2 * i) {                                                                                                \
        float *o = out + 2 * i * out_row;                                                                              \
        vec_store(o, first##i);                                                                                        \
        vec_store(o + out_row, second##i);                                                                             \
        vec_store_halves(o + LANES, o + out_row + LANES, both##i);                                                     \
    }

/* NOLINTEND(bugprone-macro-parentheses) */

/* NOLINTNEXTLINE(readability-function-size): its macros are counted unfolded */
static inline __attribute__((always_inline)) void gemm_pairs_tile(
    const int rows, const struct pom_gemm_call *g, const float *a, const float *residual, float *out) {
    const ptrdiff_t a_row = g->a_row, out_row = g->out_row;
    const vec bias0 = vec_load(g->bias), bias1 = vec_load(g->bias + LANES);
    GEMM_PAIRS(GEMM_PAIRS_BEGIN)
    const float *b = g->b;
    for (int s = 0; s < g->segments; s++) {
        const float *p0 = a + g->segment_at[s], *p3 = p0 + 3 * a_row, *p6 = p3 + 3 * a_row, *p9 = p6 + 3 * a_row,
                    *p12 = p9 + 3 * a_row;
        for (int left = g->depth; left > 0; left--) {
            const vec b0 = vec_load(b), b1 = vec_load(b + LANES);
            prefetch_weights(b, 2 * LANES);
            GEMM_PAIRS(GEMM_PAIRS_STEP)
            b += 2 * LANES;
            p0++, p3++, p6++, p9++, p12++;
        }
    }
    if (residual) {
        GEMM_PAIRS(GEMM_PAIRS_RESIDUAL)
    }
    if (g->act.kind == POM_ACT_KIND_CLAMP) {
        const vec low = vec_splat(g->act.low), high = vec_splat(g->act.high);
        GEMM_PAIRS(GEMM_PAIRS_CLAMP)
    } else if (g->act.kind == POM_ACT_KIND_LEAKY) {
        const vec low = vec_splat(g->act.low);
        GEMM_PAIRS(GEMM_PAIRS_LEAKY)
    }
    GEMM_PAIRS(GEMM_PAIRS_STORE)
}

#define GEMM_PAIRS_DEFINE(rows)                                                                                        \
    static void gemm_pairs_##rows(const struct pom_gemm_call *g) {                                                     \
        const float *a = g->a, *residual = g->residual;                                                                \
        float *out = g->out;                                                                                           \
        for (int left = g->tiles; left > 0; left--) {                                                                  \
            gemm_pairs_tile(rows, g, a, residual, out);                                                                \
            a += (rows)*g->a_row;                                                                                      \
            out += (rows)*g->out_row;                                                                                  \
            if (residual)                                                                                              \
                residual += (rows)*g->out_row;                                                                         \
        }                                                                                                              \
    }

#endif
