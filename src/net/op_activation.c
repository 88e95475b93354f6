/* Functions of one number: those that kernels fuse (activations), and the others. */
#include "net/kernels/kernels.h"
#include "net/mathf.h"
#include "net/op.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* A bound of Clip: an attribute before opset 11, a constant input since. */
static enum pom_status clip_bound(const struct pom_node *node, int input, const char *attribute, float otherwise,
    float *out, struct pom_message *msg) {
    struct pom_value *value = pom_node_input(node, input);
    *out = pom_node_float(node, attribute, otherwise);
    if (!value)
        return POM_OK;
    POM_TRY(pom_need_floats(node, input, attribute, msg));
    if (value->elements != 1)
        return pom_fail(msg, POM_ERR_FORMAT, "its %s is not one number", attribute);
    const float *number = pom_value_floats(value);
    if (!number)
        return pom_fail_memory(msg, "a constant of a network");
    *out = *number;
    return POM_OK;
}

enum pom_status pom_infer_activation(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    struct pom_activation_params *params = pom_arena_alloc(&graph->arena, 1, sizeof *params);
    if (!params)
        return pom_fail_memory(msg, "an activation");
    node->params = params;
    if (strcmp(node->type, "Relu") == 0) {
        params->activation = POM_ACT_RELU;
    } else if (strcmp(node->type, "LeakyRelu") == 0) {
        params->activation = POM_ACT_LEAKY_RELU;
        params->low = pom_node_float(node, "alpha", 0.01f);
    } else {
        params->activation = POM_ACT_CLIP;
        POM_TRY(clip_bound(node, 1, "min", -FLT_MAX, &params->low, msg));
        POM_TRY(clip_bound(node, 2, "max", FLT_MAX, &params->high, msg));
        params->low = params->low < params->high ? params->low : params->high; /* min above max: all become max */
    }
    return pom_infer_same(graph, node, msg);
}

struct activation_step {
    size_t n;
    struct pom_activation_params activation;
    void (*activate)(const float *in, size_t n, enum pom_activation activation, float low, float high, float *out);
};

static void run_activation(const void *params, const struct pom_call *call) {
    const struct activation_step *p = params;
    p->activate(call->in[0], p->n, (enum pom_activation)p->activation.activation, p->activation.low, p->activation.high,
        call->out);
}

static const struct pom_step_kind activation_kind = {.name = "f32_activate", .run = run_activation, .in_place = 1};

void pom_build_activation(struct pom_planner *planner, const struct pom_node *node) {
    enum pom_layout layout = pom_plan_layout(planner, node->inputs[0]);
    int from = pom_plan_input(planner, node->inputs[0], layout);
    int to = pom_plan_output(planner, node->outputs[0], layout);
    struct activation_step *params = pom_plan_alloc(planner, 1, sizeof *params);
    if (params)
        *params = (struct activation_step){node->outputs[0]->elements,
            *(const struct pom_activation_params *)node->params, pom_kernels(planner->isa)->activate};
    pom_plan_step(planner, &activation_kind, params, from, -1, to);
}

enum unary { UNARY_SIGMOID, UNARY_HARD_SIGMOID, UNARY_HARD_SWISH };

struct unary_params {
    enum unary function;
    float alpha, beta;
};

enum pom_status pom_infer_unary(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    struct unary_params *params = pom_arena_alloc(&graph->arena, 1, sizeof *params);
    if (!params)
        return pom_fail_memory(msg, "an activation");
    node->params = params;
    params->function = strcmp(node->type, "Sigmoid") == 0       ? UNARY_SIGMOID
                       : strcmp(node->type, "HardSigmoid") == 0 ? UNARY_HARD_SIGMOID
                                                                : UNARY_HARD_SWISH;
    params->alpha = pom_node_float(node, "alpha", 0.2f);
    params->beta = pom_node_float(node, "beta", 0.5f);
    return pom_infer_same(graph, node, msg);
}

struct unary_step {
    size_t n;
    struct unary_params unary;
};

static float unit(float x) {
    return x > 1.0f ? 1.0f : x < 0.0f ? 0.0f : x;
}

static void run_unary(const void *params, const struct pom_call *call) {
    const struct unary_step *p = params;
    const float *in = call->in[0], alpha = p->unary.alpha, beta = p->unary.beta;
    float *out = call->out;
    switch (p->unary.function) {
    case UNARY_SIGMOID:
        for (size_t i = 0; i < p->n; i++)
            out[i] = pom_sigmoidf(in[i]);
        break;
    case UNARY_HARD_SIGMOID:
        for (size_t i = 0; i < p->n; i++)
            out[i] = unit(alpha * in[i] + beta);
        break;
    case UNARY_HARD_SWISH:
        for (size_t i = 0; i < p->n; i++)
            out[i] = in[i] * unit(in[i] * (1.0f / 6.0f) + 0.5f);
        break;
    }
}

static void describe_unary(const void *params, FILE *out) {
    static const char *const names[] = {"sigmoid", "hard sigmoid", "hard swish"};
    fputs(names[((const struct unary_step *)params)->unary.function], out);
}

static const struct pom_step_kind unary_kind = {
    .name = "f32_unary", .run = run_unary, .describe = describe_unary, .in_place = 1};

void pom_build_unary(struct pom_planner *planner, const struct pom_node *node) {
    enum pom_layout layout = pom_plan_layout(planner, node->inputs[0]);
    int from = pom_plan_input(planner, node->inputs[0], layout);
    int to = pom_plan_output(planner, node->outputs[0], layout);
    struct unary_step *params = pom_plan_alloc(planner, 1, sizeof *params);
    if (params)
        *params = (struct unary_step){node->outputs[0]->elements, *(const struct unary_params *)node->params};
    pom_plan_step(planner, &unary_kind, params, from, -1, to);
}
