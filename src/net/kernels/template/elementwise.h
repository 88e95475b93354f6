/* Elementwise operations. Include after a vector header. */
#ifndef POM_NET_KERNELS_TEMPLATE_ELEMENTWISE_H
#define POM_NET_KERNELS_TEMPLATE_ELEMENTWISE_H

#include "net/kernels/template/lanes.h"

static void add(
    const float *a, const float *b, size_t n, enum pom_activation activation, float low, float high, float *out) {
    const struct pom_act act = pom_act_of(activation, low, high);
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        vec_store(out + i, activate(vec_add(vec_load(a + i), vec_load(b + i)), act));
    if (i < n) {
        int left = (int)(n - i);
        vec_store_n(out + i, activate(vec_add(vec_load_n(a + i, left), vec_load_n(b + i, left)), act), left);
    }
}

static void activate_all(const float *in, size_t n, enum pom_activation activation, float low, float high, float *out) {
    const struct pom_act act = pom_act_of(activation, low, high);
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        vec_store(out + i, activate(vec_load(in + i), act));
    if (i < n)
        vec_store_n(out + i, activate(vec_load_n(in + i, (int)(n - i)), act), (int)(n - i));
}

#endif
