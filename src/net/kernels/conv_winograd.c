/* Dense 3x3 convolutions of stride 1 by Winograd's F(4x4,3x3) (winograd.h): tiles of 6x6 inputs become 36 points, each
 * point is a matrix product of tiles x in_c x out_c, and the products become tiles of 4x4 outputs. Tiles go in blocks,
 * whose points stay in the caches between the three steps. */
#include "base/memory.h"
#include "base/share.h"
#include "net/kernels/conv.h"
#include "net/kernels/gemm.h"
#include "net/kernels/ref/ref.h"
#include "net/kernels/winograd.h"

#include <stdlib.h>
#include <string.h>

enum { TAPS = 3, PACKED_AT_ONCE = 4, IN = POM_WINOGRAD_IN, OUT = POM_WINOGRAD_OUT, POINTS = POM_WINOGRAD_POINTS };

/* Whole tiles, and those at the edges that have fewer outputs (winograd.h). In this order the tiles of all kinds that
 * take a point are neighbours, whichever the point: those below take few down, those on the right few across. */
enum { BELOW, WHOLE, RIGHT, CORNER, KINDS };

struct kind {
    int rows, columns;           /* of outputs in a tile */
    int top, left, down, across; /* where its tiles are, in tiles */
};

struct winograd {
    const struct pom_winograd_kernel *kernel;
    struct pom_gemm *gemms; /* of each point; NULL on the portable path, */
    float *weights;         /* which has points x in_c x out_c here */
    float *bias, *zeros;
    struct kind kinds[KINDS];
    int tiles;                   /* of one image */
    int block;                   /* tiles of a block at most, of one image or several */
    ptrdiff_t in_step, out_step; /* from point to point of a block */
};

/* Where it pays (docs/performance.md): with fewer channels the transforms cost what the products save; with fewer tiles
 * reading the weights, four times those of the window, does. */
enum { LEAST_CHANNELS = 32, LEAST_TILES = 4 };

/* The points of a block, in and out, and at least so many rows to make reading the weights worth it. */
enum { BLOCK_FLOATS = 512 * 1024 / (int)sizeof(float), LEAST_ROWS = 56 };

enum { APART = 16 }; /* floats that keep the points of a tile from crowding one set of a cache */

static int min(int a, int b) {
    return a < b ? a : b;
}

static int tiles_of(int outputs) {
    return (outputs + OUT - 1) / OUT;
}

bool pom_conv_is_winograd(const struct pom_conv_desc *d) {
    return d->groups == 1 && d->kernel_h == TAPS && d->kernel_w == TAPS && d->stride_h == 1 && d->stride_w == 1 &&
           d->dilation_h == 1 && d->dilation_w == 1 && d->in_c >= LEAST_CHANNELS && d->out_c >= LEAST_CHANNELS &&
           (long)tiles_of(d->out_h) * tiles_of(d->out_w) >= LEAST_TILES;
}

/* Outputs of an edge tile along a side of so many: 0, there is none; for one the tile of two. */
static int edge_of(int outputs) {
    int rest = outputs % OUT;
    return rest == 1 ? 2 : rest;
}

static void init_kinds(struct winograd *w, const struct pom_conv_desc *d) {
    int down = d->out_h / OUT, across = d->out_w / OUT, edge_y = edge_of(d->out_h), edge_x = edge_of(d->out_w);
    w->kinds[BELOW] = (struct kind){edge_y, OUT, down, 0, edge_y > 0, across};
    w->kinds[WHOLE] = (struct kind){OUT, OUT, 0, 0, down, across};
    w->kinds[RIGHT] = (struct kind){OUT, edge_x, 0, across, down, edge_x > 0};
    w->kinds[CORNER] = (struct kind){edge_y, edge_x, down, across, edge_y > 0, edge_x > 0};
    w->tiles = tiles_of(d->out_h) * tiles_of(d->out_w);
}

static int block_of(const struct pom_conv_desc *d) {
    int most = BLOCK_FLOATS / POINTS / (d->in_c + d->out_c);
    return most > LEAST_ROWS ? most : LEAST_ROWS;
}

static enum pom_status init_ref_weights(struct pom_conv *conv, const float *weights, struct pom_message *msg) {
    struct winograd *w = conv->state;
    const struct pom_conv_desc *d = &conv->desc;
    size_t n = POINTS * (size_t)d->in_c * (size_t)d->out_c;
    w->weights = pom_alloc_aligned(n, sizeof(float));
    if (!w->weights)
        return pom_fail_memory(msg, "the weights of a convolution");
    pom_winograd_weights(weights, (size_t)d->in_c * TAPS * TAPS, d->out_c, d->in_c, w->weights);
    conv->weight_bytes = n * sizeof(float);
    return POM_OK;
}

