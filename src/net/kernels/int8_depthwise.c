/* Depthwise int8 convolutions: a line or two at once, four vectors of channels at a time. */
#include "base/memory.h"
#include "net/kernels/conv.h"
#include "net/kernels/int8_conv.h"
#include "net/kernels/int8_numbers.h"

#include <stdlib.h>
#include <string.h>

struct depthwise_conv {
    const struct pom_int8_table *table;
    const struct pom_int8_depthwise_kernel *kernel;
    int8_t *weights;
    struct pom_int8_packed_numbers numbers;
    uint8_t *zero;         /* what padding is, up to whole panels of channels */
    int block;             /* channels made together */
    int quads, multiplier; /* quads of the lines of taps that are read at once */
    size_t panel;          /* bytes of weights of a block */
    size_t columns_bytes;  /* of scratch, for a line of quads */
};

static bool makes(const struct pom_int8_depthwise_kernel *k, const struct pom_conv_desc *d) {
    return k->kernel == d->kernel_w && k->kernel == d->kernel_h && k->stride == d->stride_w &&
           k->stride == d->stride_h && k->lines <= d->out_h;
}

static const struct pom_int8_depthwise_kernel *kernel_for(
    const struct pom_int8_table *table, const struct pom_int8_layer *l) {
    const struct pom_conv_desc *d = &l->desc;
    bool any =
        d->residual || l->to_float || d->dilation_w != 1 || d->dilation_h != 1 || d->out_w < POM_INT8_LEAST_WIDTH;
    const struct pom_int8_depthwise_kernel *k = table->depthwise;
    while (k->kernel != 0 && (any || !makes(k, d)))
        k++;
    return k;
}

/* The block's channels leave half of it empty: two pixels share it. */
static bool in_pairs(const struct depthwise_conv *w, int columns) {
    return w->kernel->kernel != 0 && columns <= w->block / 2;
}

/* A panel's channels from `from` on, after `width` of which they repeat. */
struct panel {
    int from, width;
};

/* Column kx of the taps in quad q for the output line that is `line` below the first. */
static int8_t *pack_column(const struct depthwise_conv *w, const struct pom_int8_layer *l, struct panel panel, int line,
    int q, int kx, int8_t *to) {
    const struct pom_conv_desc *d = &l->desc;
    int lanes = w->table->lanes, first = q * POM_QUAD - line * d->stride_h;
    for (int v = 0; v < 4; v++, to += (ptrdiff_t)lanes * w->table->weight_bytes)
        for (int lane = 0; lane < lanes; lane++) {
            int channel = panel.from + pom_int8_channel(4, v, lane) % panel.width;
            int8_t taps[POM_QUAD] = {0};
            for (int j = 0; j < POM_QUAD && channel < d->out_c; j++)
                if (first + j >= 0 && first + j < d->kernel_h)
                    taps[j] = l->weights[((ptrdiff_t)channel * d->kernel_h + first + j) * d->kernel_w + kx];
            pom_int8_pack_quad(w->table, taps, lane, to);
        }
    return to;
}

static void pack(const struct depthwise_conv *w, const struct pom_int8_layer *l) {
    int8_t *to = w->weights;
    for (int from = 0; from < l->desc.out_c; from += w->block) {
        struct panel panel = {from, in_pairs(w, l->desc.out_c - from) ? w->block / 2 : w->block};
        pom_int8_numbers_set(&w->numbers, (size_t)from, l, w->table, 4, panel.from, panel.width);
        for (int line = 0; line < w->kernel->lines; line++)
            for (int q = 0; q < w->quads; q++)
                for (int kx = 0; kx < l->desc.kernel_w; kx++)
                    to = pack_column(w, l, panel, line, q, kx, to);
    }
}

static enum pom_status init_weights(struct pom_int8_conv *conv, struct depthwise_conv *w, struct pom_message *msg) {
    const struct pom_conv_desc *d = &conv->layer.desc;
    size_t blocks = ((size_t)d->out_c + (size_t)w->block - 1) / (size_t)w->block, columns = blocks * (size_t)w->block;
    w->panel = (size_t)w->kernel->lines * (size_t)w->quads * (size_t)d->kernel_w * (size_t)w->block *
               (size_t)w->table->weight_bytes;
    w->weights = pom_alloc_aligned(blocks, w->panel);
    w->zero = pom_calloc(columns, 1);
    POM_TRY(pom_int8_numbers_init(&w->numbers, columns, msg));
    if (!w->weights || !w->zero)
        return pom_fail_memory(msg, "the weights of a convolution");
    for (int c = 0; c < d->out_c; c++)
        w->zero[c] = conv->layer.zero[c / w->multiplier];
    pack(w, &conv->layer);
    conv->weight_bytes = blocks * w->panel + pom_int8_numbers_bytes(columns);
    return POM_OK;
}

