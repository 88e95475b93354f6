/* What the convolutions of floats and of 8 bits share. */
#ifndef POM_NET_OP_CONV_H
#define POM_NET_OP_CONV_H

#include "net/kernels/kernels.h"
#include "net/plan.h"

struct pom_conv_desc pom_conv_desc_of(const struct pom_node *node);

/* For pom_plan_print: the shape, what is fused, and the weights. */
void pom_conv_describe(const struct pom_conv_desc *d, size_t weight_bytes, FILE *out);

/* The weights of a convolution with the BatchNormalization behind it folded in. */
struct pom_conv_weights {
    const float *weights, *bias; /* bias: or NULL */
    float *scaled, *shifted;     /* what was made for it */
};

/* On failure too, unload follows. */
enum pom_status pom_conv_weights_load(
    const struct pom_node *node, struct pom_conv_weights *out, struct pom_message *msg);
void pom_conv_weights_unload(const struct pom_node *node, struct pom_conv_weights *weights);

/* The 8-bit form of a node that pom_narrow_mark marked; false where its numbers have none. */
bool pom_build_conv_int8(struct pom_planner *planner, const struct pom_node *node);

#endif
