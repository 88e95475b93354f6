#include "net/kernels/conv.h"
#include "base/memory.h"
#include "net/kernels/ref/ref.h"

#include <stdlib.h>
#include <string.h>

struct pom_conv {
    struct pom_conv_desc desc;
    float *weights, *bias;
    size_t n_weights;
};

/* Products of a layer's sizes stay far from overflow in long and size_t. */
enum { MAX_DIM = 1 << 24 };
static const double max_elements = (double)(1ull << 40);

static enum pom_status check_dims(const struct pom_conv_desc *d, struct pom_message *msg) {
    const int dims[] = {d->in_h, d->in_w, d->in_c, d->out_h, d->out_w, d->out_c, d->kernel_h, d->kernel_w, d->stride_h,
        d->stride_w, d->dilation_h, d->dilation_w, d->groups, d->pad_top + 1, d->pad_left + 1};
    for (size_t i = 0; i < sizeof dims / sizeof *dims; i++)
        if (dims[i] < 1 || dims[i] > MAX_DIM)
            return pom_fail(msg, POM_ERR_LIMIT,
                "convolution %dx%dx%d -> %dx%dx%d: a size, stride, dilation or pad is outside 1..%d (pads 0..)",
                d->in_h, d->in_w, d->in_c, d->out_h, d->out_w, d->out_c, MAX_DIM);
    return POM_OK;
}

static enum pom_status check(const struct pom_conv_desc *d, struct pom_message *msg) {
    POM_TRY(check_dims(d, msg));
    if (d->in_c % d->groups != 0 || d->out_c % d->groups != 0)
        return pom_fail(msg, POM_ERR_ARGUMENT, "convolution of %d to %d channels: %d groups do not divide both",
            d->in_c, d->out_c, d->groups);
    double in = (double)d->in_h * d->in_w * d->in_c, out = (double)d->out_h * d->out_w * d->out_c;
    double weights = (double)d->kernel_h * d->kernel_w * (d->in_c / d->groups) * d->out_c;
    if (in > max_elements || out > max_elements || weights > max_elements)
        return pom_fail(msg, POM_ERR_LIMIT, "convolution %dx%dx%d -> %dx%dx%d: too large", d->in_h, d->in_w, d->in_c,
            d->out_h, d->out_w, d->out_c);
    return POM_OK;
}

/* From ONNX's out_c x depth x taps to groups x taps x depth x out_c/groups. */
static void pack(const struct pom_conv_desc *d, const float *weights, float *to) {
    size_t row = (size_t)(d->out_c / d->groups), depth = (size_t)(d->in_c / d->groups);
    size_t taps = (size_t)d->kernel_h * (size_t)d->kernel_w;
    for (size_t group = 0; group < (size_t)d->groups; group++)
        for (size_t tap = 0; tap < taps; tap++)
            for (size_t c = 0; c < depth; c++)
                for (size_t i = 0; i < row; i++)
                    *to++ = weights[((group * row + i) * depth + c) * taps + tap];
}

enum pom_status pom_conv_new(const struct pom_conv_desc *desc, enum pom_isa isa, const float *weights,
    const float *bias, struct pom_conv **out, struct pom_message *msg) {
    (void)isa;
    POM_TRY(check(desc, msg));
    struct pom_conv *conv = pom_calloc(1, sizeof *conv);
    if (!conv)
        return pom_fail_memory(msg, "a convolution");
    conv->desc = *desc;
    conv->n_weights =
        (size_t)desc->kernel_h * (size_t)desc->kernel_w * (size_t)(desc->in_c / desc->groups) * (size_t)desc->out_c;
    conv->weights = pom_alloc_aligned(conv->n_weights, sizeof(float));
    conv->bias = pom_calloc((size_t)desc->out_c, sizeof(float));
    if (!conv->weights || !conv->bias) {
        pom_conv_free(conv);
        return pom_fail_memory(msg, "a convolution's weights");
    }
    pack(desc, weights, conv->weights);
    if (bias)
        memcpy(conv->bias, bias, (size_t)desc->out_c * sizeof(float));
    *out = conv;
    return POM_OK;
}

void pom_conv_free(struct pom_conv *conv) {
    if (!conv)
        return;
    free(conv->weights);
    free(conv->bias);
    free(conv);
}

size_t pom_conv_weight_bytes(const struct pom_conv *conv) {
    return (conv->n_weights + (size_t)conv->desc.out_c) * sizeof(float);
}

size_t pom_conv_scratch_bytes(const struct pom_conv *conv) {
    (void)conv;
    return 0;
}

const char *pom_conv_kernel_name(const struct pom_conv *conv) {
    (void)conv;
    return "f32_conv_ref";
}

void pom_conv_run(const struct pom_conv *conv, const float *in, const float *residual, float *out, void *scratch) {
    (void)scratch;
    pom_ref_conv(&conv->desc, conv->weights, conv->bias, in, residual, out);
}
