/* One number in bf16, portably, as bf16.h says. */
#ifndef POM_NET_KERNELS_BF16_NUMBER_H
#define POM_NET_KERNELS_BF16_NUMBER_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline float pom_bf16_widen(uint16_t x) {
    uint32_t bits = (uint32_t)x << 16;
    float wide;
    memcpy(&wide, &bits, sizeof wide);
    return wide;
}

static inline uint16_t pom_bf16_narrow(float x) {
    const uint32_t exponent = 0x7f800000, quiet = 0x40, sign = 0x8000, half = 0x7fff;
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (isnan(x))
        return (uint16_t)(bits >> 16 | quiet);
    if ((bits & exponent) == 0)
        return (uint16_t)(bits >> 16 & sign);
    return (uint16_t)((bits + half + (bits >> 16 & 1)) >> 16);
}

static inline float pom_bf16_flush(float x) {
    return fpclassify(x) == FP_SUBNORMAL ? copysignf(0.0f, x) : x;
}

/* bf16.h: dot. */
static inline float pom_bf16_dot(float sum, const uint16_t x[2], const uint16_t w[2]) {
    float x0 = pom_bf16_flush(pom_bf16_widen(x[0])), x1 = pom_bf16_flush(pom_bf16_widen(x[1]));
    float w0 = pom_bf16_flush(pom_bf16_widen(w[0])), w1 = pom_bf16_flush(pom_bf16_widen(w[1]));
    return pom_bf16_flush(fmaf(x0, w0, pom_bf16_flush(fmaf(x1, w1, pom_bf16_flush(sum)))));
}

#endif
