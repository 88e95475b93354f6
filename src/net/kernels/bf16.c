#include "net/kernels/bf16.h"
#include "base/memory.h"
#include "net/kernels/bf16_number.h"
#include "net/kernels/conv.h"
#include "net/kernels/ref/bf16.h"

#include <stdlib.h>
#include <string.h>

static const struct pom_bf16_kernels ref = {
    pom_ref_bf16_narrow, pom_ref_bf16_widen, pom_ref_bf16_max_pool, pom_ref_bf16_global_average};

bool pom_bf16_is_fast(enum pom_isa isa) {
    return pom_bf16_table(isa) != NULL;
}

const struct pom_kernel_table *pom_bf16_table(enum pom_isa isa) {
#if defined(__x86_64__)
    if (isa == POM_ISA_AVX512BF16)
        return &pom_table_avx512bf16;
#else
    (void)isa;
#endif
    return NULL;
}

const struct pom_bf16_kernels *pom_bf16_kernels(enum pom_isa isa) {
#if defined(__x86_64__)
    if (isa == POM_ISA_AVX512BF16)
        return &pom_bf16_plain_avx512bf16;
#else
    (void)isa;
#endif
    return &ref;
}

/* From ONNX's out_c x depth x taps to pairs of neighbouring channels, rounded. */
static float *pair_weights(const struct pom_conv_desc *d, const float *weights) {
    size_t taps = (size_t)d->kernel_h * (size_t)d->kernel_w, rows = (size_t)d->out_c * (size_t)(d->in_c / 2);
    float *pairs = pom_alloc_aligned(rows * taps, sizeof *pairs);
    for (size_t row = 0, i = 0; row < rows && pairs; row++, weights += 2 * taps)
        for (size_t tap = 0; tap < taps; tap++, i++) {
            const uint16_t pair[] = {pom_bf16_narrow(weights[tap]), pom_bf16_narrow(weights[taps + tap])};
            memcpy(&pairs[i], pair, sizeof pair);
        }
    return pairs;
}

/* The portable form: the weights as they come. */

struct ref_conv {
    float *weights, *bias;
};

static enum pom_status init_ref(struct pom_conv *conv, const struct pom_kernel_table *table, const float *weights,
    const float *bias, struct pom_message *msg) {
    (void)table;
    const struct pom_conv_desc *d = &conv->desc;
    size_t channels = 2 * (size_t)d->out_c, depth = pom_conv_is_depthwise(d) ? 1 : (size_t)d->in_c;
    size_t n = (size_t)d->kernel_h * (size_t)d->kernel_w * depth * channels;
    struct ref_conv *state = conv->state = pom_calloc(1, sizeof *state);
    if (!state || !(state->weights = pom_alloc_aligned(n, sizeof(float))) ||
        !(state->bias = pom_calloc(channels, sizeof(float))))
        return pom_fail_memory(msg, "the weights of a convolution");
    memcpy(state->weights, weights, n * sizeof(float));
    if (bias)
        memcpy(state->bias, bias, channels * sizeof(float));
    conv->weight_bytes = (n + channels) * sizeof(float);
    conv->kernel_name = "bf16_conv_ref";
    return POM_OK;
}

static void clean_up_ref(struct pom_conv *conv) {
    struct ref_conv *state = conv->state;
    if (!state)
        return;
    free(state->weights);
    free(state->bias);
    free(state);
}

/* NOLINTBEGIN(readability-non-const-parameter): the type is the table's */
static void run_ref(
    const struct pom_conv *conv, const float *in, const float *residual, float *out, int images, float *scratch) {
    (void)scratch;
    const struct ref_conv *state = conv->state;
    size_t in_elements = pom_conv_in_floats(&conv->desc), out_elements = pom_conv_out_floats(&conv->desc);
    for (size_t i = 0; i < (size_t)images; i++)
        pom_ref_bf16_conv(&conv->desc, state->weights, state->bias, (const void *)(in + i * in_elements),
            residual ? (const void *)(residual + i * out_elements) : NULL, (void *)(out + i * out_elements));
}
/* NOLINTEND(readability-non-const-parameter) */

