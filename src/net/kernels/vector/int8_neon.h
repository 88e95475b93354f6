/* The vectors of the int8 kernels with NEON; vector/int8_avx512.h has the same operations. Its products are of signed
 * bytes, so inputs are taken as u - 128; with dot products where the compiler may use them. */
#ifndef POM_NET_KERNELS_VECTOR_INT8_H
#define POM_NET_KERNELS_VECTOR_INT8_H

#include "net/kernels/template/inline.h"
#include <arm_neon.h>
#include <stddef.h>
#include <string.h>

typedef int32x4_t sums;
typedef uint8x16_t bytes;
typedef float32x4_t reals;
typedef int8x16_t inputs, weights;
enum { LANES = 4, INPUT_OFFSET = 128, WEIGHT_BYTES = 4 };

struct four {
    sums a, b, c, d;
};

#define SUMS_HOLD(x) __asm__("" : "+w"(x))
#define INPUTS_HOLD(x) SUMS_HOLD(x)

ALWAYS_INLINE sums sums_zero(void) {
    return vdupq_n_s32(0);
}

ALWAYS_INLINE bytes bytes_of(sums x) {
    return vreinterpretq_u8_s32(x);
}

ALWAYS_INLINE sums sums_load(const int32_t *from) {
    return vld1q_s32(from);
}

ALWAYS_INLINE void sums_store(int32_t *to, sums x) {
    vst1q_s32(to, x);
}

ALWAYS_INLINE sums sums_add(sums x, sums y) {
    return vaddq_s32(x, y);
}

ALWAYS_INLINE inputs inputs_of(bytes quads) {
    return vreinterpretq_s8_u8(veorq_u8(quads, vdupq_n_u8(128)));
}

/* The same quad of inputs in all lanes. */
ALWAYS_INLINE inputs inputs_splat(const uint8_t *from) {
    int32_t quad;
    memcpy(&quad, from, sizeof quad);
    return inputs_of(vreinterpretq_u8_s32(vdupq_n_s32(quad)));
}

ALWAYS_INLINE weights weights_load(const int8_t *from) {
    return vld1q_s8(from);
}

#ifdef __ARM_FEATURE_DOTPROD
ALWAYS_INLINE sums sums_dot(sums sum, inputs x, weights w) {
    return vdotq_s32(sum, x, w);
}
#else
/* Two products of at most 128 * 127 fit 16 bits. */
ALWAYS_INLINE sums sums_dot(sums sum, inputs x, weights w) {
    int16x8_t low = vmull_s8(vget_low_s8(x), vget_low_s8(w)), high = vmull_high_s8(x, w);
    return vpadalq_s16(sum, vpaddq_s16(low, high));
}
#endif

ALWAYS_INLINE reals reals_of(sums x) {
    return vcvtq_f32_s32(x);
}

ALWAYS_INLINE sums sums_of(reals x) {
    return vcvtnq_s32_f32(x);
}

ALWAYS_INLINE reals reals_load(const float *from) {
    return vld1q_f32(from);
}

ALWAYS_INLINE void reals_store(float *to, reals x) {
    vst1q_f32(to, x);
}

ALWAYS_INLINE reals reals_fma(reals x, reals y, reals sum) {
    return vfmaq_f32(sum, x, y);
}

/* Clamped to [0, 255]; NaN gives 0. */
ALWAYS_INLINE reals reals_to_bytes(reals x) {
    return vminnmq_f32(vmaxnmq_f32(x, vdupq_n_f32(0.0f)), vdupq_n_f32(255.0f));
}

ALWAYS_INLINE bytes bytes_zero(void) {
    return vdupq_n_u8(0);
}

ALWAYS_INLINE bytes narrow(struct four s) {
    int16x8_t ab = vqmovn_high_s32(vqmovn_s32(s.a), s.b), cd = vqmovn_high_s32(vqmovn_s32(s.c), s.d);
    return vqmovun_high_s16(vqmovun_s16(ab), cd);
}

