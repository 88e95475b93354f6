/* What the convolution's files share. */
#ifndef POM_NET_KERNELS_CONV_H
#define POM_NET_KERNELS_CONV_H

#include "net/kernels/activation.h"

static inline bool pom_conv_is_depthwise(const struct pom_conv_desc *d) {
    return d->groups > 1 && d->groups == d->in_c;
}

#endif
