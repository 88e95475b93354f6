/* The hot float32 operations, channels-last (NHWC).
 *
 * An operation is made once per layer (it packs its weights for the CPU path) and run often, by any number of threads,
 * each with its own scratch. Every output element is one chain in a fixed order, so all paths give the same bits:
 *
 *   acc = bias (+0 without one)
 *   acc = fmaf(x, w, acc)    for ky, kx, c ascending
 *   acc += residual; out = activation(acc)
 *
 * Depthwise convolutions (groups == in_c > 1) leave padded taps out; all others take padding as zeros through the fmaf.
 *
 * Dense 3x3 convolutions of stride and dilation 1 with enough channels and outputs (conv_winograd.c says how many, by
 * the layer's shape alone) are Winograd's F(4x4,3x3), in an order of their own; winograd.h has the formulas:
 *
 *   u = G g G' in double, rounded once; v = B' d B; m = +0, then fmaf(v, u, m) for c ascending, at each of 36 points
 *   acc = A' m A; acc += bias (+0 without one); acc += residual; out = activation(acc)
 *
 * There an infinity or NaN makes every output of the 4x4 tiles that read it NaN or infinite, and a sum near the largest
 * float may overflow earlier than the chain above would.
 *
 * Special values (IEEE 754, round to nearest, denormals kept: the caller leaves the floating-point mode alone):
 *   clip      y = low > x ? low : x; out = high < y ? high : y   so NaN stays NaN and -0 clipped to [0, 6] stays -0
 *   relu      clip to [0, +Inf]
 *   leaky     x < 0 ? low * x : x
 * A NaN in gives a NaN out on every path, but its sign and payload are not the same everywhere. */
#ifndef POM_NET_KERNELS_H
#define POM_NET_KERNELS_H

#include "base/cpu.h"
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>

enum pom_activation {
    POM_ACT_NONE = 0,
    POM_ACT_RELU,
    POM_ACT_CLIP,      /* to [low, high]; RELU6 is CLIP 0, 6 */
    POM_ACT_LEAKY_RELU /* x < 0 ? low * x : x */
};

struct pom_conv_desc {
    int in_h, in_w, in_c, out_h, out_w, out_c;
    int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    int pad_top, pad_left; /* bottom and right follow from out_h, out_w */
    int groups;            /* divides in_c and out_c */
    bool residual;         /* a tensor of the output's shape is added before the activation */
    enum pom_activation activation;
    float low, high;
};

struct pom_conv;

/* weights: out_c x in_c/groups x kernel_h x kernel_w (ONNX's order); bias: out_c or NULL. Both borrowed for the call.
 */
enum pom_status pom_conv_new(const struct pom_conv_desc *desc, enum pom_isa isa, const float *weights,
    const float *bias, struct pom_conv **out, struct pom_message *msg);
void pom_conv_free(struct pom_conv *conv);
size_t pom_conv_weight_bytes(const struct pom_conv *conv);
size_t pom_conv_scratch_bytes(const struct pom_conv *conv);
const char *pom_conv_kernel_name(const struct pom_conv *conv); /* e.g. "f32_gemm_14x32_avx512" */

/* A run of images, one behind the other, of floats (bf16 where pom_bf16_conv_new made the layer): in: in_h x in_w x
 * in_c each; residual: as out where the layer was made with one (it may be out itself), else ignored; out: out_h x
 * out_w x out_c each, apart from in; scratch: scratch_bytes, 64-byte aligned. Tensors need no alignment. */
void pom_conv_run(
    const struct pom_conv *conv, const void *in, const void *residual, void *out, int images, void *scratch);

/* Layers in a row, each read by the next alone, run as one without the pictures between them in memory: a dense
 * convolution, a depthwise one and, or NULL, a pointwise one. The same bits as one after the other. */
struct pom_conv_block {
    struct pom_conv *first, *depthwise, *last;
};

/* Whether the layers are of kinds that can, and large enough to gain by it. */
bool pom_conv_block_fits(const struct pom_conv_block *block);
size_t pom_conv_block_scratch_bytes(const struct pom_conv_block *block);

/* in: of first; residual: of last; out: of the last one there is. */
void pom_conv_block_run(
    const struct pom_conv_block *block, const void *in, const void *residual, void *out, void *scratch);

/* A fully connected layer on a batch: out[m][n] = activation(bias[n] + sum over k of in[m][k] * w[k][n]). */
struct pom_dense_desc {
    int k, n;
    enum pom_activation activation;
    float low, high;
};

struct pom_dense;

/* bias: n or NULL, borrowed for the call. pom_dense_fill brings the weights, a part at a time: the source of large ones
 * need not be in memory whole. */
enum pom_status pom_dense_new(const struct pom_dense_desc *desc, enum pom_isa isa, const float *bias,
    struct pom_dense **out, struct pom_message *msg);

/* `count` lines of the weights from `first` on: of k x n, row-major, or where transposed of n x k. Borrowed for the
 * call. */
void pom_dense_fill(struct pom_dense *dense, const float *weights, bool transposed, int first, int count);
void pom_dense_free(struct pom_dense *dense);
size_t pom_dense_weight_bytes(const struct pom_dense *dense);
size_t pom_dense_scratch_bytes(const struct pom_dense *dense, int max_m);
const char *pom_dense_kernel_name(const struct pom_dense *dense);
void pom_dense_run(const struct pom_dense *dense, const float *in, int m, float *out, void *scratch);

/* Pooling windows, NHWC. Average: the sum of the taps inside the picture, from +0, ky, kx ascending, divided by their
 * number, or with count_include_pad by the number of taps inside the padded picture; 0 for no taps. Max: from -Inf, the
 * first tap wins on ties; NaN propagates. */
struct pom_pool_desc {
    int in_h, in_w, channels, out_h, out_w;
    int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w;
    int pad_top, pad_left, pad_bottom, pad_right;
    bool count_include_pad;
};

/* The table of one path: what does not need packed weights. */
struct pom_kernels {
    void (*max_pool)(const struct pom_pool_desc *desc, const float *in, float *out);
    void (*average_pool)(const struct pom_pool_desc *desc, const float *in, float *out);
    /* out[c] = (sum over pixels from +0 in ascending order) / pixels */
    void (*global_average)(const float *in, int pixels, int channels, float *out);
    /* out[i] = activation(a[i] + b[i]); out may be a or b */
    void (*add)(
        const float *a, const float *b, size_t n, enum pom_activation activation, float low, float high, float *out);
    /* out may be in */
    void (*activate)(const float *in, size_t n, enum pom_activation activation, float low, float high, float *out);
};

/* Never NULL: REF's where the build has no kernels for isa. Static storage. */
const struct pom_kernels *pom_kernels(enum pom_isa isa);

#endif
