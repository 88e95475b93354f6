/* The operations of precision bf16: tensors and the weights of matrix products in bfloat16, the high half of a float
 * (8 bits of significand); sums, bias and the weights of depthwise layers in float. Channels-last, as kernels.h; a
 * convolution is one of kernels.h, in blocks too, but made by pom_bf16_conv_new.
 *
 * Every output element is one chain in a fixed order:
 *
 *   acc = bias (+0 without one)
 *   acc = dot(acc, x, w) for ky, kx ascending, and the pairs of neighbouring channels ascending; padding is zeros
 *   acc += residual; out = acc after its activation, rounded to the nearest bf16, ties to even
 *
 *   dot(acc, x, w) = fma(x[0], w[0], fma(x[1], w[1], acc))
 *
 * with each fma rounded once to nearest even and denormals, in and out, taken as zeros of their sign. That is Intel's
 * definition of VDPBF16PS (Architecture Instruction Set Extensions Programming Reference, 319433), and what AMD's Zen 5
 * computes too. ARM's BFDOT rounds otherwise: the same bits cannot be promised there, and no path uses it. Rounding to
 * bf16 takes denormals as zeros as well, and keeps NaN quiet (VCVTNEPS2BF16).
 *
 * A depthwise layer is acc = fmaf(x, w, acc) as in kernels.h, w a float, padded taps left out.
 *
 * Fast kernels exist for AVX512BF16 only; elsewhere the portable form gives the same bits, slowly. */
#ifndef POM_NET_KERNELS_BF16_H
#define POM_NET_KERNELS_BF16_H

#include "net/kernels/kernels.h"
#include <stdint.h>

/* Whether a layer has a form in bf16 that is faster than its own in floats: its channels are even in number, it is
 * either of one group or depthwise with in_c == out_c > 2, and it is not one of Winograd's, whose fewer multiplications
 * outweigh that there are twice as many a cycle. */
bool pom_bf16_conv_fits(const struct pom_conv_desc *desc);

/* As pom_conv_new, for a layer that fits. in_mean: of each input channel, borrowed; NULL: not known. What rounding the
 * weights adds to the mean of the outputs is then taken off again (int8.h names the source). */
enum pom_status pom_bf16_conv_new(const struct pom_conv_desc *desc, enum pom_isa isa, const float *weights,
    const float *bias, const float *in_mean, struct pom_conv **out, struct pom_message *msg);

/* What has no weights. */
struct pom_bf16_kernels {
    void (*narrow)(const float *in, size_t n, uint16_t *out); /* rounds */
    void (*widen)(const uint16_t *in, size_t n, float *out);
    /* As pom_kernels has it. */
    void (*max_pool)(const struct pom_pool_desc *desc, const uint16_t *in, uint16_t *out);
    /* As pom_kernels has it; the result is float. */
    void (*global_average)(const uint16_t *in, int pixels, int channels, float *out);
};

/* Never NULL: REF's where there are none for isa. Static storage. */
const struct pom_bf16_kernels *pom_bf16_kernels(enum pom_isa isa);

/* Whether isa multiplies bf16. */
bool pom_bf16_is_fast(enum pom_isa isa);

#endif
