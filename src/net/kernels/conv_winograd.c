/* Dense 3x3 convolutions of stride 1 by Winograd's F(4x4,3x3) (winograd.h): tiles of 6x6 inputs become 36 points, each
 * point is a matrix product of tiles x in_c x out_c, and the products become tiles of 4x4 outputs. Tiles go in blocks,
 * whose points stay in the caches between the three steps. */
#include "base/memory.h"
#include "net/kernels/conv.h"
#include "net/kernels/gemm.h"
#include "net/kernels/ref/ref.h"
#include "net/kernels/winograd.h"

#include <stdlib.h>
#include <string.h>

enum { TAPS = 3, PACKED_AT_ONCE = 4, IN = POM_WINOGRAD_IN, OUT = POM_WINOGRAD_OUT, POINTS = POM_WINOGRAD_POINTS };

struct winograd {
    const struct pom_winograd_kernel *kernel;
    struct pom_gemm *gemms; /* of each point; NULL on the portable path, */
    float *weights;         /* which has points x in_c x out_c here */
    float *bias, *zeros;
    int tiles_x, tiles;          /* of one image */
    int block;                   /* tiles of a block at most, of one image or several */
    ptrdiff_t in_step, out_step; /* from point to point of a block */
};

/* Where it pays (docs/performance.md): with fewer channels the transforms cost what the products save; with fewer tiles
 * reading the weights, four times those of the window, does. */
enum { LEAST_CHANNELS = 32, LEAST_TILES = 4 };

/* The points of a block, in and out, and at least so many rows to make reading the weights worth it. */
enum { BLOCK_FLOATS = 512 * 1024 / (int)sizeof(float), LEAST_ROWS = 56 };

enum { APART = 16 }; /* floats that keep the points of a tile from crowding one set of a cache */

static int tiles_of(int outputs) {
    return (outputs + OUT - 1) / OUT;
}

bool pom_conv_is_winograd(const struct pom_conv_desc *d) {
    return d->groups == 1 && d->kernel_h == TAPS && d->kernel_w == TAPS && d->stride_h == 1 && d->stride_w == 1 &&
           d->dilation_h == 1 && d->dilation_w == 1 && d->in_c >= LEAST_CHANNELS && d->out_c >= LEAST_CHANNELS &&
           (long)tiles_of(d->out_h) * tiles_of(d->out_w) >= LEAST_TILES;
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
    pom_winograd_weights(weights, d->in_c, d->out_c, 0, d->in_c, w->weights);
    conv->weight_bytes = n * sizeof(float);
    return POM_OK;
}

/* A few channels of all points at a time, while they are in the cache. */
static void pack(const struct winograd *w, const struct pom_conv_desc *d, const float *weights, float *transformed) {
    for (int c = 0; c < d->in_c; c += PACKED_AT_ONCE) {
        int n = d->in_c - c < PACKED_AT_ONCE ? d->in_c - c : PACKED_AT_ONCE;
        pom_winograd_weights(weights, d->in_c, d->out_c, c, n, transformed);
        for (size_t point = 0; point < POINTS; point++)
            pom_gemm_pack(&w->gemms[point], transformed + point * (size_t)n * (size_t)d->out_c, c, n);
    }
}

