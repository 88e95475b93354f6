/* The vector of the AVX2 + FMA kernels; vector/avx512.h says what the operations do. */
#ifndef POM_NET_KERNELS_VECTOR_H
#define POM_NET_KERNELS_VECTOR_H

#include <immintrin.h>

typedef __m256 vec;
enum { LANES = 8 };

static inline vec vec_load(const float *from) {
    return _mm256_loadu_ps(from);
}

static inline vec vec_load_once(const float *from) {
    vec x = vec_load(from);
    __asm__("" : "+x"(x));
    return x;
}

static inline void vec_store(float *to, vec x) {
    _mm256_storeu_ps(to, x);
}

static inline __m256i vec_first(int n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline vec vec_load_n(const float *from, int n) {
    return _mm256_maskload_ps(from, vec_first(n));
}

static inline void vec_store_n(float *to, vec x, int n) {
    _mm256_maskstore_ps(to, vec_first(n), x);
}

static inline vec vec_splat(float x) {
    return _mm256_set1_ps(x);
}

static inline vec vec_fma(vec x, vec y, vec sum) {
    return _mm256_fmadd_ps(x, y, sum);
}

static inline vec vec_add(vec x, vec y) {
    return _mm256_add_ps(x, y);
}

static inline vec vec_sub(vec x, vec y) {
    return _mm256_sub_ps(x, y);
}

static inline vec vec_mul(vec x, vec y) {
    return _mm256_mul_ps(x, y);
}

static inline vec vec_div(vec x, vec y) {
    return _mm256_div_ps(x, y);
}

static inline vec vec_at_least(vec low, vec x) {
    return _mm256_max_ps(low, x);
}

static inline vec vec_at_most(vec high, vec x) {
    return _mm256_min_ps(high, x);
}

static inline vec vec_leaky(vec slope, vec x) {
    vec negative = _mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_LT_OQ);
    return _mm256_blendv_ps(x, _mm256_mul_ps(slope, x), negative);
}

static inline vec vec_max_nan(vec best, vec x) {
    vec take = _mm256_or_ps(_mm256_cmp_ps(x, best, _CMP_GT_OQ), _mm256_cmp_ps(x, x, _CMP_UNORD_Q));
    return _mm256_blendv_ps(best, x, take);
}

#endif
