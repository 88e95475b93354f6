#include "net/op_conv.h"

#include "net/kernels/bf16.h"
#include "net/op.h"
#include "net/weights.h"

#include <limits.h>
#include <stdlib.h>

static enum pom_status check_conv(const struct pom_node *node, int64_t groups, struct pom_message *msg) {
    const struct pom_value *in = node->inputs[0], *weights = node->inputs[1], *bias = pom_node_input(node, 2);
    POM_TRY(pom_need_floats(node, 1, "weights", msg));
    if (in->rank != weights->rank || in->rank < 3)
        return pom_fail(msg, POM_ERR_FORMAT, "its weights have rank %d, its input %d", weights->rank, in->rank);
    int64_t channels = in->dims[1], out = weights->dims[0];
    if (groups < 1 || groups > INT_MAX || channels < 1 || channels > INT_MAX || out < 1 || out > INT_MAX ||
        channels % groups != 0 || out % groups != 0 || weights->dims[1] != channels / groups)
        return pom_fail(msg, POM_ERR_FORMAT, "%lld channels in %lld groups do not fit weights of %lld x %lld",
            (long long)channels, (long long)groups, (long long)out, (long long)weights->dims[1]);
    if (!bias)
        return POM_OK;
    POM_TRY(pom_need_floats(node, 2, "bias", msg));
    if (bias->rank != 1 || bias->dims[0] != out)
        return pom_fail(msg, POM_ERR_FORMAT, "its bias does not have %lld values", (long long)out);
    return POM_OK;
}

enum pom_status pom_infer_conv(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    int64_t groups = pom_node_int(node, "group", 1), side[2];
    POM_TRY(check_conv(node, groups, msg));
    const struct pom_value *in = node->inputs[0], *weights = node->inputs[1];
    struct pom_conv_params *params = pom_arena_alloc(&graph->arena, 1, sizeof *params);
    if (!params)
        return pom_fail_memory(msg, "a convolution");
    node->params = params;
    params->groups = (int)groups;
    int64_t kernel[2] = {in->rank == 4 ? weights->dims[2] : 1, weights->dims[weights->rank - 1]};
    POM_TRY(pom_window_infer(node, in, kernel, side, &params->window, msg));
    int64_t dims[] = {in->dims[0], weights->dims[0], side[2 - (in->rank - 2)], side[1]};
    return pom_value_set_shape(node->outputs[0], in->rank, dims, in->batched, msg);
}

int64_t pom_macs_conv(const struct pom_node *node) {
    const struct pom_value *weights = node->inputs[1];
    return (int64_t)node->outputs[0]->elements * pom_product(weights->dims, 1, weights->rank);
}

void pom_conv_describe(const struct pom_conv_desc *d, size_t weight_bytes, FILE *out) {
    static const char *const activations[] = {
        [POM_ACT_NONE] = "", [POM_ACT_RELU] = ", relu", [POM_ACT_CLIP] = ", clip", [POM_ACT_LEAKY_RELU] = ", leaky"};
    fprintf(out, "%dx%dx%d -> %dx%dx%d, %dx%d", d->in_h, d->in_w, d->in_c, d->out_h, d->out_w, d->out_c, d->kernel_h,
        d->kernel_w);
    if (d->stride_h > 1 || d->stride_w > 1)
        fprintf(out, "/%d", d->stride_h > d->stride_w ? d->stride_h : d->stride_w);
    fprintf(out, "%s%s%s",
        d->groups > 1 && d->groups == d->in_c ? ", depthwise"
        : d->groups > 1                       ? ", grouped"
                                              : "",
        d->residual ? ", added" : "", activations[d->activation]);
    fprintf(out, "; %.1f KB of weights", (double)weight_bytes * 1e-3);
}

static void run_conv(const void *params, const struct pom_call *call) {
    const struct pom_conv_step *p = params;
    pom_conv_run(p->conv, call->in[0], call->in[1], call->out, p->images * call->images, call->scratch);
}

static void free_conv(void *params) {
    pom_conv_free(((struct pom_conv_step *)params)->conv);
}

static void describe_conv(const void *params, FILE *out) {
    const struct pom_conv_step *p = params;
    pom_conv_describe(&p->desc, pom_conv_weight_bytes(p->conv), out);
}

static const char *conv_kernel(const void *params) {
    return pom_conv_kernel_name(((const struct pom_conv_step *)params)->conv);
}

const struct pom_step_kind pom_conv_kind = {.name = "conv",
    .in_place = 2, /* the residual */
    .many_images = true,
    .run = run_conv,
    .free = free_conv,
    .kernel = conv_kernel,
    .describe = describe_conv};

