/* The vectors of the int8 kernels with AVX-512; template/int8_finish.h says what they hold. With VNNI defined, its dot
 * products. vector/int8_avx2.h and vector/int8_neon.h have the same operations. */
#ifndef POM_NET_KERNELS_VECTOR_INT8_H
#define POM_NET_KERNELS_VECTOR_INT8_H

#include "net/kernels/template/inline.h"
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef __m512i sums, bytes;
typedef __m512 reals;
enum { LANES = 16, INPUT_OFFSET = 0 };

struct four {
    sums a, b, c, d;
};

#define SUMS_HOLD(x) __asm__("" : "+v"(x))

ALWAYS_INLINE sums sums_zero(void) {
    return _mm512_setzero_si512();
}

ALWAYS_INLINE bytes bytes_of(sums x) {
    return x;
}

ALWAYS_INLINE sums sums_load(const int32_t *from) {
    return _mm512_loadu_si512(from);
}

ALWAYS_INLINE void sums_store(int32_t *to, sums x) {
    _mm512_storeu_si512(to, x);
}

ALWAYS_INLINE sums sums_add(sums x, sums y) {
    return _mm512_add_epi32(x, y);
}

#ifdef __AVX512VNNI__
typedef __m512i inputs, weights;
enum { WEIGHT_BYTES = 4 };
#define INPUTS_HOLD(x) SUMS_HOLD(x)

ALWAYS_INLINE inputs inputs_of(__m512i quads) {
    return quads;
}

ALWAYS_INLINE weights weights_load(const int8_t *from) {
    return _mm512_loadu_si512(from);
}

ALWAYS_INLINE sums sums_dot(sums sum, inputs x, weights w) {
    return _mm512_dpbusd_epi32(sum, x, w);
}
#else
/* In 16 bits: bytes 0 and 2 of each quad, then 1 and 3. */
typedef struct {
    __m512i even, odd;
} inputs, weights;
enum { WEIGHT_BYTES = 8 };
#define INPUTS_HOLD(x) __asm__("" : "+v"((x).even), "+v"((x).odd))

ALWAYS_INLINE inputs inputs_of(__m512i quads) {
    return (inputs){_mm512_and_si512(quads, _mm512_set1_epi16(255)), _mm512_srli_epi16(quads, 8)};
}

ALWAYS_INLINE weights weights_load(const int8_t *from) {
    return (weights){_mm512_loadu_si512(from), _mm512_loadu_si512(from + 4 * LANES)};
}

ALWAYS_INLINE sums sums_dot(sums sum, inputs x, weights w) {
    sum = _mm512_add_epi32(sum, _mm512_madd_epi16(x.even, w.even));
    return _mm512_add_epi32(sum, _mm512_madd_epi16(x.odd, w.odd));
}
#endif

/* The same quad of inputs in all lanes. */
ALWAYS_INLINE inputs inputs_splat(const uint8_t *from) {
    int32_t quad;
    memcpy(&quad, from, sizeof quad);
    return inputs_of(_mm512_set1_epi32(quad));
}

ALWAYS_INLINE reals reals_of(sums x) {
    return _mm512_cvtepi32_ps(x);
}

ALWAYS_INLINE sums sums_of(reals x) {
    return _mm512_cvtps_epi32(x);
}

ALWAYS_INLINE reals reals_load(const float *from) {
    return _mm512_loadu_ps(from);
}

ALWAYS_INLINE void reals_store(float *to, reals x) {
    _mm512_storeu_ps(to, x);
}

ALWAYS_INLINE reals reals_fma(reals x, reals y, reals sum) {
    return _mm512_fmadd_ps(x, y, sum);
}

/* Clamped to [0, 255]; NaN gives 0, since the instruction gives its second operand for it. */
ALWAYS_INLINE reals reals_to_bytes(reals x) {
    return _mm512_min_ps(_mm512_max_ps(x, _mm512_setzero_ps()), _mm512_set1_ps(255.0f));
}

ALWAYS_INLINE bytes bytes_zero(void) {
    return _mm512_setzero_si512();
}

ALWAYS_INLINE bytes narrow(struct four s) {
    return _mm512_packus_epi16(_mm512_packs_epi32(s.a, s.b), _mm512_packs_epi32(s.c, s.d));
}

