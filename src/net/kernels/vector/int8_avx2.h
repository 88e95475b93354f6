/* The vectors of the int8 kernels with AVX2. With AVX-VNNI, its dot products. */
#ifndef POM_NET_KERNELS_VECTOR_INT8_H
#define POM_NET_KERNELS_VECTOR_INT8_H

#include <immintrin.h>

typedef __m256i sums, bytes;
typedef __m256 reals;
enum { LANES = 8, INPUT_OFFSET = 0 };

#define X86(op) _mm256_##op
#define X86_BITS(op) _mm256_##op##_si256
#ifdef __AVXVNNI__
#define X86_DOT _mm256_dpbusd_avx_epi32
#endif

#include "net/kernels/vector/int8_x86.h"

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

#endif
