/* The portable kernels: plain loops and fmaf. They define the bits that every other path must give. */
#ifndef POM_NET_KERNELS_REF_H
#define POM_NET_KERNELS_REF_H

#include "net/kernels/activation.h"

/* weights: groups x kernel_h x kernel_w x in_c/groups x out_c/groups; bias: out_c. */
void pom_ref_conv(const struct pom_conv_desc *desc, const float *weights, const float *bias, const float *in,
    const float *residual, float *out);

/* weights: k x n. */
void pom_ref_dense(
    const struct pom_dense_desc *desc, const float *weights, const float *bias, const float *in, int m, float *out);

void pom_ref_max_pool(const struct pom_pool_desc *desc, const float *in, float *out);
void pom_ref_average_pool(const struct pom_pool_desc *desc, const float *in, float *out);
void pom_ref_global_average(const float *in, int pixels, int channels, float *out);
void pom_ref_add(
    const float *a, const float *b, size_t n, enum pom_activation activation, float low, float high, float *out);
void pom_ref_activate(const float *in, size_t n, enum pom_activation activation, float low, float high, float *out);

#endif
