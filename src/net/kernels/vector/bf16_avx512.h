/* Tensors of bf16 for the AVX-512 kernels: channels become floats when they are loaded, and are rounded when they are
 * stored; a vector of weights of a matrix product has a pair of them in each lane. */
#ifndef POM_NET_KERNELS_BF16_AVX512_H
#define POM_NET_KERNELS_BF16_AVX512_H

#include "net/kernels/vector/avx512.h"

#include <stdint.h>
#include <string.h>

#define DATA_NAME "bf16"
enum { DATA_PACK = 2 };

static inline vec bf16_widen(__m256i x) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16));
}

static inline __m256i bf16_narrow(vec x) {
    return (__m256i)_mm512_cvtneps_pbh(x);
}

static inline vec data_load(const void *from) {
    return bf16_widen(_mm256_loadu_si256(from));
}

static inline vec data_load_once(const void *from) {
    vec x = data_load(from);
    __asm__("" : "+v"(x));
    return x;
}

static inline vec data_load_n(const void *from, int n) {
    return bf16_widen(_mm256_maskz_loadu_epi16((__mmask16)((1u << n) - 1u), from));
}

static inline void data_store(void *to, vec x) {
    _mm256_storeu_si256(to, bf16_narrow(x));
}

static inline void data_store_n(void *to, vec x, int n) {
    _mm256_mask_storeu_epi16(to, (__mmask16)((1u << n) - 1u), bf16_narrow(x));
}

static inline vec data_splat(const void *from) {
    int32_t pair;
    memcpy(&pair, from, sizeof pair);
    return _mm512_castsi512_ps(_mm512_set1_epi32(pair));
}

static inline vec data_fma(vec x, vec weights, vec sum) {
#ifdef __clang__ /* clang 16 crashes on casts to its vectors of __bf16 */
    __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(x), "v"(weights));
    return sum;
#else
    return _mm512_dpbf16_ps(sum, (__m512bh)x, (__m512bh)weights);
#endif
}

#endif
