/* The inner loops of resizing, once per instruction set. The arithmetic is in integers, so all give the same bits. */
#ifndef POM_IMAGE_RESIZE_KERNELS_H
#define POM_IMAGE_RESIZE_KERNELS_H

#include "base/cpu.h"
#include "image/weights.h"
#include <stddef.h>
#include <stdint.h>

struct pom_resize_kernels {
    /* RGB -> RGBx: four bytes a pixel, so that a pixel is one load. */
    void (*widen)(const uint8_t *rgb, size_t pixels, uint8_t *rgbx);

    /* One row: w->out RGB pixels out of w->in RGBx ones, which POM_TAP_GROUP more readable pixels follow. */
    void (*across)(const uint8_t *rgbx, const struct pom_weights *w, uint8_t *rgb);

    /* out[x] out of in[x], in[x + stride], ...: `count` rows with one weight each, for x in 0..n-1. */
    void (*down)(const uint8_t *in, size_t stride, const int32_t *weights, int count, size_t n, uint8_t *out);
};

extern const struct pom_resize_kernels pom_resize_ref;
#if defined(__x86_64__)
extern const struct pom_resize_kernels pom_resize_avx2, pom_resize_avx512;
#elif defined(__aarch64__)
extern const struct pom_resize_kernels pom_resize_neon;
#endif

/* What this build has for isa. Static storage. */
const struct pom_resize_kernels *pom_resize_kernels_for(enum pom_isa isa);

#endif
