/* The vector of the NEON kernels (AArch64); vector/avx512.h says what the operations do. */
#ifndef POM_NET_KERNELS_VECTOR_H
#define POM_NET_KERNELS_VECTOR_H

#include <arm_neon.h>
#include <string.h>

typedef float32x4_t vec;
enum { LANES = 4 };

static inline vec vec_load(const float *from) {
    return vld1q_f32(from);
}

static inline vec vec_load_once(const float *from) {
    vec x = vec_load(from);
    __asm__("" : "+w"(x));
    return x;
}

static inline void vec_store(float *to, vec x) {
    vst1q_f32(to, x);
}

static inline vec vec_load_n(const float *from, int n) {
    float part[LANES] = {0};
    memcpy(part, from, (size_t)n * sizeof *part);
    return vld1q_f32(part);
}

static inline void vec_store_n(float *to, vec x, int n) {
    float part[LANES];
    vst1q_f32(part, x);
    memcpy(to, part, (size_t)n * sizeof *part);
}

static inline vec vec_splat(float x) {
    return vdupq_n_f32(x);
}

static inline vec vec_fma(vec x, vec y, vec sum) {
    return vfmaq_f32(sum, x, y);
}

static inline vec vec_add(vec x, vec y) {
    return vaddq_f32(x, y);
}

static inline vec vec_sub(vec x, vec y) {
    return vsubq_f32(x, y);
}

static inline vec vec_mul(vec x, vec y) {
    return vmulq_f32(x, y);
}

static inline vec vec_div(vec x, vec y) {
    return vdivq_f32(x, y);
}

/* Compare and select: FMAX would make max(+0, -0) +0, where the definition keeps x. */
static inline vec vec_at_least(vec low, vec x) {
    return vbslq_f32(vcgtq_f32(low, x), low, x);
}

static inline vec vec_at_most(vec high, vec x) {
    return vbslq_f32(vcltq_f32(high, x), high, x);
}

static inline vec vec_leaky(vec slope, vec x) {
    return vbslq_f32(vcltzq_f32(x), vmulq_f32(slope, x), x);
}

/* Not "x <= best" negated alone: a NaN that is already the best must stay. */
static inline vec vec_max_nan(vec best, vec x) {
    uint32x4_t is_number = vceqq_f32(x, x);
    return vbslq_f32(vorrq_u32(vcgtq_f32(x, best), vmvnq_u32(is_number)), x, best);
}

#endif
