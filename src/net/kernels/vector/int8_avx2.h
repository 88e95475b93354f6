/* The vectors of the int8 kernels with AVX2; vector/int8_avx512.h has the same operations. With AVX-VNNI, its dot
 * products. */
#ifndef POM_NET_KERNELS_VECTOR_INT8_H
#define POM_NET_KERNELS_VECTOR_INT8_H

#include "net/kernels/template/inline.h"
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef __m256i sums, bytes;
typedef __m256 reals;
enum { LANES = 8, INPUT_OFFSET = 0 };

struct four {
    sums a, b, c, d;
};

#define SUMS_HOLD(x) __asm__("" : "+x"(x))

ALWAYS_INLINE sums sums_zero(void) {
    return _mm256_setzero_si256();
}

ALWAYS_INLINE bytes bytes_of(sums x) {
    return x;
}

ALWAYS_INLINE sums sums_load(const int32_t *from) {
    return _mm256_loadu_si256((const __m256i *)from);
}

ALWAYS_INLINE void sums_store(int32_t *to, sums x) {
    _mm256_storeu_si256((__m256i *)to, x);
}

ALWAYS_INLINE sums sums_add(sums x, sums y) {
    return _mm256_add_epi32(x, y);
}

ALWAYS_INLINE bytes bytes_load(const uint8_t *from) {
    return _mm256_loadu_si256((const __m256i *)from);
}

#ifdef __AVXVNNI__
typedef __m256i inputs, weights;
enum { WEIGHT_BYTES = 4 };
#define INPUTS_HOLD(x) SUMS_HOLD(x)

ALWAYS_INLINE inputs inputs_of(__m256i quads) {
    return quads;
}

ALWAYS_INLINE weights weights_load(const int8_t *from) {
    return _mm256_loadu_si256((const __m256i *)from);
}

ALWAYS_INLINE sums sums_dot(sums sum, inputs x, weights w) {
    return _mm256_dpbusd_avx_epi32(sum, x, w);
}
#else
/* In 16 bits: bytes 0 and 2 of each quad, then 1 and 3. */
typedef struct {
    __m256i even, odd;
} inputs, weights;
enum { WEIGHT_BYTES = 8 };
#define INPUTS_HOLD(x) __asm__("" : "+x"((x).even), "+x"((x).odd))

ALWAYS_INLINE inputs inputs_of(__m256i quads) {
    return (inputs){_mm256_and_si256(quads, _mm256_set1_epi16(255)), _mm256_srli_epi16(quads, 8)};
}

ALWAYS_INLINE weights weights_load(const int8_t *from) {
    return (weights){
        _mm256_loadu_si256((const __m256i *)from), _mm256_loadu_si256((const __m256i *)(from + 4 * LANES))};
}

ALWAYS_INLINE sums sums_dot(sums sum, inputs x, weights w) {
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(x.even, w.even));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(x.odd, w.odd));
}
#endif

/* The same quad of inputs in all lanes. */
ALWAYS_INLINE inputs inputs_splat(const uint8_t *from) {
    int32_t quad;
    memcpy(&quad, from, sizeof quad);
    return inputs_of(_mm256_set1_epi32(quad));
}

ALWAYS_INLINE reals reals_of(sums x) {
    return _mm256_cvtepi32_ps(x);
}

ALWAYS_INLINE sums sums_of(reals x) {
    return _mm256_cvtps_epi32(x);
}

ALWAYS_INLINE reals reals_load(const float *from) {
    return _mm256_loadu_ps(from);
}

ALWAYS_INLINE void reals_store(float *to, reals x) {
    _mm256_storeu_ps(to, x);
}

ALWAYS_INLINE reals reals_fma(reals x, reals y, reals sum) {
    return _mm256_fmadd_ps(x, y, sum);
}

/* Clamped to [0, 255]; NaN gives 0, since the instruction gives its second operand for it. */
ALWAYS_INLINE reals reals_to_bytes(reals x) {
    return _mm256_min_ps(_mm256_max_ps(x, _mm256_setzero_ps()), _mm256_set1_ps(255.0f));
}

ALWAYS_INLINE bytes bytes_zero(void) {
    return _mm256_setzero_si256();
}

ALWAYS_INLINE bytes narrow(struct four s) {
    return _mm256_packus_epi16(_mm256_packs_epi32(s.a, s.b), _mm256_packs_epi32(s.c, s.d));
}

