/* Transcendental functions of plain multiplications and additions: the same bits on every CPU and C library, and loops
 * over them vectorise. (The C library's expf picks its code by CPU.) */
#ifndef POM_NET_MATHF_H
#define POM_NET_MATHF_H

#include <stdint.h>
#include <string.h>

/* e^x within 2 units in the last place for x in [-87, 88]; outside, the value at the nearer end. NaN stays NaN.
 * Reduction x = n ln 2 + r, |r| <= ln 2 / 2, with ln 2 in two parts (Cody and Waite, "Software Manual for the
 * Elementary Functions", 1980); e^r by the minimax polynomial of Cephes's expf (Moshier,
 * https://www.netlib.org/cephes/). */
static inline float pom_expf(float x) {
    const float magic = 0x1.8p23f; /* adding it rounds to an integer in the low bits */
    float bounded = x < -87.0f ? -87.0f : x;
    bounded = bounded > 88.0f ? 88.0f : bounded;
    float shifted = bounded * 1.44269504088896341f + magic;
    float n = shifted - magic;
    float r = bounded - n * 0.693359375f;
    r = r - n * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 127u) << 23; /* 2^n: what the magic number put above the low bits is shifted out */
    float power;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}

static inline float pom_sigmoidf(float x) {
    return 1.0f / (1.0f + pom_expf(-x));
}

#endif
