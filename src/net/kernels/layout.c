#include "net/kernels/layout.h"
#include "base/memory.h"

enum {
    CACHE_WAY_BYTES = 4096, /* rows this far apart share a set of a level 1 cache */
    APART_BYTES = 64        /* keep them from it */
};

static bool reaches_outside(const struct pom_conv_desc *d) {
    long bottom = (long)(d->out_h - 1) * d->stride_h - d->pad_top + (long)(d->kernel_h - 1) * d->dilation_h;
    long right = (long)(d->out_w - 1) * d->stride_w - d->pad_left + (long)(d->kernel_w - 1) * d->dilation_w;
    return d->pad_top > 0 || d->pad_left > 0 || bottom >= d->in_h || right >= d->in_w;
}

static bool crowds_cache(const struct pom_conv_desc *d, int pixels, size_t element_bytes) {
    return (size_t)pixels * (size_t)d->in_c * element_bytes % CACHE_WAY_BYTES == 0;
}

struct pom_conv_layout pom_conv_layout_of(const struct pom_conv_desc *d, size_t element_bytes, bool copied) {
    struct pom_conv_layout l = {.sample_h = 1, .sample_w = 1, .columns = d->in_w, .pixel = d->in_c};
    l.copied = copied || reaches_outside(d) || crowds_cache(d, d->stride_w, element_bytes);
    if (l.copied) {
        l.sample_h = d->kernel_h == 1 ? d->stride_h : 1;
        l.sample_w = d->kernel_w == 1 ? d->stride_w : 1;
        l.columns = (d->out_w - 1) * (d->stride_w / l.sample_w) + (d->kernel_w - 1) * d->dilation_w + 1;
        if (crowds_cache(d, d->stride_w / l.sample_w, element_bytes))
            l.pixel += APART_BYTES / (int)element_bytes;
    }
    l.line = (ptrdiff_t)l.columns * l.pixel;
    l.a_line = d->stride_h / l.sample_h * l.line;
    l.a_pixel = (ptrdiff_t)(d->stride_w / l.sample_w) * l.pixel;
    return l;
}

int pom_conv_copied_lines(const struct pom_conv_desc *d, const struct pom_conv_layout *l, int lines) {
    return (lines - 1) * (d->stride_h / l->sample_h) + (d->kernel_h - 1) * d->dilation_h + 1;
}

bool pom_conv_taps_together(const struct pom_conv_desc *d, const struct pom_conv_layout *l) {
    return d->groups == 1 && d->dilation_w == 1 && l->pixel == d->in_c;
}

ptrdiff_t *pom_conv_segments(const struct pom_conv_desc *d, const struct pom_conv_layout *l, int *n) {
    int across = pom_conv_taps_together(d, l) ? 1 : d->kernel_w;
    *n = d->kernel_h * across;
    ptrdiff_t *at = pom_calloc((size_t)*n, sizeof *at);
    for (int ky = 0; ky < d->kernel_h && at; ky++)
        for (int kx = 0; kx < across; kx++)
            at[ky * across + kx] = ky * d->dilation_h * l->line + (ptrdiff_t)kx * d->dilation_w * l->pixel;
    return at;
}

bool pom_conv_is_pointwise(const struct pom_conv_desc *d) {
    return d->kernel_h == 1 && d->kernel_w == 1 && d->stride_h == 1 && d->stride_w == 1 && d->in_h == d->out_h &&
           d->in_w == d->out_w && d->pad_top == 0 && d->pad_left == 0;
}
