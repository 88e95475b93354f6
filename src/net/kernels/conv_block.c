/* Convolution, depthwise convolution and pointwise convolution as one, so that the wide pictures between them stay in
 * the near caches. The first goes, panel by panel of channels, to rings of lines from which the second makes its own;
 * the third reads those while they are warm. Each output is the same chain as in the separate layers. */
#include "base/memory.h"
#include "net/kernels/conv.h"

enum {
    WORTH_BYTES = 512 * 1024, /* a smaller picture stays near by itself */
    PLANE_BYTES = 128 * 1024, /* one ring serves all panels where it holds the whole of one */
    RINGS_BYTES = 256 * 1024  /* else all rings together */
};

/* How a block is cut. Sizes in elements. */
struct cut {
    int panel;                       /* elements */
    int lines, band;                 /* of a ring; output lines of the depthwise layer made together */
    size_t ring, next, copy, middle; /* a ring; from panel to panel; the first layer's copy; the depthwise outputs */
    size_t panels;
};

static int lines_of_window(const struct pom_conv_desc *d) {
    return (d->kernel_h - 1) * d->dilation_h + 1;
}

static size_t aligned(size_t floats) {
    const size_t step = POM_ALIGN / sizeof(float);
    return (floats + step - 1) / step * step;
}

static struct cut cut_of(const struct pom_conv_block *block) {
    const struct pom_conv_desc *d = &block->depthwise->desc;
    struct cut cut = {.panel = pom_gemm_conv_panel(block->first)};
    size_t line = (size_t)d->in_w * (size_t)cut.panel, least = (size_t)lines_of_window(d);
    cut.panels = (size_t)((d->in_c + cut.panel - 1) / cut.panel);
    size_t lines = (size_t)d->in_h;
    if (line * lines * sizeof(float) > PLANE_BYTES) {
        lines = RINGS_BYTES / sizeof(float) / (line * cut.panels);
        lines = lines > least ? lines : least;
    }
    bool whole = lines >= (size_t)d->in_h;
    cut.lines = whole ? d->in_h : (int)lines;
    cut.band = whole ? d->out_h : (cut.lines - (int)least) / d->stride_h + 1;
    cut.ring = aligned(line * (size_t)cut.lines);
    cut.next = whole ? 0 : cut.ring;
    cut.copy = aligned(pom_gemm_conv_scratch(block->first, cut.lines) / sizeof(float));
    cut.middle = block->last ? aligned((size_t)cut.band * (size_t)d->out_w * (size_t)d->out_c) : 0;
    return cut;
}

static bool is_pointwise(const struct pom_conv_desc *d) {
    return d->kernel_h == 1 && d->kernel_w == 1 && d->stride_h == 1 && d->stride_w == 1 && d->groups == 1 &&
           d->pad_top == 0 && d->pad_left == 0 && d->out_h == d->in_h && d->out_w == d->in_w;
}

bool pom_conv_block_fits(const struct pom_conv_block *block) {
    const struct pom_conv_desc *a = &block->first->desc, *b = &block->depthwise->desc;
    if (block->first->pack != block->depthwise->pack || block->first->method != &pom_conv_by_gemm ||
        block->depthwise->method != &pom_conv_by_depthwise || a->groups > 1 || a->residual || b->residual ||
        b->out_c != b->in_c || b->stride_h > lines_of_window(b) || b->pad_top >= lines_of_window(b))
        return false;
    int panel = pom_gemm_conv_panel(block->first);
    if (panel == 0 || (block->first->scratch_bytes > 0 && a->out_c > panel && cut_of(block).next == 0))
        return false;
    if ((size_t)b->in_h * (size_t)b->in_w * (size_t)b->in_c * sizeof(float) < WORTH_BYTES)
        return false;
    return !block->last ||
           (block->last->pack == block->depthwise->pack && block->last->method == &pom_conv_by_gemm &&
               is_pointwise(&block->last->desc) && block->last->scratch_bytes == 0 && cut_of(block).next > 0);
}

size_t pom_conv_block_scratch_bytes(const struct pom_conv_block *block) {
    struct cut cut = cut_of(block);
    return ((cut.next > 0 ? cut.panels : 1) * cut.ring + cut.copy + cut.middle) * sizeof(float);
}

/* The end of the lines of the first layer that output lines up to `end` of the depthwise one read. */
static int lines_needed(const struct pom_conv_desc *d, int end) {
    int stop = (end - 1) * d->stride_h - d->pad_top + lines_of_window(d);
    return stop < d->in_h ? stop : d->in_h;
}

/* Lines [made, end) of the panels [c, stop) into their rings. */
static void make_lines(const struct pom_conv_block *block, const struct cut *cut, const float *in, int c, int stop,
    int made, int end, float *rings, float *copy) {
    while (made < end) {
        int at = made % cut->lines, lines = cut->lines - at < end - made ? cut->lines - at : end - made;
        const float *a = pom_gemm_conv_left(block->first, in, made, lines, copy);
        for (int panel = c; panel < stop; panel += cut->panel) {
            float *ring = rings + (size_t)(panel / cut->panel) * cut->next;
            float *to = ring + (size_t)at * (size_t)block->first->desc.out_w * (size_t)cut->panel;
            pom_gemm_conv_run_lines(block->first, a, lines, panel, to, cut->panel);
        }
        made += lines;
    }
}

/* Output lines [y, end) of the depthwise layer, of the panels [c, stop). */
static void run_depthwise(const struct pom_conv_block *block, const struct cut *cut, int y, int end, int c, int stop,
    const float *rings, float *out) {
    const struct pom_conv_desc *d = &block->depthwise->desc;
    struct pom_line_ring lines = {.lines = cut->lines, .pixel = cut->panel, .line = (ptrdiff_t)d->in_w * cut->panel};
    for (int panel = c, next; panel < stop; panel = next) {
        next = panel + cut->panel < stop ? panel + cut->panel : stop;
        lines.data = rings + (size_t)(panel / cut->panel) * cut->next;
        pom_depthwise_run_lines(block->depthwise, y, end, panel, next, &lines, out);
    }
}

void pom_conv_block_run(
    const struct pom_conv_block *block, const void *in, const void *residual, void *out, void *scratch) {
    const struct pom_conv_desc *d = &block->depthwise->desc;
    const struct cut cut = cut_of(block);
    float *copy = scratch, *middle = copy + cut.copy, *rings = middle + cut.middle;
    const size_t line = (size_t)d->out_w * (size_t)d->out_c;
    const int at_once = cut.copy > 0 ? d->in_c : cut.panel; /* channels: all of them read the copy */
    residual = block->last && block->last->desc.residual ? residual : NULL;
    for (int y = 0, made = 0, end; y < d->out_h; y = end) {
        end = y + cut.band < d->out_h ? y + cut.band : d->out_h;
        int needed = lines_needed(d, end);
        float *to = block->last ? middle : (float *)out + (size_t)y * line;
        for (int c = 0, next; c < d->in_c; c = next) {
            next = at_once < d->in_c - c ? c + at_once : d->in_c;
            make_lines(block, &cut, in, c, next, made, needed, rings, copy);
            run_depthwise(block, &cut, y, end, c, next, rings, to);
        }
        made = needed;
        if (block->last)
            pom_gemm_conv_run_band(block->last, middle, residual, out, y, end - y);
    }
}
