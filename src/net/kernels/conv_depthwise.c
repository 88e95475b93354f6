/* Depthwise convolutions: a vector of channels at a time, down the lines of a column of tiles, so that the lines of
 * taps that neighbouring outputs share are met again while they are near. */
#include "base/memory.h"
#include "net/kernels/conv.h"

#include <stdlib.h>
#include <string.h>

/* Neighbouring output lines with the same lines of taps inside the picture. */
struct run {
    int y, lines, tap0, tap1;
};

/* Neighbouring outputs of a line, and which columns of their taps lie inside the picture. */
struct tile {
    const struct pom_depthwise_kernel *kernel;
    int x, tap0, tap1;
    unsigned padding;
};

struct depthwise_conv {
    int lanes, pack, multiplier; /* elements of a vector of channels; channels of an element */
    const struct pom_depthwise_kernel *any;
    float *weights; /* per vector of channels: its bias, then its taps */
    struct run *runs;
    struct tile *tiles, *pixels;   /* a line in tiles; and pixel by pixel, for a last, partial vector */
    int n_runs, n_tiles, elements; /* of a pixel */
};

enum { LINE_FLOATS = POM_ALIGN / sizeof(float) };
enum { BAND_LINES = 32 }; /* output lines made before the next vectors of channels */

static int clamp(long x, int low, int high) {
    return x < low ? low : x > high ? high : (int)x;
}

/* Of `taps` taps, at start, start + step, ..., which lie in [0, size): [*first, *end). */
static void inside(long start, int step, int taps, int size, int *first, int *end) {
    *first = clamp(start < 0 ? (-start + step - 1) / step : 0, 0, taps);
    *end = clamp(size > start ? (size - start + step - 1) / step : 0, *first, taps);
}

static void make_runs(struct depthwise_conv *w, const struct pom_conv_desc *d) {
    for (int y = 0; y < d->out_h; y++) {
        struct run line = {.y = y, .lines = 1}, *last = w->n_runs > 0 ? &w->runs[w->n_runs - 1] : NULL;
        inside((long)y * d->stride_h - d->pad_top, d->dilation_h, d->kernel_h, d->in_h, &line.tap0, &line.tap1);
        if (last && last->tap0 == line.tap0 && last->tap1 == line.tap1 && last->lines < BAND_LINES)
            last->lines++;
        else
            w->runs[w->n_runs++] = line;
    }
}

/* Whether the kernel can make the outputs from x on; fills the rest of the tile. */
static bool fits(const struct pom_depthwise_kernel *kernel, const struct pom_conv_desc *d, int x, struct tile *tile) {
    long start = (long)x * d->stride_w - d->pad_left;
    *tile = (struct tile){.kernel = kernel, .x = x};
    if (kernel->kernel == 0) {
        inside(start, d->dilation_w, d->kernel_w, d->in_w, &tile->tap0, &tile->tap1);
        return true;
    }
    if (kernel->kernel != d->kernel_w || kernel->stride != d->stride_w || d->dilation_w != 1 ||
        kernel->pixels > d->out_w - x)
        return false;
    int columns = (kernel->pixels - 1) * kernel->stride + kernel->kernel;
    int first, end;
    inside(start, 1, columns, d->in_w, &first, &end);
    for (int j = 0; j < columns; j++)
        tile->padding |= (unsigned)(j < first || j >= end) << j;
    return first < kernel->kernel && columns - end < kernel->kernel;
}

static void make_tiles(struct depthwise_conv *w, const struct pom_conv_desc *d, const struct pom_kernel_table *table) {
    for (int x = 0; x < d->out_w; x += w->tiles[w->n_tiles++].kernel->pixels)
        for (w->any = table->depthwise; !fits(w->any, d, x, &w->tiles[w->n_tiles]); w->any++)
            ;
    while (w->any->kernel != 0)
        w->any++;
    for (int x = 0; x < d->out_w; x++)
        fits(w->any, d, x, &w->pixels[x]);
}

