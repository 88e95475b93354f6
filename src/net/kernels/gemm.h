/* A matrix product with packed weights, as a chain over k per output: what convolutions and dense layers come down to.
 */
#ifndef POM_NET_KERNELS_GEMM_H
#define POM_NET_KERNELS_GEMM_H

#include "net/kernels/table.h"

/* Weights in panels: panel after panel for `main`, then at most one for `last`; each k rows. */
struct pom_gemm {
    const struct pom_gemm_kernel *main, *last; /* last: NULL where there are none but main's */
    int k, n, lanes, pack;                     /* n columns; lanes and pack as the table has them */
    float *weights, *bias;                     /* packed alike, in memory, or in that of the first of several */
    float *memory;                             /* owned */
    size_t packed;                             /* columns of all panels */
};

/* Where the left side and the result lie: lines of pixels with a constant step; steps in elements. */
struct pom_gemm_view {
    const float *a, *residual;
    float *out;
    int lines, width;
    ptrdiff_t a_line, a_pixel, out_line, out_pixel; /* out's are also the residual's */
    const ptrdiff_t *segment_at;                    /* segments pieces of depth elements: segments * depth == k */
    int segments, depth;
    struct pom_act act;
};

/* k rows and n columns; the usual length of a line of pixels, which decides the tile, and whether all are of even
 * length.
 */
struct pom_gemm_shape {
    int k, n, width;
    bool even;
};

/* A piece of the right side as it comes: its element (r, j), at weights + r * step_row + j * step_column, is that of
 * row `row` + r and column `column` + j. */
struct pom_gemm_block {
    const float *weights;
    int row, rows, column, columns;
    size_t step_row, step_column;
};

/* `count` products alike, in one piece of memory that is the first one's. bias: n, or NULL. On failure nothing is kept.
 * The weights are missing yet: */
enum pom_status pom_gemm_init(struct pom_gemm *gemms, int count, const struct pom_kernel_table *table,
    const struct pom_gemm_shape *shape, const float *bias, struct pom_message *msg);

/* Puts a block of the weights in its place. Blocks may come in any order, and at the same time; large ones are shared
 * by threads. */
void pom_gemm_pack(const struct pom_gemm *gemm, const struct pom_gemm_block *block);

void pom_gemm_clean_up(struct pom_gemm *gemm);
size_t pom_gemm_bytes(const struct pom_gemm *gemm);

void pom_gemm_run(const struct pom_gemm *gemm, const struct pom_gemm_view *view);

/* The panel that begins at column `from`, a multiple of main's columns; out and residual begin there too. Gives the
 * column of the next one. */
int pom_gemm_run_panel(const struct pom_gemm *gemm, const struct pom_gemm_view *view, int from);

#endif
