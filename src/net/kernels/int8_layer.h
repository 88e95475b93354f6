/* An int8 convolution as every path computes it: rounded weights and the numbers of int8.h's formulas. */
#ifndef POM_NET_KERNELS_INT8_LAYER_H
#define POM_NET_KERNELS_INT8_LAYER_H

#include "net/kernels/activation.h"
#include "net/kernels/int8.h"

struct pom_int8_layer {
    struct pom_conv_desc desc;
    bool to_float;
    int8_t *weights;        /* out_c x (kernel_h * kernel_w) x in_c/groups */
    float *factor, *offset; /* out_c each */
    float *residual_factor; /* out_c; zeros where there is no residual */
    uint8_t *low, *high;    /* out_c each: the activation's limits on the output's grid */
    uint8_t *zero;          /* in_c: what a padded tap is */
    struct pom_act act;     /* of a float output: identity or clamp */
};

/* Rounds the borrowed weights. On failure nothing is kept. */
enum pom_status pom_int8_layer_init(struct pom_int8_layer *layer, const struct pom_int8_conv_desc *desc,
    const float *weights, const float *bias, struct pom_message *msg);
void pom_int8_layer_clean_up(struct pom_int8_layer *layer);

#endif