static void pack(struct depthwise_conv *w, const struct pom_conv_desc *d, const float *weights, const float *bias) {
    size_t taps = (size_t)d->kernel_h * (size_t)d->kernel_w;
    float *to = w->weights;
    int lanes = w->lanes * w->pack, channels = w->elements * w->pack;
    for (int c = 0; c < channels; c += lanes)
        for (size_t row = 0; row <= taps; row++)
            for (int i = c; i < c + lanes; i++) {
                float value = 0.0f;
                if (i < channels && (row > 0 || bias))
                    value = row > 0 ? weights[(size_t)i * taps + row - 1] : bias[i];
                *to++ = value;
            }
}

static enum pom_status init(struct pom_conv *conv, const struct pom_kernel_table *table, const float *weights,
    const float *bias, struct pom_message *msg) {
    const struct pom_conv_desc *d = &conv->desc;
    struct depthwise_conv *w = conv->state = pom_calloc(1, sizeof *w);
    if (!w)
        return pom_fail_memory(msg, "a convolution");
    w->pack = table->pack;
    w->lanes = table->lanes / w->pack;
    w->elements = d->out_c;
    w->multiplier = d->out_c / d->in_c;
    size_t vectors = ((size_t)d->out_c + (size_t)w->lanes - 1) / (size_t)w->lanes;
    size_t n = vectors * ((size_t)d->kernel_h * (size_t)d->kernel_w + 1) * (size_t)table->lanes;
    w->weights = pom_alloc_aligned(n, sizeof(float));
    w->runs = pom_calloc((size_t)d->out_h, sizeof *w->runs);
    w->tiles = pom_calloc((size_t)d->out_w, sizeof *w->tiles);
    w->pixels = pom_calloc((size_t)d->out_w, sizeof *w->pixels);
    if (!w->weights || !w->runs || !w->tiles || !w->pixels)
        return pom_fail_memory(msg, "the weights of a convolution");
    pack(w, d, weights, bias);
    make_runs(w, d);
    make_tiles(w, d, table);
    conv->weight_bytes = n * sizeof(float);
    conv->kernel_name = w->tiles[0].kernel->name;
    if (w->multiplier > 1)
        conv->scratch_bytes = (size_t)d->in_h * (size_t)d->in_w * (size_t)d->out_c * sizeof(float);
    return POM_OK;
}

static void clean_up(struct pom_conv *conv) {
    struct depthwise_conv *w = conv->state;
    if (!w)
        return;
    free(w->weights);
    free(w->runs);
    free(w->tiles);
    free(w->pixels);
    free(w);
}

/* One run of lines, the vectors of channels at elements [c, stop), the first of which is where `in` begins. Whole
 * vectors only, or the last, partial one. A tile's vectors come one after the other, as they lie in the same lines of
 * the cache. */
static void run_lines(const struct pom_conv *conv, const struct run *run, int c, int stop,
    const struct pom_line_ring *in, const float *residual, float *out) {
    const struct depthwise_conv *w = conv->state;
    const struct pom_conv_desc *d = &conv->desc;
    const ptrdiff_t top = (ptrdiff_t)run->y * d->stride_h - d->pad_top + (ptrdiff_t)run->tap0 * d->dilation_h;
    const float *line = in->data + top % in->lines * in->line, *end = in->data + in->lines * in->line;
    const size_t rows = (size_t)d->kernel_h * (size_t)d->kernel_w + 1; /* of weights */
    bool whole = c + w->lanes <= w->elements;
    const struct tile *tiles = whole ? w->tiles : w->pixels;
    struct pom_depthwise_call call = {.in_pixel = d->dilation_w * in->pixel,
        .in_line = d->dilation_h * in->line,
        .in_next = d->stride_h * in->line,
        .in_ring = in->lines * in->line,
        .out_pixel = w->elements,
        .out_line = (ptrdiff_t)d->out_w * w->elements,
        .lines = run->lines,
        .tap_y0 = run->tap0,
        .tap_y1 = run->tap1,
        .kernel_w = d->kernel_w,
        .lanes = (whole ? w->lanes : w->elements - c) * w->pack,
        .act = conv->act};
    for (int i = 0; i < (whole ? w->n_tiles : d->out_w); i++) {
        ptrdiff_t from = ((ptrdiff_t)tiles[i].x * d->stride_w - d->pad_left) * in->pixel - c;
        ptrdiff_t at = ((ptrdiff_t)run->y * d->out_w + tiles[i].x) * w->elements;
        call.tap_x0 = tiles[i].tap0;
        call.tap_x1 = tiles[i].tap1;
        call.padding = tiles[i].padding;
        for (int v = c; v < stop; v += w->lanes) {
            call.in = line + from + v;
            call.in_end = end + from + v;
            call.weights = w->weights + (size_t)(v * w->pack) * rows;
            call.residual = residual ? residual + at + v : NULL;
            call.out = out + at + v;
            tiles[i].kernel->run(&call);
        }
    }
}

