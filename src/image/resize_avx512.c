#include "image/resize_kernels.h"

#include <immintrin.h>

enum { HALF = 1 << (POM_WEIGHT_BITS - 1) };

static void widen(const uint8_t *rgb, size_t pixels, uint8_t *rgbx) {
    const __m128i spread = _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1);
    size_t i = 0;
    for (; i + 6 <= pixels; i += 4) /* a load of 16 bytes reaches into the sixth pixel */
        _mm_storeu_si128(
            (__m128i *)(rgbx + 4 * i), _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(rgb + 3 * i)), spread));
    pom_resize_ref.widen(rgb + 3 * i, pixels - i, rgbx + 4 * i);
}

static inline __m128i clip(__m512i sums) {
    __m512i values = _mm512_max_epi32(_mm512_srai_epi32(sums, POM_WEIGHT_BITS), _mm512_setzero_si512());
    return _mm512_cvtusepi32_epi8(values);
}

/* The sums of one pixel, in quarters: four taps a step, one in each. */
static inline __m512i sum_quarters(const uint8_t *rgbx, const struct pom_weights *w, int x) {
    const __m512i spread = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
    const uint8_t *in = rgbx + 4 * (size_t)w->first[x];
    const int32_t *weights = w->weights + (size_t)x * w->stride;
    __m512i sums = _mm512_setzero_si512();
    for (int t = 0; t < w->count[x]; t += POM_TAP_GROUP) {
        __m512i pixels = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(in + 4 * (size_t)t)));
        __m512i four = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(weights + t)));
        sums = _mm512_add_epi32(sums, _mm512_mullo_epi32(pixels, _mm512_permutexvar_epi32(spread, four)));
    }
    return sums;
}

/* The first half of each is the sum of a's, the second of b's. */
static inline __m512i add_halves(__m512i a, __m512i b) {
    return _mm512_add_epi32(_mm512_shuffle_i32x4(a, b, 0x44), _mm512_shuffle_i32x4(a, b, 0xee));
}

static inline void across_four(const uint8_t *rgbx, const struct pom_weights *w, int x, uint8_t *rgb) {
    const __m128i close = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
    __m512i ab = add_halves(sum_quarters(rgbx, w, x), sum_quarters(rgbx, w, x + 1));
    __m512i cd = add_halves(sum_quarters(rgbx, w, x + 2), sum_quarters(rgbx, w, x + 3));
    __m512i sums = _mm512_add_epi32(_mm512_shuffle_i32x4(ab, cd, 0x88), _mm512_shuffle_i32x4(ab, cd, 0xdd));
    __m128i pixels = clip(_mm512_add_epi32(sums, _mm512_set1_epi32(HALF)));
    _mm_mask_storeu_epi8(rgb + 3 * (size_t)x, 0xfff, _mm_shuffle_epi8(pixels, close));
}

static void across(const uint8_t *rgbx, const struct pom_weights *w, uint8_t *rgb) {
    if (w->out < 4) {
        pom_resize_ref.across(rgbx, w, rgb);
        return;
    }
    for (int x = 0; x + 4 <= w->out; x += 4)
        across_four(rgbx, w, x, rgb);
    if (w->out % 4) /* the last four overlap those before */
        across_four(rgbx, w, w->out - 4, rgb);
}

static inline __m512i load16(const uint8_t *in) {
    return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)in));
}

/* 64 columns. */
static inline void down_block(const uint8_t *in, size_t stride, const int32_t *weights, int count, uint8_t *out) {
    __m512i half = _mm512_set1_epi32(HALF), a = half, b = half, c = half, d = half;
    for (int t = 0; t < count; t++, in += stride) {
        __m512i factor = _mm512_set1_epi32(weights[t]);
        a = _mm512_add_epi32(a, _mm512_mullo_epi32(load16(in), factor));
        b = _mm512_add_epi32(b, _mm512_mullo_epi32(load16(in + 16), factor));
        c = _mm512_add_epi32(c, _mm512_mullo_epi32(load16(in + 32), factor));
        d = _mm512_add_epi32(d, _mm512_mullo_epi32(load16(in + 48), factor));
    }
    _mm_storeu_si128((__m128i *)out, clip(a));
    _mm_storeu_si128((__m128i *)(out + 16), clip(b));
    _mm_storeu_si128((__m128i *)(out + 32), clip(c));
    _mm_storeu_si128((__m128i *)(out + 48), clip(d));
}

/* Up to 16 columns. */
static inline void down_tail(
    const uint8_t *in, size_t stride, const int32_t *weights, int count, size_t n, uint8_t *out) {
    __mmask16 inside = (__mmask16)(n >= 16 ? 0xffff : (1U << n) - 1);
    __m512i sums = _mm512_set1_epi32(HALF);
    for (int t = 0; t < count; t++, in += stride) {
        __m512i pixels = _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(inside, in));
        sums = _mm512_add_epi32(sums, _mm512_mullo_epi32(pixels, _mm512_set1_epi32(weights[t])));
    }
    _mm_mask_storeu_epi8(out, inside, clip(sums));
}

static void down(const uint8_t *in, size_t stride, const int32_t *weights, int count, size_t n, uint8_t *out) {
    size_t x = 0;
    for (; x + 64 <= n; x += 64)
        down_block(in + x, stride, weights, count, out + x);
    for (; x < n; x += 16)
        down_tail(in + x, stride, weights, count, n - x, out + x);
}

const struct pom_resize_kernels pom_resize_avx512 = {widen, across, down};
