/* Every convolution that is not depthwise, as matrix products whose left side is read where it lies: a window is
 * `segments` runs of neighbouring floats at fixed distances. Where padding, or a pixel step that would crowd one set of
 * the cache, stands in the way, a band of lines is first copied to scratch. */
#include "base/memory.h"
#include "net/kernels/conv.h"
#include "net/kernels/gemm.h"
#include "net/kernels/split.h"

#include <stdlib.h>
#include <string.h>

/* Where a band lies: the input itself or its copy. Steps in floats. */
struct layout {
    bool copied;
    int sample_h, sample_w;          /* only every n-th line and column is copied (1x1 with a stride) */
    int columns, pixel;              /* of the copy: pixels in a line, floats from pixel to pixel */
    ptrdiff_t line, a_line, a_pixel; /* from input line to line; from output line to line, pixel to pixel */
};

struct gemm_conv {
    struct pom_gemm *groups;
    ptrdiff_t *segment_at;
    int segments, depth;
    int band; /* output lines that are made together */
    struct layout layout;
};

enum {
    CACHE_WAY_BYTES = 4096, /* rows this far apart share a set of a level 1 cache */
    APART = 16,             /* floats that keep them from it */
    SMALL_HEIGHT = 56
};

static bool reaches_outside(const struct pom_conv_desc *d) {
    long bottom = (long)(d->out_h - 1) * d->stride_h - d->pad_top + (long)(d->kernel_h - 1) * d->dilation_h;
    long right = (long)(d->out_w - 1) * d->stride_w - d->pad_left + (long)(d->kernel_w - 1) * d->dilation_w;
    return d->pad_top > 0 || d->pad_left > 0 || bottom >= d->in_h || right >= d->in_w;
}

/* A pixel gives a pixel, and there are so few that a run of images is better seen as one high picture. */
static bool is_small_pointwise(const struct pom_conv_desc *d) {
    return d->kernel_h == 1 && d->kernel_w == 1 && d->stride_h == 1 && d->stride_w == 1 && d->in_h == d->out_h &&
           d->in_w == d->out_w && !reaches_outside(d) && d->in_h <= SMALL_HEIGHT;
}

static bool crowds_cache(ptrdiff_t pixel) {
    return pixel * (ptrdiff_t)sizeof(float) % CACHE_WAY_BYTES == 0;
}

static struct layout layout_of(const struct pom_conv_desc *d) {
    struct layout l = {.sample_h = 1, .sample_w = 1, .columns = d->in_w, .pixel = d->in_c};
    l.copied = reaches_outside(d) || crowds_cache((ptrdiff_t)d->stride_w * d->in_c);
    if (l.copied) {
        l.sample_h = d->kernel_h == 1 ? d->stride_h : 1;
        l.sample_w = d->kernel_w == 1 ? d->stride_w : 1;
        l.columns = (d->out_w - 1) * (d->stride_w / l.sample_w) + (d->kernel_w - 1) * d->dilation_w + 1;
        if (crowds_cache((ptrdiff_t)(d->stride_w / l.sample_w) * d->in_c))
            l.pixel += APART;
    }
    l.line = (ptrdiff_t)l.columns * l.pixel;
    l.a_line = d->stride_h / l.sample_h * l.line;
    l.a_pixel = (ptrdiff_t)(d->stride_w / l.sample_w) * l.pixel;
    return l;
}

/* Lines of the copy that `lines` output lines need. */
static int copied_lines(const struct pom_conv_desc *d, const struct layout *l, int lines) {
    return (lines - 1) * (d->stride_h / l->sample_h) + (d->kernel_h - 1) * d->dilation_h + 1;
}

/* The taps of a line of the window are one run where they are neighbours in memory. */
static enum pom_status init_segments(struct gemm_conv *g, const struct pom_conv_desc *d, struct pom_message *msg) {
    bool together = d->groups == 1 && d->dilation_w == 1 && g->layout.pixel == d->in_c;
    int across = together ? 1 : d->kernel_w;
    g->depth = d->in_c / d->groups * (together ? d->kernel_w : 1);
    g->segments = d->kernel_h * across;
    g->segment_at = pom_calloc((size_t)g->segments, sizeof *g->segment_at);
    if (!g->segment_at)
        return pom_fail_memory(msg, "a convolution");
    for (int ky = 0; ky < d->kernel_h; ky++)
        for (int kx = 0; kx < across; kx++)
            g->segment_at[ky * across + kx] =
                ky * d->dilation_h * g->layout.line + (ptrdiff_t)kx * d->dilation_w * g->layout.pixel;
    return POM_OK;
}

static enum pom_status init_weights(struct gemm_conv *g, const struct pom_conv_desc *d,
    const struct pom_kernel_table *table, const float *weights, const float *bias, struct pom_message *msg) {
    size_t taps = (size_t)d->kernel_h * (size_t)d->kernel_w, depth = (size_t)(d->in_c / d->groups);
    int n = d->out_c / d->groups * table->pack;
    bool flat = g->layout.a_line == d->out_w * g->layout.a_pixel;
    struct pom_gemm_lines lines = {.width = flat ? g->band * d->out_w : d->out_w, .even = d->out_w % 2 == 0};
    g->groups = pom_calloc((size_t)d->groups, sizeof *g->groups);
    if (!g->groups)
        return pom_fail_memory(msg, "a convolution");
    for (int i = 0; i < d->groups; i++) {
        struct pom_gemm_source source = {.weights = weights + (size_t)i * (size_t)n * depth * taps,
            .bias = bias ? bias + (size_t)i * (size_t)n : NULL,
            .taps = (int)taps,
            .depth = (int)depth,
            .n = n,
            .step_tap = 1,
            .step_c = taps,
            .step_j = depth * taps};
        POM_TRY(pom_gemm_init(&g->groups[i], table, &source, lines, msg));
    }
    return POM_OK;
}

size_t pom_gemm_conv_scratch(const struct pom_conv *conv, int lines) {
    const struct layout *l = &((const struct gemm_conv *)conv->state)->layout;
    return l->copied ? (size_t)copied_lines(&conv->desc, l, lines) * (size_t)l->line * sizeof(float) : 0;
}

static enum pom_status init(struct pom_conv *conv, const struct pom_kernel_table *table, const float *weights,
    const float *bias, struct pom_message *msg) {
    const struct pom_conv_desc *d = &conv->desc;
    struct gemm_conv *g = conv->state = pom_calloc(1, sizeof *g);
    if (!g)
        return pom_fail_memory(msg, "a convolution");
    g->layout = layout_of(d);
    g->band = pom_split_band(d, sizeof(float));
    POM_TRY(init_segments(g, d, msg));
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
static void copy_line(const struct pom_conv_desc *d, const struct layout *l, const float *in_line, float *to) {
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
    const struct pom_conv_desc *d, const struct layout *l, const float *in, int y, int lines, float *scratch) {
    long iy = (long)y * d->stride_h - d->pad_top;
    for (int i = copied_lines(d, l, lines); i > 0; i--, iy += l->sample_h, scratch += l->line)
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

void pom_gemm_conv_run_lines(
    const struct pom_conv *conv, const float *in, int y, int lines, int c, float *out, int pixel, float *scratch) {
    const struct gemm_conv *g = conv->state;
    struct pom_gemm_view view = view_of(conv, lines, pixel);
    view.a = left_side(conv, &conv->desc, in, y, lines, scratch);
    view.out = out;
    pom_gemm_run_panel(g->groups, &view, c * g->groups->pack);
}

const struct pom_conv_method pom_conv_by_gemm = {init, clean_up, run};
