/* What the int8 kernels' vectors of AVX2 and AVX-512 share, name for name: template/int8_finish.h says what they hold.
 * Before it is included, sums, bytes, reals and LANES are the vectors, X86(op) and X86_BITS(op) their intrinsics, and
 * X86_DOT, where there is one, their dot product of bytes. */
#ifndef POM_NET_KERNELS_VECTOR_INT8_X86_H
#define POM_NET_KERNELS_VECTOR_INT8_X86_H

#include "net/kernels/template/inline.h"
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct four {
    sums a, b, c, d;
};

#define SUMS_HOLD(x) __asm__("" : "+v"(x))

#ifdef X86_DOT
typedef sums inputs, weights;
enum { WEIGHT_BYTES = 4 };
#define INPUTS_HOLD(x) SUMS_HOLD(x)

ALWAYS_INLINE inputs inputs_of(sums quads) {
    return quads;
}

ALWAYS_INLINE weights weights_load(const int8_t *from) {
    return X86_BITS(loadu)((const sums *)from);
}

ALWAYS_INLINE sums sums_dot(sums sum, inputs x, weights w) {
    return X86_DOT(sum, x, w);
}
#else
/* In 16 bits: bytes 0 and 2 of each quad, then 1 and 3. */
typedef struct {
    sums even, odd;
} inputs, weights;
enum { WEIGHT_BYTES = 8 };
#define INPUTS_HOLD(x) __asm__("" : "+v"((x).even), "+v"((x).odd))

ALWAYS_INLINE inputs inputs_of(sums quads) {
    return (inputs){X86_BITS(and)(quads, X86(set1_epi16)(255)), X86(srli_epi16)(quads, 8)};
}

ALWAYS_INLINE weights weights_load(const int8_t *from) {
    return (weights){X86_BITS(loadu)((const sums *)from), X86_BITS(loadu)((const sums *)(from + 4 * LANES))};
}

ALWAYS_INLINE sums sums_dot(sums sum, inputs x, weights w) {
    sum = X86(add_epi32)(sum, X86(madd_epi16)(x.even, w.even));
    return X86(add_epi32)(sum, X86(madd_epi16)(x.odd, w.odd));
}
#endif

ALWAYS_INLINE sums sums_zero(void) {
    return X86_BITS(setzero)();
}

ALWAYS_INLINE bytes bytes_of(sums x) {
    return x;
}

ALWAYS_INLINE sums sums_load(const int32_t *from) {
    return X86_BITS(loadu)((const sums *)from);
}

ALWAYS_INLINE void sums_store(int32_t *to, sums x) {
    X86_BITS(storeu)((sums *)to, x);
}

ALWAYS_INLINE sums sums_add(sums x, sums y) {
    return X86(add_epi32)(x, y);
}

ALWAYS_INLINE bytes bytes_load(const uint8_t *from) {
    return X86_BITS(loadu)((const sums *)from);
}

/* The same quad of inputs in all lanes. */
ALWAYS_INLINE inputs inputs_splat(const uint8_t *from) {
    int32_t quad;
    memcpy(&quad, from, sizeof quad);
    return inputs_of(X86(set1_epi32)(quad));
}

ALWAYS_INLINE reals reals_of(sums x) {
    return X86(cvtepi32_ps)(x);
}

ALWAYS_INLINE sums sums_of(reals x) {
    return X86(cvtps_epi32)(x);
}

ALWAYS_INLINE reals reals_load(const float *from) {
    return X86(loadu_ps)(from);
}

ALWAYS_INLINE void reals_store(float *to, reals x) {
    X86(storeu_ps)(to, x);
}

ALWAYS_INLINE reals reals_fma(reals x, reals y, reals sum) {
    return X86(fmadd_ps)(x, y, sum);
}

/* Clamped to [0, 255]; NaN gives 0, since the instruction gives its second operand for it. */
ALWAYS_INLINE reals reals_to_bytes(reals x) {
    return X86(min_ps)(X86(max_ps)(x, X86(setzero_ps)()), X86(set1_ps)(255.0f));
}

ALWAYS_INLINE bytes bytes_zero(void) {
    return X86_BITS(setzero)();
}

ALWAYS_INLINE bytes narrow(struct four s) {
    return X86(packus_epi16)(X86(packs_epi32)(s.a, s.b), X86(packs_epi32)(s.c, s.d));
}

ALWAYS_INLINE struct four widen(bytes x) {
    const sums zero = X86_BITS(setzero)(), low = X86(unpacklo_epi8)(x, zero), high = X86(unpackhi_epi8)(x, zero);
    return (struct four){X86(unpacklo_epi16)(low, zero), X86(unpackhi_epi16)(low, zero),
        X86(unpacklo_epi16)(high, zero), X86(unpackhi_epi16)(high, zero)};
}

ALWAYS_INLINE bytes bytes_clamp(bytes x, bytes low, bytes high) {
    return X86(min_epu8)(high, X86(max_epu8)(low, x));
}

ALWAYS_INLINE bytes bytes_max(bytes x, bytes y) {
    return X86(max_epu8)(x, y);
}

/* Depthwise: from four lines of taps to quads, in the order of narrow(). */
ALWAYS_INLINE struct four interleave(bytes y0, bytes y1, bytes y2, bytes y3) {
    const sums low01 = X86(unpacklo_epi8)(y0, y1), high01 = X86(unpackhi_epi8)(y0, y1),
               low23 = X86(unpacklo_epi8)(y2, y3), high23 = X86(unpackhi_epi8)(y2, y3);
    return (struct four){X86(unpacklo_epi16)(low01, low23), X86(unpackhi_epi16)(low01, low23),
        X86(unpacklo_epi16)(high01, high23), X86(unpackhi_epi16)(high01, high23)};
}

#endif
