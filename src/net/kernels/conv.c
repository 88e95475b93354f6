#include "net/kernels/conv.h"
#include "base/memory.h"

#include <stdlib.h>

/* Products of a layer's sizes stay far from overflow in long and size_t. */
enum { MAX_DIM = 1 << 24 };
static const double max_length = 1 << 30, max_elements = (double)(1ull << 40);

static enum pom_status fail_size(const struct pom_conv_desc *d, const char *what, struct pom_message *msg) {
    return pom_fail(msg, POM_ERR_LIMIT, "convolution %dx%dx%d -> %dx%dx%d, window %dx%d: %s", d->in_h, d->in_w, d->in_c,
        d->out_h, d->out_w, d->out_c, d->kernel_h, d->kernel_w, what);
}

enum pom_status pom_conv_check(const struct pom_conv_desc *d, struct pom_message *msg) {
    const int dims[] = {d->in_h, d->in_w, d->in_c, d->out_h, d->out_w, d->out_c, d->kernel_h, d->kernel_w, d->stride_h,
        d->stride_w, d->dilation_h, d->dilation_w, d->groups};
    for (size_t i = 0; i < sizeof dims / sizeof *dims; i++)
        if (dims[i] < 1 || dims[i] > MAX_DIM)
            return fail_size(d, "a size, stride or dilation is outside 1..2^24", msg);
    if (d->pad_top < 0 || d->pad_top > MAX_DIM || d->pad_left < 0 || d->pad_left > MAX_DIM)
        return fail_size(d, "a pad is outside 0..2^24", msg);
    if (d->in_c % d->groups != 0 || d->out_c % d->groups != 0)
        return pom_fail(msg, POM_ERR_ARGUMENT, "convolution of %d to %d channels: %d groups do not divide both",
            d->in_c, d->out_c, d->groups);
    double in = (double)d->in_h * d->in_w * d->in_c, out = (double)d->out_h * d->out_w * d->out_c;
    double depth = (double)d->kernel_h * d->kernel_w * d->in_c / d->groups;
    double rows = (double)(d->out_h - 1) * d->stride_h + (double)(d->kernel_h - 1) * d->dilation_h;
    double columns = (double)(d->out_w - 1) * d->stride_w + (double)(d->kernel_w - 1) * d->dilation_w;
    if (in > max_elements || out > max_elements || depth * d->out_c > max_elements || depth > max_length ||
        rows > max_length || columns > max_length)
        return fail_size(d, "too large", msg);
    return POM_OK;
}

static const struct pom_conv_method *method_for(const struct pom_conv_desc *d, const struct pom_kernel_table *table) {
    if (pom_conv_is_winograd(d))
        return &pom_conv_by_winograd;
    if (!table)
        return &pom_conv_by_ref;
    return pom_conv_is_depthwise(d) ? &pom_conv_by_depthwise : &pom_conv_by_gemm;
}

enum pom_status pom_conv_new(const struct pom_conv_desc *desc, enum pom_isa isa, const float *weights,
    const float *bias, struct pom_conv **out, struct pom_message *msg) {
    POM_TRY(pom_conv_check(desc, msg));
    struct pom_conv *conv = pom_calloc(1, sizeof *conv);
    if (!conv)
        return pom_fail_memory(msg, "a convolution");
    const struct pom_kernel_table *table = pom_kernel_table(isa);
    conv->desc = *desc;
    conv->act = pom_act_of(desc->activation, desc->low, desc->high);
    conv->pack = 1;
    conv->method = method_for(desc, table);
    enum pom_status status = conv->method->init(conv, table, weights, bias, msg);
    if (status != POM_OK) {
        pom_conv_free(conv);
        return status;
    }
    *out = conv;
    return POM_OK;
}

void pom_conv_free(struct pom_conv *conv) {
    if (!conv)
        return;
    conv->method->clean_up(conv);
    free(conv);
}

size_t pom_conv_weight_bytes(const struct pom_conv *conv) {
    return conv->weight_bytes;
}

size_t pom_conv_scratch_bytes(const struct pom_conv *conv) {
    return conv->scratch_bytes;
}

const char *pom_conv_kernel_name(const struct pom_conv *conv) {
    return conv->kernel_name;
}

void pom_conv_run(
    const struct pom_conv *conv, const void *in, const void *residual, void *out, int images, void *scratch) {
    conv->method->run(conv, in, conv->desc.residual ? residual : NULL, out, images, scratch);
}
