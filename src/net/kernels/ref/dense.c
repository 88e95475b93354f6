#include "net/kernels/ref/ref.h"

void pom_ref_dense(
    const struct pom_dense_desc *d, const float *weights, const float *bias, const float *in, int m, float *out) {
    struct pom_conv_desc conv = {.in_h = 1,
        .in_w = m,
        .in_c = d->k,
        .out_h = 1,
        .out_w = m,
        .out_c = d->n,
        .kernel_h = 1,
        .kernel_w = 1,
        .stride_h = 1,
        .stride_w = 1,
        .dilation_h = 1,
        .dilation_w = 1,
        .groups = 1,
        .activation = d->activation,
        .low = d->low,
        .high = d->high};
    pom_ref_conv(&conv, weights, bias, in, NULL, out);
}
