/* The portable int8 kernels: plain loops. They define the bits that every other path must give. */
#ifndef POM_NET_KERNELS_REF_INT8_H
#define POM_NET_KERNELS_REF_INT8_H

#include "net/kernels/int8.h"

/* As the members of struct pom_int8_kernels. */
void pom_ref_int8_quantise(
    const float *in, size_t pixels, int channels, const float *inverse, const uint8_t *zero, uint8_t *out);
void pom_ref_int8_dequantise(
    const uint8_t *in, size_t pixels, int channels, const float *scale, const uint8_t *zero, float *out);
void pom_ref_int8_max_pool(const struct pom_pool_desc *desc, const uint8_t *in, uint8_t *out);
void pom_ref_int8_global_average(
    const uint8_t *in, int pixels, int channels, const float *factor, const float *offset, float *out);

#endif
