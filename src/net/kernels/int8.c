#include "net/kernels/int8.h"
#include "base/memory.h"
#include "net/kernels/conv.h"
#include "net/kernels/int8_conv.h"
#include "net/kernels/ref/int8.h"

#include <stdlib.h>

static const struct pom_int8_kernels ref = {.quantise = pom_ref_int8_quantise,
    .dequantise = pom_ref_int8_dequantise,
    .max_pool = pom_ref_int8_max_pool,
    .global_average = pom_ref_int8_global_average};

const struct pom_int8_table *pom_int8_table(enum pom_isa isa) {
    switch (isa) {
#if defined(__x86_64__)
    case POM_ISA_AVX2:
        return &pom_int8_avx2;
    case POM_ISA_AVX2VNNI:
        return &pom_int8_avx2vnni;
    case POM_ISA_AVX512:
        return &pom_int8_avx512;
    case POM_ISA_AVX512VNNI:
    case POM_ISA_AVX512BF16:
        return &pom_int8_avx512vnni;
#elif defined(__aarch64__)
    case POM_ISA_NEON:
        return &pom_int8_neon;
    case POM_ISA_NEONDOT:
        return &pom_int8_neondot;
#endif
    default:
        return NULL;
    }
}

const struct pom_int8_kernels *pom_int8_kernels(enum pom_isa isa) {
    const struct pom_int8_table *table = pom_int8_table(isa);
    return table ? &table->plain : &ref;
}

static const struct pom_int8_method *method_for(const struct pom_conv_desc *d, const struct pom_int8_table *table) {
    if (!table)
        return &pom_int8_by_ref;
    return pom_conv_is_depthwise(d) ? &pom_int8_by_depthwise : &pom_int8_by_gemm;
}

enum pom_status pom_int8_conv_new(const struct pom_int8_conv_desc *desc, enum pom_isa isa, const float *weights,
    const float *bias, struct pom_int8_conv **out, struct pom_message *msg) {
    struct pom_int8_conv *conv = pom_calloc(1, sizeof *conv);
    if (!conv)
        return pom_fail_memory(msg, "a convolution");
    const struct pom_int8_table *table = pom_int8_table(isa);
    enum pom_status status = pom_int8_layer_init(&conv->layer, desc, weights, bias, msg);
    if (status == POM_OK) {
        conv->method = method_for(&desc->conv, table);
        status = conv->method->init(conv, table, msg);
    }
    if (status != POM_OK) {
        pom_int8_conv_free(conv);
        return status;
    }
    *out = conv;
    return POM_OK;
}

void pom_int8_conv_free(struct pom_int8_conv *conv) {
    if (!conv)
        return;
    if (conv->method)
        conv->method->clean_up(conv);
    pom_int8_layer_clean_up(&conv->layer);
    free(conv);
}

size_t pom_int8_conv_weight_bytes(const struct pom_int8_conv *conv) {
    return conv->weight_bytes;
}

size_t pom_int8_conv_scratch_bytes(const struct pom_int8_conv *conv) {
    return conv->scratch_bytes;
}

const char *pom_int8_conv_kernel_name(const struct pom_int8_conv *conv) {
    return conv->kernel_name;
}

void pom_int8_conv_run(const struct pom_int8_conv *conv, const uint8_t *in, const uint8_t *residual, void *out,
    int images, void *scratch) {
    const struct pom_conv_desc *d = &conv->layer.desc;
    size_t in_bytes = (size_t)d->in_h * (size_t)d->in_w * (size_t)d->in_c;
    size_t elements = (size_t)d->out_h * (size_t)d->out_w * (size_t)d->out_c;
    size_t out_bytes = elements * (conv->layer.to_float ? sizeof(float) : 1);
    int at_once = conv->joins_images ? images : 1;
    for (size_t i = 0; i < (size_t)images; i += (size_t)at_once)
        conv->method->run(conv, in + i * in_bytes, d->residual ? residual + i * elements : NULL,
            (char *)out + i * out_bytes, at_once, scratch);
}