struct packing {
    const struct winograd *w;
    const struct pom_conv_desc *desc;
    const float *weights;
};

/* A panel of all points, a few channels at a time, while they are in the cache. */
static void pack_panel(void *context, int panel) {
    const struct packing *packing = context;
    const struct pom_gemm *gemms = packing->w->gemms;
    const size_t taps = TAPS * TAPS;
    float transformed[POINTS * PACKED_AT_ONCE * POM_GEMM_MAX_COLUMNS];
    const int in_c = packing->desc->in_c, first = panel * gemms->main->columns, rest = packing->desc->out_c - first;
    struct pom_gemm_block block = {.column = first, .columns = min(rest, gemms->main->columns), .step_column = 1};
    block.step_row = (size_t)block.columns;
    for (; block.row < in_c; block.row += block.rows) {
        block.rows = min(in_c - block.row, PACKED_AT_ONCE);
        pom_winograd_weights(packing->weights + ((size_t)first * (size_t)in_c + (size_t)block.row) * taps,
            (size_t)in_c * taps, block.columns, block.rows, transformed);
        for (size_t point = 0; point < POINTS; point++) {
            block.weights = transformed + point * (size_t)block.rows * block.step_row;
            pom_gemm_pack(&gemms[point], &block);
        }
    }
}

static enum pom_status init_gemms(
    struct pom_conv *conv, const struct pom_kernel_table *table, const float *weights, struct pom_message *msg) {
    struct winograd *w = conv->state;
    const struct pom_conv_desc *d = &conv->desc;
    struct pom_gemm_shape shape = {.k = d->in_c, .n = d->out_c, .width = w->block};
    w->gemms = pom_calloc(POINTS, sizeof *w->gemms);
    if (!w->gemms)
        return pom_fail_memory(msg, "the weights of a convolution");
    POM_TRY(pom_gemm_init(w->gemms, POINTS, table, &shape, NULL, msg));
    conv->weight_bytes += POINTS * pom_gemm_bytes(w->gemms);
    int width = w->gemms->main->columns;
    pom_share((d->out_c + width - 1) / width, pack_panel, &(struct packing){w, d, weights});
    return POM_OK;
}

static enum pom_status init(struct pom_conv *conv, const struct pom_kernel_table *table, const float *weights,
    const float *bias, struct pom_message *msg) {
    const struct pom_conv_desc *d = &conv->desc;
    struct winograd *w = conv->state = pom_calloc(1, sizeof *w);
    size_t channels = (size_t)(d->in_c > d->out_c ? d->in_c : d->out_c);
    if (!w || !(w->bias = pom_calloc((size_t)d->out_c, sizeof(float))) ||
        !(w->zeros = pom_calloc(channels, sizeof(float))))
        return pom_fail_memory(msg, "a convolution");
    if (bias)
        memcpy(w->bias, bias, (size_t)d->out_c * sizeof(float));
    w->kernel = table ? table->winograd : &pom_winograd_ref;
    init_kinds(w, d);
    w->block = block_of(d);
    w->in_step = (ptrdiff_t)w->block * d->in_c + APART;
    w->out_step = (ptrdiff_t)w->block * d->out_c + APART;
    conv->scratch_bytes = (size_t)(w->in_step + w->out_step) * POINTS * sizeof(float);
    conv->kernel_name = w->kernel->name;
    POM_TRY(table ? init_gemms(conv, table, weights, msg) : init_ref_weights(conv, weights, msg));
    conv->weight_bytes += ((size_t)d->out_c + channels) * sizeof(float);
    return POM_OK;
}

static void clean_up(struct pom_conv *conv) {
    struct winograd *w = conv->state;
    if (!w)
        return;
    for (int point = 0; w->gemms && point < POINTS; point++)
        pom_gemm_clean_up(&w->gemms[point]);
    free(w->gemms);
    free(w->weights);
    free(w->bias);
    free(w->zeros);
    free(w);
}

/* Tiles of all images: those of a kind image by image, and one kind after the other. */
struct place {
    const struct kind *kind;
    size_t image;
    long y, x; /* of its first output */
};

static struct place place_of(const struct winograd *w, int images, long tile) {
    const struct kind *kind = w->kinds;
    for (long n; tile >= (n = (long)images * kind->down * kind->across); kind++)
        tile -= n;
    long per_image = (long)kind->down * kind->across, at = tile % per_image;
    return (struct place){.kind = kind,
        .image = (size_t)(tile / per_image),
        .y = (kind->top + at / kind->across) * OUT,
        .x = (kind->left + at % kind->across) * OUT};
}

/* Tiles [first, end) of those of a run's images. */
struct block {
    int images;
    long first, end;
};

