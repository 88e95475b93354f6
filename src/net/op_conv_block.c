/* Steps that run up to three convolutions in a row, so that the pictures between them stay in the near caches. */
#include "net/op.h"
#include "net/op_conv.h"

struct block_step {
    struct pom_conv_block block;
    struct pom_conv_desc descs[3];
    int images; /* of one image of the batch */
    enum pom_layout layout;
    size_t in_bytes, out_bytes;
};

static void run_block(const void *params, const struct pom_call *call) {
    const struct block_step *p = params;
    const char *in = call->in[0], *residual = call->in[1];
    char *out = call->out;
    for (int i = 0; i < p->images; i++) {
        pom_conv_block_run(&p->block, in, residual, out, call->scratch);
        in += p->in_bytes;
        out += p->out_bytes;
        if (residual)
            residual += p->out_bytes;
    }
}

static void free_block(void *params) {
    struct block_step *p = params;
    pom_conv_free(p->block.first);
    pom_conv_free(p->block.depthwise);
    pom_conv_free(p->block.last);
}

static const char *block_kernel(const void *params) {
    const struct block_step *p = params;
    if (p->layout == POM_LAYOUT_BF16)
        return p->block.last ? "bf16_block_of_three" : "bf16_block_of_two";
    return p->block.last ? "f32_block_of_three" : "f32_block_of_two";
}

static void describe_block(const void *params, FILE *out) {
    const struct block_step *p = params;
    const struct pom_conv *convs[] = {p->block.first, p->block.depthwise, p->block.last};
    for (int i = 0; i < 3 && convs[i]; i++) {
        fputs(i > 0 ? " | " : "", out);
        pom_conv_describe(&p->descs[i], pom_conv_weight_bytes(convs[i]), out);
    }
}

static const struct pom_step_kind block_kind = {
    .name = "block", .run = run_block, .free = free_block, .kernel = block_kernel, .describe = describe_block};

/* What the step would do with one more convolution; false where it cannot. */
static bool extend(const struct pom_step *step, const struct pom_conv_step *conv, struct block_step *out) {
    if (step->kind == &pom_conv_kind) {
        const struct pom_conv_step *first = step->params;
        *out = (struct block_step){.block = {.first = first->conv, .depthwise = conv->conv},
            .descs = {first->desc, conv->desc},
            .images = first->images,
            .layout = first->layout};
    } else if (step->kind == &block_kind) {
        *out = *(const struct block_step *)step->params;
        if (out->block.last)
            return false;
        out->block.last = conv->conv;
        out->descs[2] = conv->desc;
    } else {
        return false;
    }
    return pom_conv_block_fits(&out->block);
}

static size_t bytes_per(const struct pom_plan *plan, int buffer, int images) {
    return plan->buffers[buffer].elements / (size_t)images * plan->buffers[buffer].width;
}

bool pom_plan_join_block(
    struct pom_planner *planner, const struct pom_node *node, const struct pom_conv_step *conv, int from, int added) {
    struct pom_plan *plan = planner->plan;
    struct pom_step *step = plan->n_steps > 0 ? &plan->steps[plan->n_steps - 1] : NULL;
    struct block_step block;
    if (!step || step->out != from || node->inputs[0]->uses != 1 || added == from || conv->images < 1 ||
        !extend(step, conv, &block))
        return false;
    struct block_step *params = pom_plan_alloc(planner, 1, sizeof *params);
    if (!params)
        return false;
    int out = pom_plan_output(planner, node->outputs[0], conv->layout);
    block.in_bytes = bytes_per(plan, step->in[0], conv->images);
    block.out_bytes = bytes_per(plan, out, conv->images);
    *params = block;
    step->kind = &block_kind;
    step->params = params;
    step->in[1] = added;
    step->out = out;
    step->scratch_bytes = pom_conv_block_scratch_bytes(&block.block);
    step->macs += node->op->macs(node);
    step->weight_bytes += pom_conv_weight_bytes(conv->conv);
    return true;
}