static enum pom_status init_gemms(
    struct pom_conv *conv, const struct pom_kernel_table *table, const float *weights, struct pom_message *msg) {
    struct winograd *w = conv->state;
    const struct pom_conv_desc *d = &conv->desc;
    struct pom_gemm_source source = {.taps = 1, .depth = d->in_c, .n = d->out_c};
    struct pom_gemm_lines lines = {.width = w->block, .even = false};
    w->gemms = pom_calloc(POINTS, sizeof *w->gemms);
    if (!w->gemms)
        return pom_fail_memory(msg, "the weights of a convolution");
    for (int point = 0; point < POINTS; point++) {
        POM_TRY(pom_gemm_init(&w->gemms[point], table, &source, lines, msg));
        conv->weight_bytes += pom_gemm_bytes(&w->gemms[point]);
    }
    float *transformed = pom_alloc_aligned(POINTS * PACKED_AT_ONCE * (size_t)d->out_c, sizeof(float));
    if (!transformed)
        return pom_fail_memory(msg, "the weights of a convolution");
    pack(w, d, weights, transformed);
    free(transformed);
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
    w->tiles_x = tiles_of(d->out_w);
    w->tiles = w->tiles_x * tiles_of(d->out_h);
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

static void transform_inputs(const struct pom_conv *conv, const float *in, long first, int tiles, float *points) {
    const struct winograd *w = conv->state;
    const struct pom_conv_desc *d = &conv->desc;
    struct pom_winograd_input tile = {.step = w->in_step, .channels = d->in_c};
    for (int t = 0; t < tiles; t++) {
        long in_image = (first + t) % w->tiles;
        const float *image = in + (size_t)((first + t) / w->tiles) * pom_conv_in_floats(d);
        long top = in_image / w->tiles_x * OUT - d->pad_top, left = in_image % w->tiles_x * OUT - d->pad_left;
        for (int i = 0; i < POINTS; i++) {
            long y = top + i / IN, x = left + i % IN;
            bool inside = y >= 0 && y < d->in_h && x >= 0 && x < d->in_w;
            tile.taps[i] = inside ? image + (y * d->in_w + x) * d->in_c : w->zeros;
        }
        tile.points = points + (ptrdiff_t)t * d->in_c;
        w->kernel->input(&tile);
    }
}

static void multiply(const struct pom_conv *conv, int point, int tiles, const float *in, float *out) {
    const struct winograd *w = conv->state;
    const struct pom_conv_desc *d = &conv->desc;
    if (!w->gemms) {
        struct pom_dense_desc dense = {.k = d->in_c, .n = d->out_c};
        const float *weights = w->weights + (size_t)point * (size_t)d->in_c * (size_t)d->out_c;
        pom_ref_dense(&dense, weights, w->zeros, in, tiles, out);
        return;
    }
    const ptrdiff_t start = 0;
    struct pom_gemm_view view = {.a = in,
        .out = out,
        .lines = 1,
        .width = tiles,
        .a_pixel = d->in_c,
        .out_pixel = d->out_c,
        .segment_at = &start,
        .segments = 1,
        .depth = d->in_c,
        .act = pom_act_of(POM_ACT_NONE, 0.0f, 0.0f)};
    pom_gemm_run(&w->gemms[point], &view);
}

static void transform_outputs(
    const struct pom_conv *conv, const float *points, const float *residual, float *out, long first, int tiles) {
    const struct winograd *w = conv->state;
    const struct pom_conv_desc *d = &conv->desc;
    struct pom_winograd_output tile = {
        .step = w->out_step, .bias = w->bias, .residual = residual, .channels = d->out_c, .act = conv->act};
    tile.out = out;
    for (int t = 0; t < tiles; t++) {
        long in_image = (first + t) % w->tiles;
        ptrdiff_t image = (ptrdiff_t)((first + t) / w->tiles) * (ptrdiff_t)pom_conv_out_floats(d);
        long top = in_image / w->tiles_x * OUT, left = in_image % w->tiles_x * OUT;
        for (int i = 0; i < POM_WINOGRAD_PIXELS; i++) {
            long y = top + i / OUT, x = left + i % OUT;
            tile.at[i] = y < d->out_h && x < d->out_w ? image + (y * d->out_w + x) * d->out_c : -1;
        }
        tile.points = points + (ptrdiff_t)t * d->out_c;
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
        long first = all * i / blocks;
        int tiles = (int)(all * (i + 1) / blocks - first);
        transform_inputs(conv, in, first, tiles, inputs);
        for (int point = 0; point < POINTS; point++)
            multiply(conv, point, tiles, inputs + point * w->in_step, products + point * w->out_step);
        transform_outputs(conv, products, residual, out, first, tiles);
    }
}

const struct pom_conv_method pom_conv_by_winograd = {init, clean_up, run};