static void transform_inputs(const struct pom_conv *conv, const float *in, const struct block *block, float *points) {
    const struct winograd *w = conv->state;
    const struct pom_conv_desc *d = &conv->desc;
    struct pom_winograd_input tile = {.step = w->in_step, .channels = d->in_c};
    tile.points = points;
    for (long t = block->first; t < block->end; t++, tile.points += d->in_c) {
        const struct place at = place_of(w, block->images, t);
        const float *image = in + at.image * pom_conv_in_floats(d);
        tile.rows = at.kind->rows;
        tile.columns = at.kind->columns;
        for (int i = 0; i < POINTS; i++) {
            long y = at.y - d->pad_top + i / IN, x = at.x - d->pad_left + i % IN;
            bool inside = y >= 0 && y < d->in_h && x >= 0 && x < d->in_w;
            tile.taps[i] = inside ? image + (y * d->in_w + x) * d->in_c : w->zeros;
        }
        w->kernel->input(&tile);
    }
}

/* Tiles [*first, *end) of the block, counted from its own first, take the point. */
static void find_takers(const struct winograd *w, const struct block *block, int point, int *first, int *end) {
    long from = 0, to = 0, at = 0;
    for (const struct kind *kind = w->kinds; kind < w->kinds + KINDS; kind++) {
        long n = (long)block->images * kind->down * kind->across;
        if (pom_winograd_takes(kind->rows, point / IN) && pom_winograd_takes(kind->columns, point % IN)) {
            from = to > from ? from : at;
            to = at + n;
        }
        at += n;
    }
    *first = (int)((from > block->first ? from : block->first) - block->first);
    *end = (int)((to < block->end ? to : block->end) - block->first);
}

static void multiply(const struct pom_conv *conv, const struct block *block, int point, const float *in, float *out) {
    const struct winograd *w = conv->state;
    const struct pom_conv_desc *d = &conv->desc;
    int first, end;
    find_takers(w, block, point, &first, &end);
    if (first >= end)
        return;
    in += (ptrdiff_t)first * d->in_c;
    out += (ptrdiff_t)first * d->out_c;
    if (!w->gemms) {
        struct pom_dense_desc dense = {.k = d->in_c, .n = d->out_c};
        const float *weights = w->weights + (size_t)point * (size_t)d->in_c * (size_t)d->out_c;
        pom_ref_dense(&dense, weights, w->zeros, in, end - first, out);
        return;
    }
    const ptrdiff_t start = 0;
    struct pom_gemm_view view = {.a = in,
        .out = out,
        .lines = 1,
        .width = end - first,
        .a_pixel = d->in_c,
        .out_pixel = d->out_c,
        .segment_at = &start,
        .segments = 1,
        .depth = d->in_c,
        .act = pom_act_of(POM_ACT_NONE, 0.0f, 0.0f)};
    pom_gemm_run(&w->gemms[point], &view);
}

static void transform_outputs(
    const struct pom_conv *conv, const float *points, const float *residual, float *out, const struct block *block) {
    const struct winograd *w = conv->state;
    const struct pom_conv_desc *d = &conv->desc;
    struct pom_winograd_output tile = {.points = points,
        .step = w->out_step,
        .bias = w->bias,
        .residual = residual,
        .channels = d->out_c,
        .act = conv->act};
    tile.out = out;
    for (long t = block->first; t < block->end; t++, tile.points += d->out_c) {
        const struct place at = place_of(w, block->images, t);
        ptrdiff_t image = (ptrdiff_t)(at.image * pom_conv_out_floats(d));
        tile.rows = at.kind->rows;
        tile.columns = at.kind->columns;
        for (int i = 0; i < POM_WINOGRAD_PIXELS; i++) {
            long y = at.y + i / OUT, x = at.x + i % OUT;
            tile.at[i] = y < d->out_h && x < d->out_w ? image + (y * d->out_w + x) * d->out_c : -1;
        }
        w->kernel->output(&tile);
    }
}

/* Blocks of nearly equal size over the tiles of all images. */
static void run(
    const struct pom_conv *conv, const float *in, const float *residual, float *out, int images, float *scratch) {
    const struct winograd *w = conv->state;
    float *inputs = scratch, *products = scratch + POINTS * w->in_step;
    long all = (long)w->tiles * images, blocks = (all + w->block - 1) / w->block;
    for (long i = 0; i < blocks; i++) {
        const struct block block = {images, all * i / blocks, all * (i + 1) / blocks};
        transform_inputs(conv, in, &block, inputs);
        for (int point = 0; point < POINTS; point++)
            multiply(conv, &block, point, inputs + point * w->in_step, products + point * w->out_step);
        transform_outputs(conv, products, residual, out, &block);
    }
}

const struct pom_conv_method pom_conv_by_winograd = {init, clean_up, run};
