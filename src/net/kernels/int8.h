/* The convolutions of precision int8: unsigned 8-bit activations, signed 8-bit weights, exact 32-bit sums.
 * Channels-last (NHWC), dense (no padding between pixels). Made once per layer, run by any number of
 * threads.
 *
 * A tensor is on a grid of its own for each channel (asymmetric quantisation: Jacob et al., "Quantization and Training
 * of Neural Networks for Efficient Integer-Arithmetic-Only Inference", CVPR 2018):
 *
 *   real = scale[c] * (u - zero[c])
 *
 * where zero is a whole number, so that padding is exact, in every tensor but a picture: there the bytes came first,
 * and 0 lies wherever the preprocessing puts it.
 *
 * The layer folds the input's scales into its weights, rounds those to 8 bits with a step for each output channel, and
 * computes, the same bits on every path:
 *
 *   acc = sum of u * q over ky, kx, c in 32-bit integers; a padded tap is u = zero[c], in a picture the nearest whole
 *         number to it
 *   y   = fmaf((float)acc, factor[n], offset[n])           in units of the output's grid, its zero included
 *   y   = fmaf((float)residual, residual_factor[n], y)
 *   out = y rounded to nearest even, clamped to the activation's limits and to [0, 255]; or clamped y itself as float
 *
 * where factor, offset and residual_factor come from the grids in double, rounded once; the zeros stand in offset.
 *
 * The step of an output channel is the smallest with which every |q| is at most 127. Two products can exceed 16 bits
 * then, so a path without VNNI cannot use AVX2's vpmaddubsw; it widens even and odd bytes to 16 bits and takes vpmaddwd
 * twice. Weights that suit vpmaddubsw would cost every path accuracy: MobileNetV2's features on Fruits-360 come to a
 * cosine of 0.9928 instead of 0.9948.
 *
 * Within that step each weight is rounded to the nearest; then, where the taps of an input channel do not add up to
 * their rounded sum, those nearest to a half go the other way. So what neighbouring pixels have in common, most of a
 * picture, is off by half a step at most, however many taps there are. */
#ifndef POM_NET_KERNELS_INT8_H
#define POM_NET_KERNELS_INT8_H

#include "net/kernels/kernels.h"
#include <stdint.h>

/* One entry for each channel; borrowed for the call that takes it. */
struct pom_int8_grid {
    const float *scale; /* > 0 */
    const uint8_t *zero;
    const double *fraction; /* how far beyond zero 0 lies, of an input only; NULL: nowhere */
};

struct pom_int8_conv_desc {
    struct pom_conv_desc conv; /* activation: NONE, RELU or CLIP, its limits in real units */
    struct pom_int8_grid in;
    struct pom_int8_grid residual; /* of out_c channels, where conv.residual is set */
    struct pom_int8_grid out;      /* scale NULL: the output is float, in real units */
    const float *in_mean; /* of each input channel, in real units; NULL: not known. What rounding the weights adds to
                             the mean of the outputs is then taken off again (Nagel et al., "Data-Free Quantization
                             Through Weight Equalization and Bias Correction", ICCV 2019, section 4.2) */
};

struct pom_int8_conv;

/* weights: out_c x in_c/groups x kernel_h x kernel_w in real units (ONNX's order); bias: out_c or NULL. All borrowed
 * for the call. POM_ERR_UNSUPPORTED for another activation, for groups other than 1 and in_c, for sums of more than
 * 65536 products, and where a weight is not finite or |y| could reach 2^30: an output grid that is millions of times
 * too fine (give a channel that is always 0 its neighbours' scale). */
enum pom_status pom_int8_conv_new(const struct pom_int8_conv_desc *desc, enum pom_isa isa, const float *weights,
    const float *bias, struct pom_int8_conv **out, struct pom_message *msg);
void pom_int8_conv_free(struct pom_int8_conv *conv);
size_t pom_int8_conv_weight_bytes(const struct pom_int8_conv *conv);
size_t pom_int8_conv_scratch_bytes(const struct pom_int8_conv *conv);
const char *pom_int8_conv_kernel_name(const struct pom_int8_conv *conv); /* e.g. "int8_gemm_14x32_avx512vnni" */

/* As pom_conv_run; out is uint8_t, or float where the desc has no grid for it. */
void pom_int8_conv_run(
    const struct pom_int8_conv *conv, const uint8_t *in, const uint8_t *residual, void *out, int images, void *scratch);

/* The table of one path: what has no weights. */
struct pom_int8_kernels {
    /* out = fmaf(x, inverse[c], zero[c]), rounded to nearest even, clamped to [0, 255]; inverse[c] is 1 / scale[c]. NaN
     * gives 0. */
    void (*quantise)(
        const float *in, size_t pixels, int channels, const float *inverse, const uint8_t *zero, uint8_t *out);
    /* out = scale * (u - zero) */
    void (*dequantise)(
        const uint8_t *in, size_t pixels, int channels, const float *scale, const uint8_t *zero, float *out);
    /* Padding never wins; the grid stays. */
    void (*max_pool)(const struct pom_pool_desc *desc, const uint8_t *in, uint8_t *out);
    /* out[c] = scale[c] * (sum of u / pixels - zero[c]): fmaf((float)sum, factor[c], offset[c]) */
    void (*global_average)(
        const uint8_t *in, int pixels, int channels, const float *factor, const float *offset, float *out);
};

/* Never NULL: REF's where the build has no kernels for isa. Static storage. */
const struct pom_int8_kernels *pom_int8_kernels(enum pom_isa isa);

#endif
