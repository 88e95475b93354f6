/* Resizing with what is worth keeping between calls: one per thread. */
#ifndef POM_IMAGE_RESIZE_H
#define POM_IMAGE_RESIZE_H

#include "base/status.h"
#include "image/resize_kernels.h"
#include "image/weights.h"
#include <pomona/image.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialise. Keeps the weights of the last sizes and filter, and the working memory: a run of images of one size
 * allocates nothing after the first. */
struct pom_resizer {
    const struct pom_resize_kernels *kernels;
    struct pom_weights across, down;
    uint8_t *row;  /* a source row as RGBx */
    uint8_t *rows; /* what the first pass leaves for the second */
    size_t row_capacity, rows_capacity;
};

/* As pom_image_resize. */
enum pom_status pom_resizer_run(struct pom_resizer *resizer, const struct pom_image *src, int width, int height,
    enum pom_filter filter, struct pom_image *dst, struct pom_message *msg);

/* Refuses sizes and filters that no resize has. */
enum pom_status pom_resize_check(int width, int height, enum pom_filter filter, struct pom_message *msg);

/* Whether Pillow's pass over the rows comes before that over the columns. */
bool pom_resize_down_first(int in_width, int in_height, int out_width, int out_height);

void pom_resizer_clean_up(struct pom_resizer *resizer);

#endif
