#include "net/kernels/vector/avx512.h"

#include "net/kernels/template/depthwise.h"

DEPTHWISE_DEFINE(14, 3, 1)
DEPTHWISE_DEFINE(7, 3, 1)
DEPTHWISE_DEFINE(4, 3, 1)
DEPTHWISE_DEFINE(2, 3, 1)
DEPTHWISE_DEFINE(1, 3, 1)
DEPTHWISE_DEFINE(14, 3, 2)
DEPTHWISE_DEFINE(7, 3, 2)
DEPTHWISE_DEFINE(4, 3, 2)
DEPTHWISE_DEFINE(2, 3, 2)
DEPTHWISE_DEFINE(1, 3, 2)
DEPTHWISE_DEFINE(14, 5, 1)
DEPTHWISE_DEFINE(7, 5, 1)
DEPTHWISE_DEFINE(4, 5, 1)
DEPTHWISE_DEFINE(2, 5, 1)
DEPTHWISE_DEFINE(1, 5, 1)
DEPTHWISE_DEFINE(14, 5, 2)
DEPTHWISE_DEFINE(7, 5, 2)
DEPTHWISE_DEFINE(4, 5, 2)
DEPTHWISE_DEFINE(2, 5, 2)
DEPTHWISE_DEFINE(1, 5, 2)

#define KERNEL(pixels, kernel, stride)                                                                                 \
    {                                                                                                                  \
        "f32_depthwise_" #pixels "x" #kernel "s" #stride "_avx512", pixels, kernel, stride,                            \
            depthwise_##pixels##_##kernel##_##stride                                                                   \
    }

const struct pom_depthwise_kernel pom_depthwise_avx512[] = {
    KERNEL(14, 3, 1),
    KERNEL(7, 3, 1),
    KERNEL(4, 3, 1),
    KERNEL(2, 3, 1),
    KERNEL(1, 3, 1),
    KERNEL(14, 3, 2),
    KERNEL(7, 3, 2),
    KERNEL(4, 3, 2),
    KERNEL(2, 3, 2),
    KERNEL(1, 3, 2),
    KERNEL(14, 5, 1),
    KERNEL(7, 5, 1),
    KERNEL(4, 5, 1),
    KERNEL(2, 5, 1),
    KERNEL(1, 5, 1),
    KERNEL(14, 5, 2),
    KERNEL(7, 5, 2),
    KERNEL(4, 5, 2),
    KERNEL(2, 5, 2),
    KERNEL(1, 5, 2),
    {"f32_depthwise_any_avx512", 1, 0, 0, depthwise_any},
};