ALWAYS_INLINE struct four widen(bytes x) {
    const __m512i zero = _mm512_setzero_si512(), low = _mm512_unpacklo_epi8(x, zero),
                  high = _mm512_unpackhi_epi8(x, zero);
    return (struct four){_mm512_unpacklo_epi16(low, zero), _mm512_unpackhi_epi16(low, zero),
        _mm512_unpacklo_epi16(high, zero), _mm512_unpackhi_epi16(high, zero)};
}

ALWAYS_INLINE bytes rows_from_narrow(bytes x, const int vectors) {
    if (vectors == 1)
        return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), x);
    return vectors == 2 ? _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), x) : x;
}

ALWAYS_INLINE bytes narrow_from_rows(bytes x, const int vectors) {
    if (vectors == 1)
        return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), x);
    return vectors == 2 ? _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7), x) : x;
}

ALWAYS_INLINE bytes bytes_clamp(bytes x, bytes low, bytes high) {
    return _mm512_min_epu8(high, _mm512_max_epu8(low, x));
}

ALWAYS_INLINE bytes bytes_max(bytes x, bytes y) {
    return _mm512_max_epu8(x, y);
}

ALWAYS_INLINE bytes bytes_load(const uint8_t *from) {
    return _mm512_loadu_si512(from);
}

ALWAYS_INLINE __mmask64 first_bytes(int n) {
    return n >= 64 ? ~0ull : (1ull << n) - 1;
}

ALWAYS_INLINE bytes bytes_load_n(const uint8_t *from, int n) {
    return _mm512_maskz_loadu_epi8(first_bytes(n), from);
}

/* Half a vector from each of two places. */
ALWAYS_INLINE bytes bytes_join(const uint8_t *low, const uint8_t *high) {
    return _mm512_inserti64x4(
        _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)low)), _mm256_loadu_si256((const __m256i *)high), 1);
}

/* `size` bytes, as often as they fit: 16, 32 or 64. */
ALWAYS_INLINE bytes bytes_repeat(const uint8_t *from, const int size) {
    if (size == 16)
        return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)from));
    return size == 32 ? _mm512_broadcast_i64x4(_mm256_loadu_si256((const __m256i *)from)) : _mm512_loadu_si512(from);
}

ALWAYS_INLINE __m256i half_of(bytes x, int i) {
    return i == 0 ? _mm512_castsi512_si256(x) : _mm512_extracti64x4_epi64(x, 1);
}

ALWAYS_INLINE __m128i quarter_of(bytes x, int i) {
    __m256i half = half_of(x, i / 2);
    return i % 2 == 0 ? _mm256_castsi256_si128(half) : _mm256_extracti128_si256(half, 1);
}

/* x with its piece i of `size` bytes replaced by the n (at least 1) that are at `from`, up to size. */
ALWAYS_INLINE bytes piece_load(bytes x, const uint8_t *from, int i, const int size, int n) {
    __mmask64 mask = first_bytes(n < size ? n : size) << (i * size);
    return _mm512_mask_loadu_epi8(x, mask, from - i * size);
}

/* The first n bytes (at least 1), up to size, of piece i. */
ALWAYS_INLINE void piece_store(uint8_t *to, bytes x, int i, const int size, int n) {
    if (n < size)
        _mm512_mask_storeu_epi8(to - i * size, first_bytes(n) << (i * size), x);
    else if (size == 16)
        _mm_storeu_si128((__m128i *)to, quarter_of(x, i));
    else if (size == 32)
        _mm256_storeu_si256((__m256i *)to, half_of(x, i));
    else
        _mm512_storeu_si512(to, x);
}

/* Depthwise: from four lines of taps to quads, in the order of narrow(). */
ALWAYS_INLINE struct four interleave(bytes y0, bytes y1, bytes y2, bytes y3) {
    const __m512i low01 = _mm512_unpacklo_epi8(y0, y1), high01 = _mm512_unpackhi_epi8(y0, y1),
                  low23 = _mm512_unpacklo_epi8(y2, y3), high23 = _mm512_unpackhi_epi8(y2, y3);
    return (struct four){_mm512_unpacklo_epi16(low01, low23), _mm512_unpackhi_epi16(low01, low23),
        _mm512_unpacklo_epi16(high01, high23), _mm512_unpackhi_epi16(high01, high23)};
}

#endif
