#include "base/memory.h"
#include "net/kernels/int8.h"
#include "net/op.h"
#include "net/op_conv.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct conv_step {
    struct pom_int8_conv *conv;
    struct pom_conv_desc desc;
    int images; /* in one of the batch's */
};

static void run_conv(const void *params, const struct pom_call *call) {
    const struct conv_step *p = params;
    pom_int8_conv_run(p->conv, call->in[0], call->in[1], call->out, p->images * call->images, call->scratch);
}

static void free_conv(void *params) {
    pom_int8_conv_free(((struct conv_step *)params)->conv);
}

static void describe_conv(const void *params, FILE *out) {
    const struct conv_step *p = params;
    pom_conv_describe(&p->desc, pom_int8_conv_weight_bytes(p->conv), out);
}

static const char *conv_kernel(const void *params) {
    return pom_int8_conv_kernel_name(((const struct conv_step *)params)->conv);
}

static const struct pom_step_kind conv_kind = {.name = "int8_conv",
    .many_images = true,
    .run = run_conv,
    .free = free_conv,
    .kernel = conv_kernel,
    .describe = describe_conv};

/* Weights of the picture's channels, in the order of a pixel's bytes; for free(). */
static float *weights_of_bytes(const float *weights, const struct pom_value *value, const uint8_t source[3]) {
    size_t taps = value->elements / (size_t)(value->dims[0] * 3);
    float *out = pom_calloc(value->elements, sizeof *out);
    for (size_t n = 0; n < (size_t)value->dims[0] && out; n++)
        for (size_t c = 0; c < 3; c++)
            memcpy(out + (n * 3 + source[c]) * taps, weights + (n * 3 + c) * taps, taps * sizeof *out);
    return out;
}

static enum pom_status load_weights(
    struct pom_planner *planner, const struct pom_node *node, struct pom_conv_weights *weights, float **reordered) {
    const struct pom_net_pixels *pixels = node->inputs[0]->pixels;
    pom_conv_weights_load(planner, node, weights);
    if (planner->status != POM_OK || !pixels)
        return planner->status;
    weights->weights = *reordered = weights_of_bytes(weights->weights, node->inputs[1], pixels->source);
    return *reordered ? POM_OK : pom_fail_memory(planner->msg, "the weights of a convolution");
}

static enum pom_status new_conv(struct pom_planner *planner, const struct pom_node *node, struct pom_int8_conv **out) {
    const struct pom_value *residual = node->epilogue.residual, *result = node->outputs[0];
    struct pom_int8_conv_desc desc = {
        .conv = pom_conv_desc_of(node), .in = *node->inputs[0]->grid, .in_mean = node->inputs[0]->mean};
    if (residual)
        desc.residual = *residual->grid;
    if (result->narrow)
        desc.out = *result->grid;
    struct pom_conv_weights weights;
    float *reordered = NULL;
    enum pom_status status = load_weights(planner, node, &weights, &reordered);
    if (status == POM_OK)
        status = pom_int8_conv_new(&desc, planner->isa, weights.weights, weights.bias, out, planner->msg);
    pom_conv_weights_unload(&weights);
    free(reordered);
    return status;
}

bool pom_build_conv_int8(struct pom_planner *planner, const struct pom_node *node) {
    struct pom_value *in = node->inputs[0], *residual = node->epilogue.residual, *out = node->outputs[0];
    struct conv_step *params = pom_plan_alloc(planner, 1, sizeof *params);
    if (!params || planner->status != POM_OK)
        return true;
    if (in->dims[0] > INT_MAX / POM_NET_MAX_BATCH)
        return false;
    enum pom_status status = new_conv(planner, node, &params->conv);
    if (status == POM_ERR_UNSUPPORTED)
        return false;
    planner->status = status;
    if (status != POM_OK)
        return true;
    params->desc = pom_conv_desc_of(node);
    params->images = (int)in->dims[0];
    size_t scratch = pom_int8_conv_scratch_bytes(params->conv);
    planner->plan->weight_bytes += pom_int8_conv_weight_bytes(params->conv);
    int from = pom_plan_input(planner, in, POM_LAYOUT_NARROW);
    int added = residual ? pom_plan_input(planner, residual, POM_LAYOUT_NARROW) : -1;
    int to = pom_plan_output(planner, out, out->narrow ? POM_LAYOUT_NARROW : POM_LAYOUT_CHANNELS_LAST);
    struct pom_step *step = pom_plan_step(planner, &conv_kind, params, from, added, to);
    if (step) {
        step->weight_bytes = pom_int8_conv_weight_bytes(params->conv);
        step->scratch_bytes = scratch;
    }
    return true;
}