static const struct pom_conv_method by_ref = {init_ref, clean_up_ref, run_ref};

bool pom_bf16_conv_fits(const struct pom_conv_desc *d) {
    bool depthwise = pom_conv_is_depthwise(d) && d->out_c == d->in_c && d->in_c > 2;
    return d->in_c % 2 == 0 && d->out_c % 2 == 0 && (d->groups == 1 || depthwise) && !pom_conv_is_winograd(d);
}

/* weights: pairs, or floats of a depthwise layer. */
static enum pom_status new_conv(const struct pom_conv_desc *desc, enum pom_isa isa, const float *weights,
    const float *bias, struct pom_conv **out, struct pom_message *msg) {
    struct pom_conv *conv = pom_calloc(1, sizeof *conv);
    if (!conv)
        return pom_fail_memory(msg, "a convolution");
    const struct pom_kernel_table *table = pom_bf16_table(isa);
    bool depthwise = pom_conv_is_depthwise(desc);
    conv->pack = 2;
    conv->desc = *desc;
    conv->desc.in_c /= conv->pack;
    conv->desc.out_c /= conv->pack;
    if (depthwise)
        conv->desc.groups /= conv->pack;
    conv->act = pom_act_of(desc->activation, desc->low, desc->high);
    conv->method = !table ? &by_ref : depthwise ? &pom_conv_by_depthwise : &pom_conv_by_gemm;
    enum pom_status status = conv->method->init(conv, table, weights, bias, msg);
    if (status == POM_OK)
        *out = conv;
    else
        pom_conv_free(conv);
    return status;
}

/* The bias less what rounding the weights adds to the mean of the outputs. */
static float *corrected_bias(
    const struct pom_conv_desc *d, const float *weights, const float *bias, const float *in_mean) {
    size_t taps = (size_t)d->kernel_h * (size_t)d->kernel_w;
    float *corrected = pom_calloc((size_t)d->out_c, sizeof *corrected);
    for (size_t n = 0; n < (size_t)d->out_c && corrected; n++) {
        double drift = 0.0;
        for (size_t c = 0; c < (size_t)d->in_c; c++)
            for (size_t tap = 0; tap < taps; tap++, weights++)
                drift += ((double)pom_bf16_widen(pom_bf16_narrow(*weights)) - (double)*weights) * (double)in_mean[c];
        corrected[n] = (float)((bias ? (double)bias[n] : 0.0) - drift);
    }
    return corrected;
}

static enum pom_status new_rounded(const struct pom_conv_desc *desc, enum pom_isa isa, const float *weights,
    const float *bias, struct pom_conv **out, struct pom_message *msg) {
    float *pairs = pair_weights(desc, weights);
    enum pom_status status =
        pairs ? new_conv(desc, isa, pairs, bias, out, msg) : pom_fail_memory(msg, "the weights of a convolution");
    free(pairs);
    return status;
}

enum pom_status pom_bf16_conv_new(const struct pom_conv_desc *desc, enum pom_isa isa, const float *weights,
    const float *bias, const float *in_mean, struct pom_conv **out, struct pom_message *msg) {
    POM_TRY(pom_conv_check(desc, msg));
    if (pom_conv_is_depthwise(desc))
        return new_conv(desc, isa, weights, bias, out, msg);
    if (!in_mean)
        return new_rounded(desc, isa, weights, bias, out, msg);
    float *corrected = corrected_bias(desc, weights, bias, in_mean);
    enum pom_status status = corrected ? new_rounded(desc, isa, weights, corrected, out, msg)
                                       : pom_fail_memory(msg, "the weights of a convolution");
    free(corrected);
    return status;
}
