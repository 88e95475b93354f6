/* The activation at the end of a chain, in the form that kernels take: identity, clamp or leaky. */
#ifndef POM_NET_KERNELS_ACTIVATION_H
#define POM_NET_KERNELS_ACTIVATION_H

#include "net/kernels/kernels.h"
#include <math.h>

enum pom_act_kind { POM_ACT_KIND_IDENTITY, POM_ACT_KIND_CLAMP, POM_ACT_KIND_LEAKY };

struct pom_act {
    enum pom_act_kind kind;
    float low, high;
};

static inline struct pom_act pom_act_of(enum pom_activation activation, float low, float high) {
    switch (activation) {
    case POM_ACT_RELU:
        return (struct pom_act){POM_ACT_KIND_CLAMP, 0.0f, INFINITY};
    case POM_ACT_CLIP:
        return (struct pom_act){POM_ACT_KIND_CLAMP, low, high};
    case POM_ACT_LEAKY_RELU:
        return (struct pom_act){POM_ACT_KIND_LEAKY, low, 0.0f};
    case POM_ACT_NONE:
        break;
    }
    return (struct pom_act){POM_ACT_KIND_IDENTITY, 0.0f, 0.0f};
}

/* The comparisons are written so that NaN and -0 pass as kernels.h says. */
static inline float pom_act_apply(float x, struct pom_act act) {
    if (act.kind == POM_ACT_KIND_CLAMP) {
        float y = act.low > x ? act.low : x;
        return act.high < y ? act.high : y;
    }
    return act.kind == POM_ACT_KIND_LEAKY && x < 0.0f ? act.low * x : x;
}

#endif
