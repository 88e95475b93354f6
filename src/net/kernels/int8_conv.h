/* What the int8 convolution's files share: a layer is made and run by one method. */
#ifndef POM_NET_KERNELS_INT8_CONV_H
#define POM_NET_KERNELS_INT8_CONV_H

#include "net/kernels/int8_layer.h"
#include "net/kernels/int8_table.h"

struct pom_int8_conv {
    struct pom_int8_layer layer;
    const struct pom_int8_method *method;
    void *state; /* the method's */
    size_t weight_bytes, scratch_bytes;
    bool joins_images; /* a run of images is one high picture */
    const char *kernel_name;
};

struct pom_int8_method {
    /* Fills the rest of conv from its layer. After a failure clean_up follows. */
    enum pom_status (*init)(struct pom_int8_conv *conv, const struct pom_int8_table *table, struct pom_message *msg);
    void (*clean_up)(struct pom_int8_conv *conv);
    /* images: 1 where the conv does not join them. */
    void (*run)(const struct pom_int8_conv *conv, const uint8_t *in, const uint8_t *residual, void *out, int images,
        void *scratch);
};

extern const struct pom_int8_method pom_int8_by_gemm, pom_int8_by_depthwise, pom_int8_by_ref;

#endif
