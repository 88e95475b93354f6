/* The weights with which a resampling pass makes each output sample out of a run of input samples. */
#ifndef POM_IMAGE_WEIGHTS_H
#define POM_IMAGE_WEIGHTS_H

#include "base/status.h"
#include <pomona/image.h>
#include <stddef.h>
#include <stdint.h>

enum {
    POM_WEIGHT_BITS =
        22, /* a weight is a fixed-point number with 22 bits after the point: 32 - 8 for a sample - 2 for overshoot */
    POM_TAP_GROUP =
        4 /* each run of weights is padded with zeros to a multiple of this, so that kernels take whole groups */
};

/* Output i is the sum of in[first[i] + t] * weights[i * stride + t] for t in 0..count[i]-1. Zero-initialise. */
struct pom_weights {
    int in, out; /* samples before and after */
    enum pom_filter filter;
    size_t stride;
    int *first, *count;
    int32_t *weights;
    double *exact; /* one run, before it is rounded: scratch */
    size_t out_capacity, weights_capacity, exact_capacity;
};

/* Makes *weights those of (in, out, filter), unless they already are. The computation is Pillow's (precompute_coeffs
 * and normalize_coeffs_8bpc of its src/libImaging/Resample.c), operation by operation in double, hence the same bits;
 * Lanczos leans on the C library's sin, whose last bit is far below the 22 that are kept. in and out are at least 1. */
enum pom_status pom_weights_prepare(
    struct pom_weights *weights, int in, int out, enum pom_filter filter, struct pom_message *msg);

/* Turns the weights around: those of the mirrored line. Then only pom_weights_clean_up may follow. */
void pom_weights_mirror(struct pom_weights *weights);

/* Where Pillow's nearest looks: it adds the step up, output by output, rather than multiply. */
void pom_nearest_positions(int in, int out, int *positions);

void pom_weights_clean_up(struct pom_weights *weights);

#endif
