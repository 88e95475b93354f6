/* Which taps of a pooling window lie inside the picture. */
#ifndef POM_NET_KERNELS_WINDOW_H
#define POM_NET_KERNELS_WINDOW_H

#include "net/kernels/kernels.h"

/* Coordinates first, first + dilation, ... below end; taps of them inside the picture, padded_taps inside the padded
 * one. */
struct pom_window {
    int first, end, taps, padded_taps;
};

static inline int pom_window_steps(long first, long end, int dilation) {
    return end > first ? (int)((end - first + dilation - 1) / dilation) : 0;
}

static inline struct pom_window pom_window_of(long start, int kernel, int dilation, int size, int pad_after) {
    long stop = start + (long)(kernel - 1) * dilation + 1;
    long first = start >= 0 ? start : start + (-start + dilation - 1) / dilation * dilation;
    long end = stop < size ? stop : size, padded_end = stop < (long)size + pad_after ? stop : (long)size + pad_after;
    struct pom_window window = {
        .taps = pom_window_steps(first, end, dilation), .padded_taps = pom_window_steps(start, padded_end, dilation)};
    if (window.taps > 0) {
        window.first = (int)first;
        window.end = (int)end;
    }
    return window;
}

static inline struct pom_window pom_window_rows(const struct pom_pool_desc *d, int out_y) {
    return pom_window_of((long)out_y * d->stride_h - d->pad_top, d->kernel_h, d->dilation_h, d->in_h, d->pad_bottom);
}

static inline struct pom_window pom_window_columns(const struct pom_pool_desc *d, int out_x) {
    return pom_window_of((long)out_x * d->stride_w - d->pad_left, d->kernel_w, d->dilation_w, d->in_w, d->pad_right);
}

/* What the sum is divided by: 1 for no taps. */
static inline float pom_window_divisor(
    const struct pom_pool_desc *d, struct pom_window rows, struct pom_window columns) {
    int taps = d->count_include_pad ? rows.padded_taps * columns.padded_taps : rows.taps * columns.taps;
    return taps > 0 ? (float)taps : 1.0f;
}

#endif
