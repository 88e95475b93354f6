/* One tile of a matrix product: `rows` pixels by `vectors` vectors of channels, held in registers for the whole depth.
 * Include after a vector header. The accumulators are named scalars, since compilers keep arrays of them in memory;
 * rows and vectors are constants where it is inlined, so what a tile does not use disappears. */
#ifndef POM_NET_KERNELS_TEMPLATE_GEMM_H
#define POM_NET_KERNELS_TEMPLATE_GEMM_H

#include "net/kernels/template/lanes.h"
#include "net/kernels/template/rows.h"

typedef struct pom_gemm_call gemm_call;

/* NOLINTBEGIN(bugprone-macro-parentheses): the arguments are numbers and names, some of them pasted */

#define GEMM_BEGIN(r, p, k) vec c##r##_0 = bias0, c##r##_1 = bias1, c##r##_2 = bias2;

#define GEMM_STEP_ONE(r, v) c##r##_##v = data_fma(x, b##v, c##r##_##v);
#define GEMM_STEP(r, p, k)                                                                                             \
    if (rows > r) {                                                                                                    \
        vec x = data_splat((p) + (k)*a_row);                                                                           \
        GEMM_ROW(r, GEMM_STEP_ONE)                                                                                     \
    }

/* The residual comes from afar, and has the whole depth to do so. */
#define GEMM_FETCH_ONE(r, v) __builtin_prefetch(residual + (r)*out_row + v * DATA_VECTOR, 0, 2);
#define GEMM_FETCH(r, p, k) GEMM_ROW(r, GEMM_FETCH_ONE)

#define GEMM_RESIDUAL_ONE(r, v)                                                                                        \
    c##r##_##v = vec_add(c##r##_##v, v == vectors - 1 ? load_lanes(residual + (r)*out_row + v * DATA_VECTOR, lanes)    \
                                                      : data_load(residual + (r)*out_row + v * DATA_VECTOR));
#define GEMM_RESIDUAL(r, p, k) GEMM_ROW(r, GEMM_RESIDUAL_ONE)

#define GEMM_CLAMP_ONE(r, v) c##r##_##v = vec_at_most(high, vec_at_least(low, c##r##_##v));
#define GEMM_CLAMP(r, p, k) GEMM_ROW(r, GEMM_CLAMP_ONE)

#define GEMM_LEAKY_ONE(r, v) c##r##_##v = vec_leaky(low, c##r##_##v);
#define GEMM_LEAKY(r, p, k) GEMM_ROW(r, GEMM_LEAKY_ONE)

#define GEMM_STORE_ONE(r, v) data_store(out + (r)*out_row + v * DATA_VECTOR, c##r##_##v);
#define GEMM_STORE(r, p, k) GEMM_ROW(r, GEMM_STORE_ONE)

