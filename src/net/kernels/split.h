/* How a picture is cut for matrix products: its lines into bands, a line into tiles. */
#ifndef POM_NET_KERNELS_SPLIT_H
#define POM_NET_KERNELS_SPLIT_H

#include "net/kernels/kernels.h"

/* `higher` tiles of rows + step, the rest of `rows`. */
struct pom_split {
    int tiles, rows, step, higher;
};

/* Tiles of at most max_rows; pixels go together by step, which divides width and max_rows. */
static inline struct pom_split pom_split_line(int width, int max_rows, int step) {
    int tiles = (width + max_rows - 1) / max_rows, units = width / step;
    return (struct pom_split){.tiles = tiles, .rows = units / tiles * step, .step = step, .higher = units % tiles};
}

/* Output lines that are made together, in bands of equal height; for channels of so many bytes. */
static inline int pom_split_band(const struct pom_conv_desc *d, size_t channel_bytes) {
    enum {
        NEAR_BYTES = 32 * 1024, /* of the left side that a panel of weights meets at once */
        NEAR_PIXELS = 56,       /* at least, to make reading the panel worth it */
        WINDOW_PIXELS = 512     /* the same for windows, whose weights may come from afar */
    };
    int lines = (WINDOW_PIXELS + d->out_w - 1) / d->out_w;
    if (d->kernel_h == 1 && d->kernel_w == 1) {
        long line_bytes = (long)d->out_w * d->in_c * (long)channel_bytes;
        lines = (NEAR_PIXELS + d->out_w - 1) / d->out_w;
        if (line_bytes * lines < NEAR_BYTES)
            lines = (int)(NEAR_BYTES / line_bytes);
    }
    int bands = (d->out_h + lines - 1) / lines;
    return (d->out_h + bands - 1) / bands;
}

#endif
