#include "base/memory.h"
#include "net/kernels/conv.h"
#include "net/kernels/ref/ref.h"

#include <stdlib.h>
#include <string.h>

struct ref_conv {
    float *weights, *bias;
};

/* From ONNX's out_c x depth x taps to groups x taps x depth x out_c/groups. */
static void reorder(const struct pom_conv_desc *d, const float *weights, float *to) {
    size_t row = (size_t)(d->out_c / d->groups), depth = (size_t)(d->in_c / d->groups);
    size_t taps = (size_t)d->kernel_h * (size_t)d->kernel_w;
    for (size_t group = 0; group < (size_t)d->groups; group++)
        for (size_t tap = 0; tap < taps; tap++)
            for (size_t c = 0; c < depth; c++)
                for (size_t i = 0; i < row; i++)
                    *to++ = weights[((group * row + i) * depth + c) * taps + tap];
}

static enum pom_status init(struct pom_conv *conv, const struct pom_kernel_table *table, const float *weights,
    const float *bias, struct pom_message *msg) {
    (void)table;
    const struct pom_conv_desc *d = &conv->desc;
    size_t n = (size_t)d->kernel_h * (size_t)d->kernel_w * (size_t)(d->in_c / d->groups) * (size_t)d->out_c;
    struct ref_conv *ref = conv->state = pom_calloc(1, sizeof *ref);
    if (!ref || !(ref->weights = pom_alloc_aligned(n, sizeof(float))) ||
        !(ref->bias = pom_calloc((size_t)d->out_c, sizeof(float))))
        return pom_fail_memory(msg, "the weights of a convolution");
    reorder(d, weights, ref->weights);
    if (bias)
        memcpy(ref->bias, bias, (size_t)d->out_c * sizeof(float));
    conv->weight_bytes = (n + (size_t)d->out_c) * sizeof(float);
    conv->kernel_name = "f32_conv_ref";
    return POM_OK;
}

static void clean_up(struct pom_conv *conv) {
    struct ref_conv *ref = conv->state;
    if (!ref)
        return;
    free(ref->weights);
    free(ref->bias);
    free(ref);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the type is the table's */
static void run(
    const struct pom_conv *conv, const float *in, const float *residual, float *out, int images, float *scratch) {
    (void)scratch;
    const struct ref_conv *ref = conv->state;
    size_t in_floats = pom_conv_in_floats(&conv->desc), out_floats = pom_conv_out_floats(&conv->desc);
    for (size_t i = 0; i < (size_t)images; i++)
        pom_ref_conv(&conv->desc, ref->weights, ref->bias, in + i * in_floats,
            residual ? residual + i * out_floats : NULL, out + i * out_floats);
}

const struct pom_conv_method pom_conv_by_ref = {init, clean_up, run};