#define GEMM_STORE_PART_ONE(r, v)                                                                                      \
    if (v == vectors - 1)                                                                                              \
        data_store_n(out + (r)*out_row + v * DATA_VECTOR, c##r##_##v, lanes);                                          \
    else                                                                                                               \
        data_store(out + (r)*out_row + v * DATA_VECTOR, c##r##_##v);
#define GEMM_STORE_PART(r, p, k) GEMM_ROW(r, GEMM_STORE_PART_ONE)

/* Row by row: stores among other work cost a third less than in a burst. */
#define GEMM_CLAMP_STORE(r, p, k) GEMM_ROW(r, GEMM_CLAMP_ONE) GEMM_ROW(r, GEMM_STORE_ONE)

/* Half the rows are finished before the others begin: rows 4 KiB apart share one set of a level 1 cache, which has room
 * for twelve. */
#define GEMM_TOP(r, X)                                                                                                 \
    if (r < POM_GEMM_MAX_ROWS / 2) {                                                                                   \
        X(r, , )                                                                                                       \
    }
#define GEMM_BOTTOM(r, X)                                                                                              \
    if (r >= POM_GEMM_MAX_ROWS / 2) {                                                                                  \
        X(r, , )                                                                                                       \
    }
#define GEMM_RESIDUAL_TOP(r, p, k) GEMM_TOP(r, GEMM_RESIDUAL)
#define GEMM_RESIDUAL_BOTTOM(r, p, k) GEMM_BOTTOM(r, GEMM_RESIDUAL)
#define GEMM_CLAMP_STORE_TOP(r, p, k) GEMM_TOP(r, GEMM_CLAMP_STORE)
#define GEMM_CLAMP_STORE_BOTTOM(r, p, k) GEMM_BOTTOM(r, GEMM_CLAMP_STORE)

/* NOLINTEND(bugprone-macro-parentheses) */

/* NOLINTNEXTLINE(readability-function-size): its macros are counted unfolded */
static inline __attribute__((always_inline)) void gemm_tile(const int rows, const int vectors, const bool adds,
    const struct pom_gemm_call *g, const float *a, const float *residual, float *out) {
    const ptrdiff_t a_row = g->a_row, out_row = g->out_row;
    const int lanes = g->lanes;
    const vec bias0 = vec_load(g->bias), bias1 = vectors > 1 ? vec_load(g->bias + LANES) : bias0,
              bias2 = vectors > 2 ? vec_load(g->bias + 2 * LANES) : bias0;
    GEMM_ROWS(GEMM_BEGIN)
    if (adds) {
        GEMM_ROWS(GEMM_FETCH)
    }
    const float *b = g->b;
    for (int s = 0; s < g->segments; s++) {
        const float *p0 = a + g->segment_at[s], *p3 = p0 + 3 * a_row, *p6 = p3 + 3 * a_row, *p9 = p6 + 3 * a_row,
                    *p12 = p9 + 3 * a_row;
        for (int left = g->depth; left > 0; left--) {
            const vec b0 = vec_load(b), b1 = vectors > 1 ? vec_load(b + LANES) : b0,
                      b2 = vectors > 2 ? vec_load(b + 2 * LANES) : b0;
            prefetch_weights(b, vectors * LANES);
            GEMM_ROWS(GEMM_STEP)
            b += vectors * LANES;
            p0++, p3++, p6++, p9++, p12++;
        }
    }
    if (adds && g->act.kind == POM_ACT_KIND_CLAMP && lanes == LANES) {
        const vec low = vec_splat(g->act.low), high = vec_splat(g->act.high);
        GEMM_ROWS(GEMM_RESIDUAL_TOP)
        GEMM_ROWS(GEMM_CLAMP_STORE_TOP)
        GEMM_ROWS(GEMM_RESIDUAL_BOTTOM)
        GEMM_ROWS(GEMM_CLAMP_STORE_BOTTOM)
        return;
    }
    if (adds) {
        GEMM_ROWS(GEMM_RESIDUAL)
    }
    if (g->act.kind == POM_ACT_KIND_CLAMP) {
        const vec low = vec_splat(g->act.low), high = vec_splat(g->act.high);
        if (lanes == LANES) {
            GEMM_ROWS(GEMM_CLAMP_STORE)
            return;
        }
        GEMM_ROWS(GEMM_CLAMP)
    } else if (g->act.kind == POM_ACT_KIND_LEAKY) {
        const vec low = vec_splat(g->act.low);
        GEMM_ROWS(GEMM_LEAKY)
    }
    if (lanes == LANES) {
        GEMM_ROWS(GEMM_STORE)
    } else {
        GEMM_ROWS(GEMM_STORE_PART)
    }
}

static inline __attribute__((always_inline)) void gemm_tiles(
    const int rows, const int vectors, const struct pom_gemm_call *g) {
    const float *a = g->a;
    float *out = g->out;
    if (g->residual) {
        const float *residual = g->residual;
        for (int left = g->tiles; left > 0; left--) {
            gemm_tile(rows, vectors, true, g, a, residual, out);
            a += rows * g->a_row;
            out += rows * g->out_row;
            residual += rows * g->out_row;
        }
    } else {
        for (int left = g->tiles; left > 0; left--, a += rows * g->a_row, out += rows * g->out_row)
            gemm_tile(rows, vectors, false, g, a, NULL, out);
    }
}

#endif
