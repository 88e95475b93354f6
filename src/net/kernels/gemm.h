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

/* The right side as it comes: k runs over taps, then depth; element (tap, c, j) is at tap * step_tap + c * step_c + j *
 * step_j. */
struct pom_gemm_source {
    const float *weights, *bias; /* bias: n or NULL; weights NULL: pom_gemm_pack brings them */
    int taps, depth, n;
    size_t step_tap, step_c, step_j;
};

/* What is known of the lines of pixels: their usual length, which decides the tile, and whether all are of even length.
 */
struct pom_gemm_lines {
    int width;
    bool even;
};

/* `count` products alike, in one piece of memory that is the first one's. On failure nothing is kept. */
enum pom_status pom_gemm_init(struct pom_gemm *gemms, int count, const struct pom_kernel_table *table,
    const struct pom_gemm_source *source, struct pom_gemm_lines lines, struct pom_message *msg);

/* Rows [first, first + rows) of k, n floats each. */
void pom_gemm_pack(const struct pom_gemm *gemm, const float *from, int first, int rows);

void pom_gemm_clean_up(struct pom_gemm *gemm);
size_t pom_gemm_bytes(const struct pom_gemm *gemm);

void pom_gemm_run(const struct pom_gemm *gemm, const struct pom_gemm_view *view);

/* The panel that begins at column `from`, a multiple of main's columns; out and residual begin there too. Gives the
 * column of the next one. */
int pom_gemm_run_panel(const struct pom_gemm *gemm, const struct pom_gemm_view *view, int from);

#endif
