/* The fast kernels as data: one table per instruction set, filled from the files of its folder. */
#ifndef POM_NET_KERNELS_TABLE_H
#define POM_NET_KERNELS_TABLE_H

#include "net/kernels/activation.h"
#include "net/kernels/bf16.h"

enum { POM_GEMM_MAX_ROWS = 14, POM_GEMM_MAX_VECTORS = 3, POM_GEMM_MAX_COLUMNS = 48 };

/* Tensors are seen as elements of 32 bits: a float, or in bf16 two neighbouring channels; so are the weights of matrix
 * products. Elements are moved as floats, and taken apart by the kernels alone. */

/* A run of tiles down one panel. A row is an output pixel; its inputs are `segments` pieces of `depth` elements. */
struct pom_gemm_call {
    const float *a; /* the first row; segment s of it is at a + segment_at[s] */
    ptrdiff_t a_row;
    const ptrdiff_t *segment_at;
    int segments, depth;
    const float *b, *bias; /* segments * depth rows and one row of the panel, padded with zeros */
    const float *residual; /* or NULL */
    float *out;
    ptrdiff_t out_row; /* also the residual's */
    int lanes;         /* of the panel's last vector that exist in out: 1..lanes of the table (not in pairs) */
    int tiles;         /* how many tiles, one below the other */
    struct pom_act act;
};

typedef void pom_gemm_fn(const struct pom_gemm_call *call);

/* Tiles of up to `rows` pixels by `columns` channels; run[r] makes tiles of r rows. A panel has `packed` columns: as
 * many, or, where pixels go in pairs that share a vector for their last half vector of channels, those channels twice.
 */
struct pom_gemm_kernel {
    const char *name;
    int rows, columns, packed;
    pom_gemm_fn *run[POM_GEMM_MAX_ROWS + 1];
};

static inline bool pom_gemm_in_pairs(const struct pom_gemm_kernel *kernel) {
    return kernel->packed > kernel->columns;
}

/* Depthwise: `lines` output lines of one tile of neighbouring pixels, one vector of channels. */
struct pom_depthwise_call {
    const float *in; /* the left tap of the first line of taps inside; it may be padding, which is not touched */
    ptrdiff_t in_pixel, in_line, in_next; /* steps between taps, lines of taps, and to the next output line */
    const float *in_end;                  /* lines at or past it begin again in_ring before */
    ptrdiff_t in_ring;
    const float *weights;  /* a vector of bias, then kernel_h x kernel_w vectors */
    const float *residual; /* or NULL */
    float *out;
    ptrdiff_t out_pixel, out_line; /* also the residual's */
    int lines;
    int tap_y0, tap_y1; /* lines of taps inside the picture */
    int tap_x0, tap_x1; /* "any" kernel: the same across */
    unsigned padding;   /* the others: bit j is set where column j of the tile's taps is outside */
    int kernel_w;
    int lanes; /* that exist: 1..lanes of the table */
    struct pom_act act;
};

typedef void pom_depthwise_fn(const struct pom_depthwise_call *call);

/* kernel and stride are those of the width; 0: any (then dilation too, and one pixel at a time). */
struct pom_depthwise_kernel {
    const char *name;
    int pixels, kernel, stride;
    pom_depthwise_fn *run;
};

enum {
    POM_WINOGRAD_OUT = 4,
    POM_WINOGRAD_IN = 6,
    POM_WINOGRAD_PIXELS = POM_WINOGRAD_OUT * POM_WINOGRAD_OUT,
    POM_WINOGRAD_POINTS = POM_WINOGRAD_IN * POM_WINOGRAD_IN
};

/* One tile: its inputs to the points. */
struct pom_winograd_input {
    const float *taps[POM_WINOGRAD_POINTS]; /* `channels` floats each; zeros where the tap is padding */
    float *points;                          /* a row of channels; the next point's is at + step */
    ptrdiff_t step;
    int channels;
    int rows, columns; /* of outputs, 4, 3 or 2: which points there are (winograd.h) */
};

/* One tile: from the products at the points to its outputs. */
struct pom_winograd_output {
    const float *points;
    ptrdiff_t step;
    const float *bias, *residual; /* residual: or NULL */
    float *out;
    ptrdiff_t at[POM_WINOGRAD_PIXELS]; /* of each pixel in out and residual; -1: outside */
    int channels;
    int rows, columns;
    struct pom_act act;
};

/* The transforms of F(4x4,3x3), as winograd.h defines them. */
struct pom_winograd_kernel {
    const char *name;
    void (*input)(const struct pom_winograd_input *tile);
    void (*output)(const struct pom_winograd_output *tile);
};

struct pom_kernel_table {
    enum pom_isa isa;
    int lanes;                                   /* floats in a vector */
    int pack;                                    /* channels in an element: 1, or 2 */
    const struct pom_gemm_kernel *gemm;          /* [v - 1] is v vectors wide; from 1, name NULL: none so wide */
    const struct pom_gemm_kernel *gemm_in_pairs; /* one and a half vectors wide; or NULL */
    const struct pom_depthwise_kernel
        *depthwise;                             /* per kernel and stride wider tiles first, down to 1; "any" ends it */
    const struct pom_winograd_kernel *winograd; /* this and plain: of floats only */
    struct pom_kernels plain;
    void (*fma_burst)(long steps); /* multiply-adds in registers, to measure the peak */
    int flops_per_step;
};

extern const struct pom_gemm_kernel pom_gemm_avx2[POM_GEMM_MAX_VECTORS], pom_gemm_avx512[POM_GEMM_MAX_VECTORS],
    pom_gemm_neon[POM_GEMM_MAX_VECTORS], pom_gemm_avx512bf16[POM_GEMM_MAX_VECTORS], pom_gemm_in_pairs_avx512;
extern const struct pom_depthwise_kernel pom_depthwise_avx2[], pom_depthwise_avx512[], pom_depthwise_neon[],
    pom_depthwise_avx512bf16[];
extern const struct pom_winograd_kernel pom_winograd_ref, pom_winograd_avx2, pom_winograd_avx512, pom_winograd_neon;
extern const struct pom_kernel_table pom_table_avx2, pom_table_avx512, pom_table_neon, pom_table_avx512bf16;
extern const struct pom_bf16_kernels pom_bf16_plain_avx512bf16;

/* NULL where this build has no fast kernels for isa. */
const struct pom_kernel_table *pom_kernel_table(enum pom_isa isa);

/* The same for convolutions in bf16. */
const struct pom_kernel_table *pom_bf16_table(enum pom_isa isa);

#endif
