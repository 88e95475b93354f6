/* Every convolution that is not depthwise, as matrix products whose left side is read where it lies: a window is
 * `segments` runs of neighbouring floats at fixed distances. Where padding, or a pixel step that would crowd one set of
 * the cache, stands in the way, a band of lines is first copied to scratch. */
#include "base/memory.h"
#include "net/kernels/conv.h"
#include "net/kernels/gemm.h"
#include "net/kernels/layout.h"
#include "net/kernels/split.h"

#include <stdlib.h>
#include <string.h>

struct gemm_conv {
    struct pom_gemm *groups;
    ptrdiff_t *segment_at;
    int segments, depth;
    int band; /* output lines that are made together */
    struct pom_conv_layout layout;
};

enum { SMALL_HEIGHT = 56 };

/* There are so few pixels that a run of images is better seen as one high picture. */
static bool is_small_pointwise(const struct pom_conv_desc *d) {
    return pom_conv_is_pointwise(d) && d->in_h <= SMALL_HEIGHT;
}

/* From ONNX's n x depth x taps. */
static void pack(const struct pom_gemm *gemm, const float *weights, size_t taps, size_t depth) {
    for (size_t tap = 0; tap < taps; tap++)
        pom_gemm_pack(gemm, &(struct pom_gemm_block){.weights = weights + tap,
                                .row = (int)(tap * depth),
                                .rows = (int)depth,
                                .columns = gemm->n,
                                .step_row = taps,
                                .step_column = depth * taps});
}

static enum pom_status init_weights(struct gemm_conv *g, const struct pom_conv_desc *d,
    const struct pom_kernel_table *table, const float *weights, const float *bias, struct pom_message *msg) {
    size_t taps = (size_t)d->kernel_h * (size_t)d->kernel_w, depth = (size_t)(d->in_c / d->groups);
    bool flat = g->layout.a_line == d->out_w * g->layout.a_pixel;
    struct pom_gemm_shape shape = {.k = (int)(taps * depth),
        .n = d->out_c / d->groups * table->pack,
        .width = flat ? g->band * d->out_w : d->out_w,
        .even = d->out_w % 2 == 0};
    size_t n = (size_t)shape.n;
    g->groups = pom_calloc((size_t)d->groups, sizeof *g->groups);
    if (!g->groups)
        return pom_fail_memory(msg, "a convolution");
    for (size_t i = 0; i < (size_t)d->groups; i++) {
        POM_TRY(pom_gemm_init(&g->groups[i], 1, table, &shape, bias ? bias + i * n : NULL, msg));
        pack(&g->groups[i], weights + i * n * depth * taps, taps, depth);
    }
    return POM_OK;
}

size_t pom_gemm_conv_scratch(const struct pom_conv *conv, int lines) {
    const struct pom_conv_layout *l = &((const struct gemm_conv *)conv->state)->layout;
    return l->copied ? (size_t)pom_conv_copied_lines(&conv->desc, l, lines) * (size_t)l->line * sizeof(float) : 0;
}

static enum pom_status init(struct pom_conv *conv, const struct pom_kernel_table *table, const float *weights,
    const float *bias, struct pom_message *msg) {
    const struct pom_conv_desc *d = &conv->desc;
    struct gemm_conv *g = conv->state = pom_calloc(1, sizeof *g);
    if (!g)
        return pom_fail_memory(msg, "a convolution");
    g->layout = pom_conv_layout_of(d, sizeof(float), false);
    g->band = pom_split_band(d, sizeof(float));
    g->depth = d->in_c / d->groups * (pom_conv_taps_together(d, &g->layout) ? d->kernel_w : 1);
    g->segment_at = pom_conv_segments(d, &g->layout, &g->segments);
    if (!g->segment_at)
        return pom_fail_memory(msg, "a convolution");
    POM_TRY(init_weights(g, d, table, weights, bias, msg));
    for (int i = 0; i < d->groups; i++)
        conv->weight_bytes += pom_gemm_bytes(&g->groups[i]);
    conv->scratch_bytes = pom_gemm_conv_scratch(conv, g->band);
    conv->kernel_name = g->groups[0].main->name;
    return POM_OK;
}

static void clean_up(struct pom_conv *conv) {
    struct gemm_conv *g = conv->state;
    if (!g)
        return;
    for (int i = 0; g->groups && i < conv->desc.groups; i++)
        pom_gemm_clean_up(&g->groups[i]);
    free(g->groups);
    free(g->segment_at);
    free(g);
}

/* One line of the copy: in_line NULL is padding above or below. */
static void copy_line(const struct pom_conv_desc *d, const struct pom_conv_layout *l, const float *in_line, float *to) {
    const size_t bytes = (size_t)d->in_c * sizeof(float);
    int column = 0;
    for (long ix = -(long)d->pad_left; column < l->columns; column++, ix += l->sample_w, to += l->pixel) {
        if (!in_line || ix < 0 || ix >= d->in_w) {
            memset(to, 0, bytes);
        } else if (l->sample_w == 1 && l->pixel == d->in_c) {
            long run = d->in_w - ix < l->columns - column ? d->in_w - ix : l->columns - column;
            memcpy(to, in_line + ix * d->in_c, (size_t)run * bytes);
            column += (int)run - 1;
            ix += run - 1;
            to += (run - 1) * l->pixel;
        } else {
            memcpy(to, in_line + ix * d->in_c, bytes);
        }
    }
}

