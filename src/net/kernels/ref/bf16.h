/* The portable kernels of bf16.h: they define its bits. */
#ifndef POM_NET_KERNELS_REF_BF16_H
#define POM_NET_KERNELS_REF_BF16_H

#include "net/kernels/bf16.h"

/* One image; desc counts channels in pairs. weights: out_c x in_c pairs x taps or, of a depthwise layer, out_c x taps
 * floats. */
void pom_ref_bf16_conv(const struct pom_conv_desc *desc, const void *weights, const float *bias, const uint16_t *in,
    const uint16_t *residual, uint16_t *out);

void pom_ref_bf16_narrow(const float *in, size_t n, uint16_t *out);
void pom_ref_bf16_widen(const uint16_t *in, size_t n, float *out);
void pom_ref_bf16_max_pool(const struct pom_pool_desc *desc, const uint16_t *in, uint16_t *out);
void pom_ref_bf16_global_average(const uint16_t *in, int pixels, int channels, float *out);

#endif
