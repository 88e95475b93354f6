/* Every int8 convolution that is not depthwise, as matrix products whose left side is read where it lies, as
 * conv_gemm.c does it for floats. Where padding, a number of channels that is no multiple of four, or a pixel step that
 * would crowd one set of the cache stands in the way, a band of lines is first copied to scratch. */
#include "base/memory.h"
#include "net/kernels/int8_conv.h"
#include "net/kernels/int8_numbers.h"
#include "net/kernels/layout.h"
#include "net/kernels/split.h"

#include <stdlib.h>
#include <string.h>

struct gemm_conv {
    const struct pom_int8_table *table;
    const struct pom_int8_gemm_kernel *main, *last; /* of the panels; last: NULL where it is as the others */
    int8_t *weights;
    struct pom_int8_packed_numbers numbers;
    const uint8_t *padding; /* a pixel of it */
    ptrdiff_t *segment_at;
    int segments, taps, depth; /* taps of a segment; its depth in quads */
    int band;                  /* output lines that are made together */
    struct pom_conv_layout layout;
};

/* Quads may reach past the last pixel, into the copy's slack. */
static bool fills_quads(const struct pom_conv_desc *d) {
    return d->in_c % POM_QUAD == 0;
}

static void choose(struct gemm_conv *g, int n) {
    int vectors = (n + g->table->lanes - 1) / g->table->lanes;
    g->main = &g->table->gemm[vectors > 1 ? 1 : 0];
    g->last = vectors > 1 && vectors % 2 ? &g->table->gemm[0] : NULL;
}

static int columns_of(const struct gemm_conv *g, const struct pom_int8_gemm_kernel *kernel) {
    return kernel->vectors * g->table->lanes;
}

/* The kernel of the panel at column `from`. */
static const struct pom_int8_gemm_kernel *kernel_at(const struct gemm_conv *g, int from, int n) {
    return g->last && n - from <= g->table->lanes ? g->last : g->main;
}

/* Rows of quads in a panel. */
static size_t panel_rows(const struct gemm_conv *g) {
    return (size_t)g->segments * (size_t)g->depth;
}

/* One row of a panel, for each column: quad q of the taps from `tap` on, whose channels follow each other. */
static int8_t *pack_row(
    const struct pom_int8_layer *l, const struct gemm_conv *g, int vectors, int from, int tap, int q, int8_t *to) {
    const struct pom_conv_desc *d = &l->desc;
    int taps = d->kernel_h * d->kernel_w, lanes = g->table->lanes, at = q * POM_QUAD, end = g->taps * d->in_c;
    for (int v = 0; v < vectors; v++, to += (ptrdiff_t)lanes * g->table->weight_bytes)
        for (int lane = 0; lane < lanes; lane++) {
            int channel = from + pom_int8_channel(vectors, v, lane);
            const int8_t *weights = l->weights + ((ptrdiff_t)channel * taps + tap) * d->in_c;
            int8_t quad[POM_QUAD] = {0};
            for (int j = 0; j < POM_QUAD && channel < d->out_c && at + j < end; j++)
                quad[j] = weights[at + j];
            pom_int8_pack_quad(g->table, quad, lane, to);
        }
    return to;
}

static void pack(const struct pom_int8_layer *l, const struct gemm_conv *g) {
    int8_t *to = g->weights;
    int columns;
    size_t at = 0;
    for (int from = 0; from < l->desc.out_c; from += columns, at += (size_t)columns) {
        const struct pom_int8_gemm_kernel *kernel = kernel_at(g, from, l->desc.out_c);
        columns = columns_of(g, kernel);
        pom_int8_numbers_set(&g->numbers, at, l, g->table, kernel->vectors, from, columns);
        for (int segment = 0; segment < g->segments; segment++)
            for (int q = 0; q < g->depth; q++)
                to = pack_row(l, g, kernel->vectors, from, segment * g->taps, q, to);
    }
}

