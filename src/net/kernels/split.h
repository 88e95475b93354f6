/* A line of pixels in tiles of (nearly) equal height. */
#ifndef POM_NET_KERNELS_SPLIT_H
#define POM_NET_KERNELS_SPLIT_H

/* `higher` tiles of rows + step, the rest of `rows`. */
struct pom_split {
    int tiles, rows, step, higher;
};

/* Tiles of at most max_rows; pixels go together by step, which divides width and max_rows. */
static inline struct pom_split pom_split_line(int width, int max_rows, int step) {
    int tiles = (width + max_rows - 1) / max_rows, units = width / step;
    return (struct pom_split){.tiles = tiles, .rows = units / tiles * step, .step = step, .higher = units % tiles};
}

#endif