/* Each input channel `multiplier` times, side by side. */
static void repeat_channels(const float *in, size_t n, int multiplier, float *to) {
    for (size_t i = 0; i < n; i++)
        for (int j = 0; j < multiplier; j++)
            *to++ = in[i];
}

/* Where the vectors from c on end that go together, at `stop` at the latest: one alone fills a line of the cache,
 * narrower ones share it; the last, partial one goes alone. */
static int group_end(const struct depthwise_conv *w, int c, int stop) {
    const int whole = w->elements / w->lanes * w->lanes;
    if (c >= whole)
        return w->elements;
    stop = w->lanes < LINE_FLOATS ? stop : c + w->lanes;
    return stop < whole ? stop : whole;
}

static void run_image(const struct pom_conv *conv, const float *in, const float *residual, float *out, float *scratch) {
    const struct depthwise_conv *w = conv->state;
    const struct pom_conv_desc *d = &conv->desc;
    if (w->multiplier > 1) {
        repeat_channels(in, (size_t)d->in_h * (size_t)d->in_w * (size_t)d->in_c, w->multiplier, scratch);
        in = scratch;
    }
    struct pom_line_ring picture = {.lines = d->in_h, .pixel = w->elements, .line = (ptrdiff_t)d->in_w * w->elements};
    for (int i = 0; i < w->n_runs; i++)
        for (int c = 0, stop; c < w->elements; c = stop) {
            stop = group_end(w, c, c + LINE_FLOATS);
            picture.data = in + c;
            run_lines(conv, &w->runs[i], c, stop, &picture, residual, out);
        }
}

void pom_depthwise_run_lines(
    const struct pom_conv *conv, int y, int end, int c, int stop, const struct pom_line_ring *in, float *out) {
    const struct depthwise_conv *w = conv->state;
    struct pom_line_ring group = *in;
    out -= (ptrdiff_t)y * conv->desc.out_w * w->elements;
    for (int next; c < stop; group.data += next - c, c = next) {
        next = group_end(w, c, stop);
        for (int i = 0; i < w->n_runs; i++) {
            struct run run = w->runs[i];
            int last = run.y + run.lines < end ? run.y + run.lines : end;
            run.y = run.y > y ? run.y : y;
            run.lines = last - run.y;
            if (run.lines > 0)
                run_lines(conv, &run, c, next, &group, NULL, out);
        }
    }
}

static void run(
    const struct pom_conv *conv, const float *in, const float *residual, float *out, int images, float *scratch) {
    size_t in_floats = pom_conv_in_floats(&conv->desc), out_floats = pom_conv_out_floats(&conv->desc);
    for (size_t i = 0; i < (size_t)images; i++)
        run_image(conv, in + i * in_floats, residual ? residual + i * out_floats : NULL, out + i * out_floats, scratch);
}

const struct pom_conv_method pom_conv_by_depthwise = {init, clean_up, run};
