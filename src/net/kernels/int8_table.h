/* The fast int8 kernels as data: one table per instruction set. Four neighbouring input channels, or taps of a column,
 * are a quad: what one step of a dot product multiplies and adds into a 32-bit sum. */
#ifndef POM_NET_KERNELS_INT8_TABLE_H
#define POM_NET_KERNELS_INT8_TABLE_H

#include "net/kernels/activation.h"
#include "net/kernels/int8.h"

enum {
    POM_QUAD = 4,
    POM_INT8_MAX_ROWS = 14,
    POM_INT8_MAX_VECTORS = 2,
    POM_INT8_MAX_QUADS = 2,
    POM_INT8_LEAST_WIDTH = 4
};

/* The numbers of int8.h's formulas for a panel's channels. In a panel of several vectors, lane i of vector v is the
 * channel that pom_int8_channel says; the limits are in the channels' own order. */
struct pom_int8_numbers {
    const int32_t *start; /* of the sums: 128 times the sum of the weights where the path multiplies u - 128, else 0 */
    const float *factor, *offset, *residual_factor;
    const uint8_t *low, *high;
};

/* The order in which packing 32-bit lanes to bytes in groups of 128 bits leaves the channels in theirs. */
static inline int pom_int8_channel(int vectors, int v, int lane) {
    return lane / 4 * 4 * vectors + 4 * v + lane % 4;
}

/* A run of tiles down one panel. A row is an output pixel; its inputs are `segments` pieces of `depth` quads. */
struct pom_int8_gemm_call {
    const uint8_t *a; /* the first row; segment s of it is at a + segment_at[s] */
    ptrdiff_t a_row;
    const ptrdiff_t *segment_at;
    int segments, depth;
    const int8_t *b; /* segments * depth rows of quads */
    struct pom_int8_numbers numbers;
    const uint8_t *residual; /* or NULL */
    void *out;               /* uint8_t, or float where to_float */
    ptrdiff_t out_row;       /* in elements; also the residual's */
    bool to_float;
    struct pom_act act; /* of floats */
    int columns;        /* of the panel that exist in out */
    int tiles;          /* how many tiles, one below the other */
};

typedef void pom_int8_gemm_fn(const struct pom_int8_gemm_call *call);

/* Tiles of up to `rows` pixels by `vectors` vectors of channels; run[r] makes tiles of r rows. */
struct pom_int8_gemm_kernel {
    const char *name;
    int rows, vectors;
    pom_int8_gemm_fn *run[POM_INT8_MAX_ROWS + 1];
};

/* Depthwise: the output lines that a kernel makes together, four vectors of channels. */
struct pom_int8_depthwise_call {
    /* Lines of taps at column 0, from above; step: from column to column, 0 where the line is padding and stands for
     * all columns. */
    const uint8_t *line[POM_INT8_MAX_QUADS * POM_QUAD];
    ptrdiff_t step[POM_INT8_MAX_QUADS * POM_QUAD];
    const uint8_t *zero; /* a column of padding */
    int first, in_w;     /* the first tap's column, and where the picture ends */
    int out_w;
    const void *weights; /* per output line, quad and column of taps: four vectors of weight_bytes a lane */
    struct pom_int8_numbers numbers;
    const uint8_t *residual; /* for "any", which fills quads up with lines that exist */
    void *out;
    ptrdiff_t out_pixel, out_line;         /* in elements; also the residual's */
    int32_t *scratch;                      /* of the others, for quads */
    bool to_float;                         /* for "any" */
    struct pom_act act;                    /* for "any" */
    int columns;                           /* channels that exist */
    bool pairs;                            /* they fill half of the vectors, the neighbouring output's the other half */
    int kernel_w, stride, dilation, quads; /* for "any"; quads of the window's height */
};

typedef void pom_int8_depthwise_fn(const struct pom_int8_depthwise_call *call);

/* kernel is the width and the height; 0: any, of any stride, with any ending. The others make `lines` lines of at least
 * POM_INT8_LEAST_WIDTH outputs. */
struct pom_int8_depthwise_kernel {
    const char *name;
    int kernel, stride, lines;
    pom_int8_depthwise_fn *run;
};

struct pom_int8_table {
    int lanes;        /* 32-bit sums in a vector */
    int weight_bytes; /* of a quad: 4, or in 16 bits 8, a vector of its bytes 0 and 2 before one of 1 and 3 */
    int input_offset; /* that the path subtracts from u */
    const struct pom_int8_gemm_kernel *gemm;           /* [v - 1] is v vectors wide */
    const struct pom_int8_depthwise_kernel *depthwise; /* "any" ends it */
    struct pom_int8_kernels plain;
    void (*dot_burst)(long steps); /* dot products in registers, to measure the peak */
    int ops_per_step;
};

extern const struct pom_int8_table pom_int8_avx2, pom_int8_avx2vnni, pom_int8_avx512, pom_int8_avx512vnni,
    pom_int8_neon, pom_int8_neondot;

/* NULL where this build has no fast int8 kernels for isa. */
const struct pom_int8_table *pom_int8_table(enum pom_isa isa);

#endif