static enum pom_status init(struct pom_int8_conv *conv, const struct pom_int8_table *table, struct pom_message *msg) {
    const struct pom_conv_desc *d = &conv->layer.desc;
    struct depthwise_conv *w = conv->state = pom_calloc(1, sizeof *w);
    if (!w)
        return pom_fail_memory(msg, "a convolution");
    w->table = table;
    w->block = 4 * table->lanes;
    w->multiplier = d->out_c / d->in_c;
    w->kernel = kernel_for(table, &conv->layer);
    w->quads = (d->kernel_h + (w->kernel->lines - 1) * d->stride_h + POM_QUAD - 1) / POM_QUAD;
    POM_TRY(init_weights(conv, w, msg));
    if (w->kernel->kernel != 0)
        w->columns_bytes = ((size_t)(d->out_w - 1) * (size_t)d->stride_w + (size_t)d->kernel_w) * (size_t)w->quads *
                           (size_t)w->block * POM_QUAD;
    conv->scratch_bytes = w->columns_bytes;
    if (w->multiplier > 1)
        conv->scratch_bytes += (size_t)d->in_h * (size_t)d->in_w * (size_t)d->out_c;
    conv->kernel_name = w->kernel->name;
    return POM_OK;
}

static void clean_up(struct pom_int8_conv *conv) {
    struct depthwise_conv *w = conv->state;
    if (!w)
        return;
    free(w->weights);
    free(w->zero);
    pom_int8_numbers_clean_up(&w->numbers);
    free(w);
}

/* The lines of taps of output lines from y on; the rest of the quads is of any line. */
static void set_lines(struct pom_int8_depthwise_call *call, const struct depthwise_conv *w,
    const struct pom_conv_desc *d, const uint8_t *in, int y) {
    int lines = d->kernel_h + (w->kernel->lines - 1) * d->stride_h;
    for (int i = 0; i < w->quads * POM_QUAD; i++) {
        long iy = (long)y * d->stride_h - d->pad_top + (long)(i < lines ? i : lines - 1) * d->dilation_h;
        bool inside = iy >= 0 && iy < d->in_h;
        call->line[i] = inside ? in + iy * d->in_w * d->out_c : w->zero;
        call->step[i] = inside ? d->out_c : 0;
    }
}

/* The kernel's output lines; `call` has its lines of taps, residual and output at channel 0. */
static void run_lines(const struct depthwise_conv *w, int channels, struct pom_int8_depthwise_call call) {
    const int8_t *weights = w->weights;
    call.zero = w->zero;
    for (int c = 0; c < channels; c += w->block, weights += w->panel) {
        call.weights = weights;
        call.numbers = pom_int8_numbers_at(&w->numbers, (size_t)c);
        call.columns = channels - c < w->block ? channels - c : w->block;
        call.pairs = in_pairs(w, call.columns);
        w->kernel->run(&call);
        for (int i = 0; i < w->quads * POM_QUAD; i++)
            call.line[i] += w->block;
        call.zero += w->block;
        call.out = call.to_float ? (void *)((float *)call.out + w->block) : (void *)((uint8_t *)call.out + w->block);
        if (call.residual)
            call.residual += w->block;
    }
}

/* Each input channel `multiplier` times, side by side. */
static void repeat_channels(const uint8_t *in, size_t n, int multiplier, uint8_t *to) {
    for (size_t i = 0; i < n; i++, to += multiplier)
        memset(to, in[i], (size_t)multiplier);
}

static void run(const struct pom_int8_conv *conv, const uint8_t *in, const uint8_t *residual, void *out, int images,
    void *scratch) {
    (void)images;
    const struct depthwise_conv *w = conv->state;
    const struct pom_conv_desc *d = &conv->layer.desc;
    int lines = w->kernel->lines;
    if (w->multiplier > 1) {
        uint8_t *repeated = (uint8_t *)scratch + w->columns_bytes;
        repeat_channels(in, (size_t)d->in_h * (size_t)d->in_w * (size_t)d->in_c, w->multiplier, repeated);
        in = repeated;
    }
    struct pom_int8_depthwise_call call = {.first = -d->pad_left,
        .in_w = d->in_w,
        .out_w = d->out_w,
        .out_pixel = d->out_c,
        .out_line = (ptrdiff_t)d->out_w * d->out_c,
        .scratch = scratch,
        .to_float = conv->layer.to_float,
        .act = conv->layer.act,
        .kernel_w = d->kernel_w,
        .stride = d->stride_w,
        .dilation = d->dilation_w,
        .quads = w->quads};
    for (int i = 0; i < d->out_h; i += lines) {
        int y = i < d->out_h - lines ? i : d->out_h - lines; /* the last may make a line again */
        ptrdiff_t at = y * call.out_line;
        set_lines(&call, w, d, in, y);
        call.residual = residual ? residual + at : NULL;
        call.out = call.to_float ? (void *)((float *)out + at) : (void *)((uint8_t *)out + at);
        run_lines(w, d->out_c, call);
    }
}

const struct pom_int8_method pom_int8_by_depthwise = {init, clean_up, run};