ALWAYS_INLINE struct four widen(bytes x) {
    const __m256i zero = _mm256_setzero_si256(), low = _mm256_unpacklo_epi8(x, zero),
                  high = _mm256_unpackhi_epi8(x, zero);
    return (struct four){_mm256_unpacklo_epi16(low, zero), _mm256_unpackhi_epi16(low, zero),
        _mm256_unpacklo_epi16(high, zero), _mm256_unpackhi_epi16(high, zero)};
}

ALWAYS_INLINE bytes rows_from_narrow(bytes x, const int vectors) {
    if (vectors == 1)
        return _mm256_permutevar8x32_epi32(x, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
    return vectors == 2 ? _mm256_permute4x64_epi64(x, 0xd8) : x;
}

ALWAYS_INLINE bytes narrow_from_rows(bytes x, const int vectors) {
    if (vectors == 1)
        return _mm256_permutevar8x32_epi32(x, _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7));
    return vectors == 2 ? _mm256_permute4x64_epi64(x, 0xd8) : x;
}

ALWAYS_INLINE bytes bytes_clamp(bytes x, bytes low, bytes high) {
    return _mm256_min_epu8(high, _mm256_max_epu8(low, x));
}

ALWAYS_INLINE bytes bytes_max(bytes x, bytes y) {
    return _mm256_max_epu8(x, y);
}

/* There are no masks for bytes: by way of memory. */
ALWAYS_INLINE bytes bytes_load_n(const uint8_t *from, int n) {
    uint8_t all[4 * LANES] = {0};
    memcpy(all, from, (size_t)n);
    return bytes_load(all);
}

/* Half a vector from each of two places. */
ALWAYS_INLINE bytes bytes_join(const uint8_t *low, const uint8_t *high) {
    return _mm256_loadu2_m128i((const __m128i *)high, (const __m128i *)low);
}

/* `size` bytes, as often as they fit: 8, 16 or 32. */
ALWAYS_INLINE bytes bytes_repeat(const uint8_t *from, const int size) {
    if (size == 8) {
        int64_t eight;
        memcpy(&eight, from, sizeof eight);
        return _mm256_set1_epi64x(eight);
    }
    return size == 16 ? _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)from)) : bytes_load(from);
}

/* x with its piece i of `size` bytes replaced by the n (at least 1) that are at `from`, up to size. */
ALWAYS_INLINE bytes piece_load(bytes x, const uint8_t *from, int i, const int size, int n) {
    uint8_t all[4 * LANES];
    _mm256_storeu_si256((__m256i *)all, x);
    memcpy(all + (ptrdiff_t)i * size, from, n < size ? (size_t)n : (size_t)size);
    return bytes_load(all);
}

ALWAYS_INLINE __m128i half_of(bytes x, int i) {
    return i == 0 ? _mm256_castsi256_si128(x) : _mm256_extracti128_si256(x, 1);
}

/* The first n bytes (at least 1), up to size, of piece i. */
ALWAYS_INLINE void piece_store(uint8_t *to, bytes x, int i, const int size, int n) {
    if (n < size) {
        uint8_t all[4 * LANES];
        _mm256_storeu_si256((__m256i *)all, x);
        memcpy(to, all + (ptrdiff_t)i * size, (size_t)n);
    } else if (size == 8) {
        __m128i half = half_of(x, i / 2);
        _mm_storel_epi64((__m128i *)to, i % 2 ? _mm_unpackhi_epi64(half, half) : half);
    } else if (size == 16) {
        _mm_storeu_si128((__m128i *)to, half_of(x, i));
    } else {
        _mm256_storeu_si256((__m256i *)to, x);
    }
}

/* Depthwise: from four lines of taps to quads, in the order of narrow(). */
ALWAYS_INLINE struct four interleave(bytes y0, bytes y1, bytes y2, bytes y3) {
    const __m256i low01 = _mm256_unpacklo_epi8(y0, y1), high01 = _mm256_unpackhi_epi8(y0, y1),
                  low23 = _mm256_unpacklo_epi8(y2, y3), high23 = _mm256_unpackhi_epi8(y2, y3);
    return (struct four){_mm256_unpacklo_epi16(low01, low23), _mm256_unpackhi_epi16(low01, low23),
        _mm256_unpacklo_epi16(high01, high23), _mm256_unpackhi_epi16(high01, high23)};
}

#endif