static void copy_band(
    const struct pom_conv_desc *d, const struct pom_conv_layout *l, const float *in, int y, int lines, float *scratch) {
    long iy = (long)y * d->stride_h - d->pad_top;
    for (int i = pom_conv_copied_lines(d, l, lines); i > 0; i--, iy += l->sample_h, scratch += l->line)
        copy_line(d, l, iy >= 0 && iy < d->in_h ? in + iy * d->in_w * d->in_c : NULL, scratch);
}

/* `lines` lines, as one where they are. */
static struct pom_gemm_view view_of(const struct pom_conv *conv, int lines, int out_pixel) {
    const struct gemm_conv *g = conv->state;
    const struct pom_conv_desc *d = &conv->desc;
    bool flat = g->layout.a_line == d->out_w * g->layout.a_pixel;
    return (struct pom_gemm_view){.lines = flat ? 1 : lines,
        .width = flat ? lines * d->out_w : d->out_w,
        .a_line = g->layout.a_line,
        .a_pixel = g->layout.a_pixel,
        .out_line = (ptrdiff_t)d->out_w * out_pixel,
        .out_pixel = out_pixel,
        .segment_at = g->segment_at,
        .segments = g->segments,
        .depth = g->depth,
        .act = conv->act};
}

void pom_gemm_conv_run_band(
    const struct pom_conv *conv, const float *a, const float *residual, float *out, int y, int lines) {
    const struct gemm_conv *g = conv->state;
    const struct pom_conv_desc *d = &conv->desc;
    ptrdiff_t first = (ptrdiff_t)y * d->out_w * d->out_c;
    struct pom_gemm_view view = view_of(conv, lines, d->out_c);
    for (int i = 0; i < d->groups; i++) {
        ptrdiff_t at = first + (ptrdiff_t)i * (d->out_c / d->groups);
        view.a = a + (ptrdiff_t)i * (d->in_c / d->groups);
        view.residual = residual ? residual + at : NULL;
        view.out = out + at;
        pom_gemm_run(&g->groups[i], &view);
    }
}

/* The left side of `lines` output lines from y on. */
static const float *left_side(
    const struct pom_conv *conv, const struct pom_conv_desc *d, const float *in, int y, int lines, float *scratch) {
    const struct gemm_conv *g = conv->state;
    if (!g->layout.copied)
        return in + y * g->layout.a_line;
    copy_band(d, &g->layout, in, y, lines, scratch);
    return scratch;
}

/* d: the layer's, or that of a higher picture. */
static void run_picture(const struct pom_conv *conv, const struct pom_conv_desc *d, const float *in,
    const float *residual, float *out, float *scratch) {
    const struct gemm_conv *g = conv->state;
    for (int y = 0; y < d->out_h; y += g->band) {
        int lines = d->out_h - y < g->band ? d->out_h - y : g->band;
        pom_gemm_conv_run_band(conv, left_side(conv, d, in, y, lines, scratch), residual, out, y, lines);
    }
}

static void run(
    const struct pom_conv *conv, const float *in, const float *residual, float *out, int images, float *scratch) {
    struct pom_conv_desc d = conv->desc;
    if (is_small_pointwise(&d)) {
        d.in_h *= images;
        d.out_h *= images;
        images = 1;
    }
    size_t in_floats = pom_conv_in_floats(&d), out_floats = pom_conv_out_floats(&d);
    for (size_t i = 0; i < (size_t)images; i++)
        run_picture(
            conv, &d, in + i * in_floats, residual ? residual + i * out_floats : NULL, out + i * out_floats, scratch);
}

int pom_gemm_conv_panel(const struct pom_conv *conv) {
    const struct pom_gemm *gemm = ((const struct gemm_conv *)conv->state)->groups;
    bool between = gemm->main->columns % gemm->lanes == 0 && !(gemm->last && pom_gemm_in_pairs(gemm->last));
    return between ? gemm->main->columns / gemm->pack : 0;
}

const float *pom_gemm_conv_left(const struct pom_conv *conv, const float *in, int y, int lines, float *scratch) {
    return left_side(conv, &conv->desc, in, y, lines, scratch);
}

void pom_gemm_conv_run_lines(const struct pom_conv *conv, const float *a, int lines, int c, float *out, int pixel) {
    const struct gemm_conv *g = conv->state;
    struct pom_gemm_view view = view_of(conv, lines, pixel);
    view.a = a;
    view.out = out;
    pom_gemm_run_panel(g->groups, &view, c * g->groups->pack);
}

const struct pom_conv_method pom_conv_by_gemm = {init, clean_up, run};
