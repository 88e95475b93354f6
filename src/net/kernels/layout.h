/* Where the left side of a convolution by matrix products lies, of floats or bytes: in the input itself, or in a copy
 * of a band of its lines. */
#ifndef POM_NET_KERNELS_LAYOUT_H
#define POM_NET_KERNELS_LAYOUT_H

#include "net/kernels/kernels.h"

/* Steps in elements. */
struct pom_conv_layout {
    bool copied;
    int sample_h, sample_w;          /* only every n-th line and column is copied (1x1 with a stride) */
    int columns, pixel;              /* pixels in a line; elements from pixel to pixel */
    ptrdiff_t line, a_line, a_pixel; /* from input line to line; from output line to line, pixel to pixel */
};

/* Copied where padding, a pixel step that would crowd one set of the cache, or `copied` has it so. */
struct pom_conv_layout pom_conv_layout_of(const struct pom_conv_desc *d, size_t element_bytes, bool copied);

/* Lines of the copy that `lines` output lines need. */
int pom_conv_copied_lines(const struct pom_conv_desc *d, const struct pom_conv_layout *l, int lines);

/* Whether the taps of a line of the window are one run of neighbours in memory. */
bool pom_conv_taps_together(const struct pom_conv_desc *d, const struct pom_conv_layout *l);

/* Where the *n runs of a window begin; for free(), NULL on no memory. */
ptrdiff_t *pom_conv_segments(const struct pom_conv_desc *d, const struct pom_conv_layout *l, int *n);

/* A pixel gives the pixel in its place. */
bool pom_conv_is_pointwise(const struct pom_conv_desc *d);

#endif