static enum pom_status init_weights(struct pom_int8_conv *conv, struct gemm_conv *g, struct pom_message *msg) {
    const struct pom_conv_desc *d = &conv->layer.desc;
    choose(g, d->out_c);
    size_t lanes = (size_t)g->table->lanes, columns = ((size_t)d->out_c + lanes - 1) / lanes * lanes;
    if (g->main->vectors == 2 && !g->last)
        columns = (columns + 2 * lanes - 1) / (2 * lanes) * (2 * lanes);
    g->weights = pom_alloc_aligned(panel_rows(g) * (size_t)g->table->weight_bytes, columns);
    g->padding = conv->layer.zero;
    POM_TRY(pom_int8_numbers_init(&g->numbers, columns, msg));
    if (!g->weights)
        return pom_fail_memory(msg, "the weights of a convolution");
    pack(&conv->layer, g);
    conv->weight_bytes = panel_rows(g) * (size_t)g->table->weight_bytes * columns + pom_int8_numbers_bytes(columns);
    return POM_OK;
}

static enum pom_status init(struct pom_int8_conv *conv, const struct pom_int8_table *table, struct pom_message *msg) {
    const struct pom_conv_desc *d = &conv->layer.desc;
    struct gemm_conv *g = conv->state = pom_calloc(1, sizeof *g);
    if (!g)
        return pom_fail_memory(msg, "a convolution");
    g->table = table;
    g->layout = pom_conv_layout_of(d, sizeof(uint8_t), !fills_quads(d));
    g->band = pom_split_band(d, sizeof(uint8_t));
    g->taps = pom_conv_taps_together(d, &g->layout) ? d->kernel_w : 1;
    g->depth = (g->taps * d->in_c + POM_QUAD - 1) / POM_QUAD;
    g->segment_at = pom_conv_segments(d, &g->layout, &g->segments);
    if (!g->segment_at)
        return pom_fail_memory(msg, "a convolution");
    POM_TRY(init_weights(conv, g, msg));
    if (g->layout.copied)
        conv->scratch_bytes = (size_t)pom_conv_copied_lines(d, &g->layout, g->band) * (size_t)g->layout.line + POM_QUAD;
    conv->joins_images = pom_conv_is_pointwise(d) && !g->layout.copied;
    conv->kernel_name = g->main->name;
    return POM_OK;
}

static void clean_up(struct pom_int8_conv *conv) {
    struct gemm_conv *g = conv->state;
    if (!g)
        return;
    free(g->weights);
    free(g->segment_at);
    pom_int8_numbers_clean_up(&g->numbers);
    free(g);
}

static void copy_pixels(const struct gemm_conv *g, int in_c, const uint8_t *from, long pixels, uint8_t *to) {
    const struct pom_conv_layout *l = &g->layout;
    if (l->pixel == in_c) {
        memcpy(to, from, (size_t)pixels * (size_t)in_c);
        return;
    }
    for (long i = 0; i < pixels; i++)
        memcpy(to + i * l->pixel, from + i * in_c, (size_t)in_c);
}

/* One line of the copy: in_line NULL is padding above or below. */
static void copy_line(const struct gemm_conv *g, const struct pom_conv_desc *d, const uint8_t *in_line, uint8_t *to) {
    const struct pom_conv_layout *l = &g->layout;
    long ix = -(long)d->pad_left;
    for (int left = l->columns; left > 0;) {
        long run = 1;
        if (!in_line || ix < 0 || ix >= d->in_w) {
            memcpy(to, g->padding, (size_t)d->in_c);
        } else {
            if (l->sample_w == 1)
                run = d->in_w - ix < left ? d->in_w - ix : left;
            copy_pixels(g, d->in_c, in_line + ix * d->in_c, run, to);
        }
        left -= (int)run;
        ix += run * l->sample_w;
        to += run * l->pixel;
    }
}

