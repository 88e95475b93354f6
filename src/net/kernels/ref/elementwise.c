#include "net/kernels/ref/ref.h"

void pom_ref_add(
    const float *a, const float *b, size_t n, enum pom_activation activation, float low, float high, float *out) {
    struct pom_act act = pom_act_of(activation, low, high);
    for (size_t i = 0; i < n; i++)
        out[i] = pom_act_apply(a[i] + b[i], act);
}

void pom_ref_activate(const float *in, size_t n, enum pom_activation activation, float low, float high, float *out) {
    struct pom_act act = pom_act_of(activation, low, high);
    for (size_t i = 0; i < n; i++)
        out[i] = pom_act_apply(in[i], act);
}
