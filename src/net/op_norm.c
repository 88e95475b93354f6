/* BatchNormalization at inference: y = scale * x + shift per channel. Folded into a convolution where it can be
 * (fuse.c). */
#include "net/op.h"

#include <math.h>
#include <string.h>

static enum pom_status check_statistics(const struct pom_node *node, int64_t channels, struct pom_message *msg) {
    static const char *const names[] = {"scale", "bias", "mean", "variance"};
    for (int i = 1; i <= 4; i++) {
        POM_TRY(pom_need_floats(node, i, names[i - 1], msg));
        if (node->inputs[i]->rank != 1 || node->inputs[i]->dims[0] != channels)
            return pom_fail(msg, POM_ERR_FORMAT, "its %s does not have %lld values", names[i - 1], (long long)channels);
        if (!pom_value_floats(node->inputs[i]))
            return pom_fail_memory(msg, "a BatchNormalization");
    }
    return POM_OK;
}

enum pom_status pom_infer_batch_norm(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    const struct pom_value *in = node->inputs[0];
    if (in->rank < 2)
        return pom_fail(msg, POM_ERR_FORMAT, "takes tensors of rank 2 and more, not %d", in->rank);
    if (pom_node_int(node, "training_mode", 0) != 0 || pom_node_int(node, "spatial", 1) != 1)
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "is in training mode or not spatial; export the model for inference");
    size_t channels = (size_t)in->dims[1];
    POM_TRY(check_statistics(node, in->dims[1], msg));
    struct pom_normalize_params *params = pom_arena_alloc(&graph->arena, 1, sizeof *params);
    double *scale = pom_arena_alloc(&graph->arena, channels, sizeof(double));
    double *shift = pom_arena_alloc(&graph->arena, channels, sizeof(double));
    if (!params || !scale || !shift)
        return pom_fail_memory(msg, "a BatchNormalization");
    const float *gamma = pom_value_floats(node->inputs[1]), *beta = pom_value_floats(node->inputs[2]);
    const float *mean = pom_value_floats(node->inputs[3]), *variance = pom_value_floats(node->inputs[4]);
    double epsilon = (double)pom_node_float(node, "epsilon", 1e-5f);
    for (size_t i = 0; i < channels; i++) {
        scale[i] = (double)gamma[i] / sqrt((double)variance[i] + epsilon);
        shift[i] = (double)beta[i] - (double)mean[i] * scale[i];
    }
    *params = (struct pom_normalize_params){scale, shift};
    node->params = params;
    return pom_infer_same(graph, node, msg);
}

struct normalize_step {
    size_t outer, channels, inner; /* of the memory: inner is 1 in channels-last */
    const float *scale, *shift;
    struct pom_epilogue epilogue;
    void (*activate)(const float *in, size_t n, enum pom_activation activation, float low, float high, float *out);
};

static void run_normalize(const void *params, const struct pom_call *call) {
    const struct normalize_step *p = params;
    const float *in = call->in[0];
    float *out = call->out;
    for (size_t o = 0; o < p->outer; o++) {
        if (p->inner == 1)
            for (size_t c = 0; c < p->channels; c++)
                out[c] = in[c] * p->scale[c] + p->shift[c];
        else
            for (size_t c = 0; c < p->channels; c++)
                for (size_t i = 0; i < p->inner; i++)
                    out[c * p->inner + i] = in[c * p->inner + i] * p->scale[c] + p->shift[c];
        if (p->epilogue.activation != POM_ACT_NONE)
            p->activate(out, p->channels * p->inner, (enum pom_activation)p->epilogue.activation, p->epilogue.low,
                p->epilogue.high, out);
        in += p->channels * p->inner;
        out += p->channels * p->inner;
    }
}

static const struct pom_step_kind normalize_kind = {.name = "f32_normalize", .run = run_normalize, .in_place = 1};

void pom_build_batch_norm(struct pom_planner *planner, const struct pom_node *node) {
    const struct pom_value *in = node->inputs[0];
    const struct pom_normalize_params *from = node->params;
    enum pom_layout layout = pom_plan_layout(planner, in);
    int64_t dims[POM_NET_MAX_RANK];
    pom_layout_dims(in, layout, dims);
    int axis = pom_layout_axis(in->rank, 1, layout);
    size_t channels = (size_t)in->dims[1];
    int source = pom_plan_input(planner, node->inputs[0], layout);
    int target = pom_plan_output(planner, node->outputs[0], layout);
    struct normalize_step *params = pom_plan_alloc(planner, 1, sizeof *params);
    float *scale = pom_plan_alloc(planner, channels, sizeof(float)),
          *shift = pom_plan_alloc(planner, channels, sizeof(float));
    if (!params || !scale || !shift)
        return;
    for (size_t i = 0; i < channels; i++) {
        scale[i] = (float)from->scale[i];
        shift[i] = (float)from->shift[i];
    }
    *params = (struct normalize_step){(size_t)pom_product(dims, 0, axis), channels,
        (size_t)pom_product(dims, axis + 1, in->rank), scale, shift, node->epilogue,
        pom_kernels(planner->isa)->activate};
    pom_plan_step(planner, &normalize_kind, params, source, -1, target);
}