struct pom_conv_desc pom_conv_desc_of(const struct pom_node *node) {
    const struct pom_conv_params *params = node->params;
    const struct pom_window *w = &params->window;
    const struct pom_value *in = node->inputs[0], *out = node->outputs[0];
    bool plane = in->rank == 4;
    return (struct pom_conv_desc){
        .in_h = plane ? (int)in->dims[2] : 1,
        .in_w = (int)in->dims[in->rank - 1],
        .in_c = (int)in->dims[1],
        .out_h = plane ? (int)out->dims[2] : 1,
        .out_w = (int)out->dims[out->rank - 1],
        .out_c = (int)out->dims[1],
        .kernel_h = w->kernel[0],
        .kernel_w = w->kernel[1],
        .stride_h = w->stride[0],
        .stride_w = w->stride[1],
        .dilation_h = w->dilation[0],
        .dilation_w = w->dilation[1],
        .pad_top = w->pad_begin[0],
        .pad_left = w->pad_begin[1],
        .groups = params->groups,
        .residual = node->epilogue.residual != NULL,
        .activation = (enum pom_activation)node->epilogue.activation,
        .low = node->epilogue.low,
        .high = node->epilogue.high,
    };
}

static float *shifted_bias(const float *bias, size_t out_c, const struct pom_conv_params *params) {
    float *shifted = pom_alloc_aligned(out_c, sizeof(float));
    for (size_t i = 0; i < out_c && shifted; i++)
        shifted[i] = (float)((bias ? (double)bias[i] : 0.0) * params->scale[i] + params->shift[i]);
    return shifted;
}

void pom_conv_weights_load(struct pom_planner *planner, const struct pom_node *node, struct pom_conv_weights *out) {
    const struct pom_conv_params *params = node->params;
    struct pom_value *bias = pom_node_input(node, 2);
    const struct pom_value *weights = node->inputs[1];
    size_t out_c = (size_t)weights->dims[0];
    *out = (struct pom_conv_weights){
        .weights = pom_plan_weights(planner, weights, 0, out_c, weights->elements / out_c, params->scale),
        .bias = bias ? pom_value_floats(bias) : NULL};
    bool complete = out->weights && (out->bias || !bias);
    if (complete && params->scale) {
        out->shifted = shifted_bias(out->bias, out_c, params);
        out->bias = out->shifted;
        complete = out->shifted != NULL;
    }
    if (!complete)
        planner->status = pom_fail_memory(planner->msg, "a convolution");
}

void pom_conv_weights_unload(struct pom_conv_weights *weights) {
    free(weights->shifted);
}

static struct pom_conv *new_conv(struct pom_planner *planner, const struct pom_node *node,
    const struct pom_conv_desc *desc, enum pom_layout layout) {
    struct pom_conv_weights w;
    struct pom_conv *conv = NULL;
    pom_conv_weights_load(planner, node, &w);
    if (planner->status == POM_OK)
        planner->status =
            layout == POM_LAYOUT_BF16
                ? pom_bf16_conv_new(desc, planner->isa, w.weights, w.bias, node->inputs[0]->mean, &conv, planner->msg)
                : pom_conv_new(desc, planner->isa, w.weights, w.bias, &conv, planner->msg);
    pom_conv_weights_unload(&w);
    return conv;
}

void pom_build_conv(struct pom_planner *planner, const struct pom_node *node) {
    if (node->narrow && node->inputs[0]->grid && pom_build_conv_int8(planner, node))
        return;
    const struct pom_conv_desc desc = pom_conv_desc_of(node);
    bool bf16 = planner->bf16 && pom_bf16_conv_fits(&desc);
    enum pom_layout layout = bf16 ? POM_LAYOUT_BF16 : POM_LAYOUT_CHANNELS_LAST;
    int from = pom_plan_input(planner, node->inputs[0], layout);
    struct pom_value *residual = node->epilogue.residual;
    int added = residual ? pom_plan_input(planner, residual, layout) : -1;
    struct pom_conv_step *params = pom_plan_alloc(planner, 1, sizeof *params);
    if (!params || planner->status != POM_OK)
        return;
    if (node->inputs[0]->dims[0] > INT_MAX / POM_NET_MAX_BATCH) {
        pom_plan_fail(planner, POM_ERR_LIMIT, "takes too many images at once");
        return;
    }
    *params = (struct pom_conv_step){.desc = desc, .images = (int)node->inputs[0]->dims[0], .layout = layout};
    params->conv = new_conv(planner, node, &desc, layout);
    if (planner->status != POM_OK)
        return;
    planner->plan->weight_bytes += pom_conv_weight_bytes(params->conv);
    if (pom_plan_join_block(planner, node, params, from, added))
        return;
    size_t scratch = pom_conv_scratch_bytes(params->conv);
    int to = pom_plan_output(planner, node->outputs[0], layout);
    struct pom_step *step = pom_plan_step(planner, &pom_conv_kind, params, from, added, to);
    if (step) {
        step->weight_bytes = pom_conv_weight_bytes(params->conv);
        step->scratch_bytes = scratch;
    }
}