static void copy_band(
    const struct gemm_conv *g, const struct pom_conv_desc *d, const uint8_t *in, int y, int lines, uint8_t *scratch) {
    long iy = (long)y * d->stride_h - d->pad_top;
    for (int i = pom_conv_copied_lines(d, &g->layout, lines); i > 0;
         i--, iy += g->layout.sample_h, scratch += g->layout.line)
        copy_line(g, d, iy >= 0 && iy < d->in_h ? in + iy * d->in_w * d->in_c : NULL, scratch);
}

static void advance(struct pom_int8_gemm_call *call, ptrdiff_t pixels) {
    ptrdiff_t at = pixels * call->out_row;
    call->a += pixels * call->a_row;
    call->out = call->to_float ? (void *)((float *)call->out + at) : (void *)((uint8_t *)call->out + at);
    if (call->residual)
        call->residual += at;
}

/* The tiles of one line against one panel. */
static void run_line(const struct pom_int8_gemm_kernel *kernel, int width, struct pom_int8_gemm_call call) {
    struct pom_split s = pom_split_line(width, kernel->rows, 1);
    if (s.higher > 0) {
        call.tiles = s.higher;
        kernel->run[s.rows + 1](&call);
        advance(&call, (ptrdiff_t)s.higher * (s.rows + 1));
    }
    call.tiles = s.tiles - s.higher;
    kernel->run[s.rows](&call);
}

/* The band's lines against every panel; `call` is at the first of both. */
static void run_band(const struct pom_int8_conv *conv, struct pom_int8_gemm_call call, int lines) {
    const struct gemm_conv *g = conv->state;
    const struct pom_conv_desc *d = &conv->layer.desc;
    bool flat = g->layout.a_line == d->out_w * g->layout.a_pixel;
    int width = flat ? lines * d->out_w : d->out_w, columns;
    void *out = call.out;
    const uint8_t *residual = call.residual;
    call.b = g->weights;
    for (int from = 0; from < d->out_c; from += columns) {
        const struct pom_int8_gemm_kernel *kernel = kernel_at(g, from, d->out_c);
        columns = columns_of(g, kernel);
        call.numbers = pom_int8_numbers_at(&g->numbers, (size_t)from);
        call.columns = d->out_c - from < columns ? d->out_c - from : columns;
        for (int line = 0; line < (flat ? 1 : lines); line++) {
            struct pom_int8_gemm_call one = call;
            ptrdiff_t at = (ptrdiff_t)line * d->out_w * d->out_c + from;
            one.a += line * g->layout.a_line;
            one.out = call.to_float ? (void *)((float *)out + at) : (void *)((uint8_t *)out + at);
            one.residual = residual ? residual + at : NULL;
            run_line(kernel, width, one);
        }
        call.b += panel_rows(g) * (size_t)g->table->weight_bytes * (size_t)columns;
    }
}

static void run(const struct pom_int8_conv *conv, const uint8_t *in, const uint8_t *residual, void *out, int images,
    void *scratch) {
    const struct gemm_conv *g = conv->state;
    const struct pom_conv_desc *d = &conv->layer.desc;
    const int height = d->out_h * images;
    struct pom_int8_gemm_call call = {.a_row = g->layout.a_pixel,
        .segment_at = g->segment_at,
        .segments = g->segments,
        .depth = g->depth,
        .out_row = d->out_c,
        .to_float = conv->layer.to_float,
        .act = conv->layer.act};
    for (int y = 0; y < height; y += g->band) {
        int lines = height - y < g->band ? height - y : g->band;
        ptrdiff_t at = (ptrdiff_t)y * d->out_w * d->out_c;
        call.a = in + y * g->layout.a_line;
        if (g->layout.copied) {
            copy_band(g, d, in, y, lines, scratch);
            call.a = scratch;
        }
        call.residual = residual ? residual + at : NULL;
        call.out = call.to_float ? (void *)((float *)out + at) : (void *)((uint8_t *)out + at);
        run_band(conv, call, lines);
    }
}

const struct pom_int8_method pom_int8_by_gemm = {init, clean_up, run};
