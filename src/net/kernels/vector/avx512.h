/* The vector of the AVX-512 kernels; vector/avx2.h and vector/neon.h have the same operations, but for halves. */
#ifndef POM_NET_KERNELS_VECTOR_H
#define POM_NET_KERNELS_VECTOR_H

#include <immintrin.h>

typedef __m512 vec;
enum { LANES = 16 };

static inline vec vec_load(const float *from) {
    return _mm512_loadu_ps(from);
}

/* Loads into a register for good: compilers like to read again from memory at each use. */
static inline vec vec_load_once(const float *from) {
    vec x = vec_load(from);
    __asm__("" : "+v"(x));
    return x;
}

static inline void vec_store(float *to, vec x) {
    _mm512_storeu_ps(to, x);
}

/* The first n lanes, 0 < n <= LANES; nothing past them is touched, the rest is 0. */
static inline vec vec_load_n(const float *from, int n) {
    return _mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1u), from);
}

static inline void vec_store_n(float *to, vec x, int n) {
    _mm512_mask_storeu_ps(to, (__mmask16)((1u << n) - 1u), x);
}

/* The low half of a and the high half of b. */
static inline vec vec_join(vec a, vec b) {
    return _mm512_mask_blend_ps(0xff00, a, b);
}

/* Half vectors, from and to two places. */
static inline vec vec_load_halves(const float *low, const float *high) {
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm256_loadu_ps(low)), _mm256_loadu_ps(high), 1);
}

static inline void vec_store_halves(float *low, float *high, vec x) {
    _mm256_storeu_ps(low, _mm512_castps512_ps256(x));
    _mm256_storeu_ps(high, _mm512_extractf32x8_ps(x, 1));
}

static inline vec vec_splat(float x) {
    return _mm512_set1_ps(x);
}

static inline vec vec_fma(vec x, vec y, vec sum) {
    return _mm512_fmadd_ps(x, y, sum);
}

static inline vec vec_add(vec x, vec y) {
    return _mm512_add_ps(x, y);
}

static inline vec vec_sub(vec x, vec y) {
    return _mm512_sub_ps(x, y);
}

static inline vec vec_mul(vec x, vec y) {
    return _mm512_mul_ps(x, y);
}

static inline vec vec_div(vec x, vec y) {
    return _mm512_div_ps(x, y);
}

/* low > x ? low : x: the instruction gives its second operand for NaN and for equal zeros. */
static inline vec vec_at_least(vec low, vec x) {
    return _mm512_max_ps(low, x);
}

/* high < x ? high : x */
static inline vec vec_at_most(vec high, vec x) {
    return _mm512_min_ps(high, x);
}

/* x < 0 ? slope * x : x */
static inline vec vec_leaky(vec slope, vec x) {
    return _mm512_mask_mul_ps(x, _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_LT_OQ), slope, x);
}

/* x > best or x is NaN ? x : best */
static inline vec vec_max_nan(vec best, vec x) {
    __mmask16 take = _mm512_cmp_ps_mask(x, best, _CMP_GT_OQ) | _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    return _mm512_mask_mov_ps(best, take, x);
}

#endif