ALWAYS_INLINE struct four widen(bytes x) {
    uint16x8_t ab = vmovl_u8(vget_low_u8(x)), cd = vmovl_high_u8(x);
    return (struct four){vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(ab))), vreinterpretq_s32_u32(vmovl_high_u16(ab)),
        vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(cd))), vreinterpretq_s32_u32(vmovl_high_u16(cd))};
}

/* A vector is one group of 128 bits: its order is that of the rows. */
ALWAYS_INLINE bytes rows_from_narrow(bytes x, const int vectors) {
    (void)vectors;
    return x;
}

ALWAYS_INLINE bytes narrow_from_rows(bytes x, const int vectors) {
    (void)vectors;
    return x;
}

ALWAYS_INLINE bytes bytes_clamp(bytes x, bytes low, bytes high) {
    return vminq_u8(high, vmaxq_u8(low, x));
}

ALWAYS_INLINE bytes bytes_max(bytes x, bytes y) {
    return vmaxq_u8(x, y);
}

ALWAYS_INLINE bytes bytes_load(const uint8_t *from) {
    return vld1q_u8(from);
}

ALWAYS_INLINE bytes bytes_load_n(const uint8_t *from, int n) {
    uint8_t all[4 * LANES] = {0};
    memcpy(all, from, (size_t)n);
    return vld1q_u8(all);
}

/* Half a vector from each of two places. */
ALWAYS_INLINE bytes bytes_join(const uint8_t *low, const uint8_t *high) {
    return vcombine_u8(vld1_u8(low), vld1_u8(high));
}

/* `size` bytes, as often as they fit: 4, 8 or 16. */
ALWAYS_INLINE bytes bytes_repeat(const uint8_t *from, const int size) {
    if (size == 4) {
        uint32_t four;
        memcpy(&four, from, sizeof four);
        return vreinterpretq_u8_u32(vdupq_n_u32(four));
    }
    return size == 8 ? vcombine_u8(vld1_u8(from), vld1_u8(from)) : vld1q_u8(from);
}

/* x with its piece i of `size` bytes replaced by the n (at least 1) that are at `from`, up to size. */
ALWAYS_INLINE bytes piece_load(bytes x, const uint8_t *from, int i, const int size, int n) {
    uint8_t all[4 * LANES];
    vst1q_u8(all, x);
    memcpy(all + (ptrdiff_t)i * size, from, n < size ? (size_t)n : (size_t)size);
    return vld1q_u8(all);
}

/* The first n bytes (at least 1), up to size, of piece i. */
ALWAYS_INLINE void piece_store(uint8_t *to, bytes x, int i, const int size, int n) {
    uint8_t all[4 * LANES];
    vst1q_u8(all, x);
    if (n < size)
        memcpy(to, all + (ptrdiff_t)i * size, (size_t)n);
    else
        memcpy(to, all + (ptrdiff_t)i * size, (size_t)size);
}

/* Depthwise: from four lines of taps to quads, in the order of narrow(). */
ALWAYS_INLINE struct four interleave(bytes y0, bytes y1, bytes y2, bytes y3) {
    uint16x8_t low01 = vreinterpretq_u16_u8(vzip1q_u8(y0, y1)), high01 = vreinterpretq_u16_u8(vzip2q_u8(y0, y1)),
               low23 = vreinterpretq_u16_u8(vzip1q_u8(y2, y3)), high23 = vreinterpretq_u16_u8(vzip2q_u8(y2, y3));
    return (struct four){vreinterpretq_s32_u16(vzip1q_u16(low01, low23)),
        vreinterpretq_s32_u16(vzip2q_u16(low01, low23)), vreinterpretq_s32_u16(vzip1q_u16(high01, high23)),
        vreinterpretq_s32_u16(vzip2q_u16(high01, high23))};
}

#endif
