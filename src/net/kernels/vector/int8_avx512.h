/* The vectors of the int8 kernels with AVX-512. With VNNI, its dot products. vector/int8_neon.h has the same
 * operations. */
#ifndef POM_NET_KERNELS_VECTOR_INT8_H
#define POM_NET_KERNELS_VECTOR_INT8_H

#include <immintrin.h>

typedef __m512i sums, bytes;
typedef __m512 reals;
enum { LANES = 16, INPUT_OFFSET = 0 };

#define X86(op) _mm512_##op
#define X86_BITS(op) _mm512_##op##_si512
#ifdef __AVX512VNNI__
#define X86_DOT _mm512_dpbusd_epi32
#endif

#include "net/kernels/vector/int8_x86.h"

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

#endif
