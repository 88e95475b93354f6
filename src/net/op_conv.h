/* What the convolutions of the precisions share. */
#ifndef POM_NET_OP_CONV_H
#define POM_NET_OP_CONV_H

#include "net/kernels/kernels.h"
#include "net/plan.h"

struct pom_conv_desc pom_conv_desc_of(const struct pom_node *node);

/* For pom_plan_print: the shape, what is fused, and the weights. */
void pom_conv_describe(const struct pom_conv_desc *d, size_t weight_bytes, FILE *out);

/* The weights of a convolution with the BatchNormalization behind it folded in. */
struct pom_conv_weights {
    const float *weights, *bias; /* the planner's, until the next layer's are loaded; bias: or NULL */
    float *shifted;              /* what was made for it */
};

/* A failure is the planner's. On failure too, unload follows. */
void pom_conv_weights_load(struct pom_planner *planner, const struct pom_node *node, struct pom_conv_weights *out);
void pom_conv_weights_unload(struct pom_conv_weights *weights);

/* The step of one convolution. */
struct pom_conv_step {
    struct pom_conv *conv;
    struct pom_conv_desc desc;
    int images;             /* of one image of the batch */
    enum pom_layout layout; /* of its tensors: CHANNELS_LAST or BF16 */
};
extern const struct pom_step_kind pom_conv_kind;

/* Where the step before makes the node's input, which nobody else reads, lets it run this convolution too
 * (op_conv_block.c); conv is then its own. from, added: the buffers of the input and of the residual or -1. */
bool pom_plan_join_block(
    struct pom_planner *planner, const struct pom_node *node, const struct pom_conv_step *conv, int from, int added);

/* The 8-bit form of a node that pom_narrow_mark marked; false where its numbers have none. */
bool pom_build_conv_int8(struct pom_planner *planner, const struct pom_node *node);

#endif
