#include "image/resize_kernels.h"

#include <immintrin.h>
#include <string.h>

enum { HALF = 1 << (POM_WEIGHT_BITS - 1) };

static void widen(const uint8_t *rgb, size_t pixels, uint8_t *rgbx) {
    const __m128i spread = _mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1);
    size_t i = 0;
    for (; i + 6 <= pixels; i += 4) /* a load of 16 bytes reaches into the sixth pixel */
        _mm_storeu_si128(
            (__m128i *)(rgbx + 4 * i), _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(rgb + 3 * i)), spread));
    pom_resize_ref.widen(rgb + 3 * i, pixels - i, rgbx + 4 * i);
}

/* Four sums -> the three bytes of a pixel. */
static inline void store_pixel(__m128i sums, uint8_t *rgb) {
    __m128i words = _mm_packus_epi32(_mm_srai_epi32(sums, POM_WEIGHT_BITS), _mm_setzero_si128());
    int pixel = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));
    memcpy(rgb, &pixel, 3);
}

/* Two taps a step: the low half sums the even ones, the high half the odd ones. */
static void across(const uint8_t *rgbx, const struct pom_weights *w, uint8_t *rgb) {
    const __m256i spread = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
    for (int x = 0; x < w->out; x++, rgb += 3) {
        const uint8_t *in = rgbx + 4 * (size_t)w->first[x];
        const int32_t *weights = w->weights + (size_t)x * w->stride;
        __m256i sums = _mm256_setzero_si256();
        for (int t = 0; t < w->count[x]; t += 2) {
            __m256i pixels = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(in + 4 * (size_t)t)));
            __m128i pair = _mm_loadl_epi64((const __m128i *)(weights + t));
            __m256i factors = _mm256_permutevar8x32_epi32(_mm256_castsi128_si256(pair), spread);
            sums = _mm256_add_epi32(sums, _mm256_mullo_epi32(pixels, factors));
        }
        __m128i both = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
        store_pixel(_mm_add_epi32(both, _mm_set1_epi32(HALF)), rgb);
    }
}

static inline __m256i load8(const uint8_t *in) {
    return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)in));
}

/* 32 columns. */
static inline void down_block(const uint8_t *in, size_t stride, const int32_t *weights, int count, uint8_t *out) {
    __m256i half = _mm256_set1_epi32(HALF), a = half, b = half, c = half, d = half;
    for (int t = 0; t < count; t++, in += stride) {
        __m256i factor = _mm256_set1_epi32(weights[t]);
        a = _mm256_add_epi32(a, _mm256_mullo_epi32(load8(in), factor));
        b = _mm256_add_epi32(b, _mm256_mullo_epi32(load8(in + 8), factor));
        c = _mm256_add_epi32(c, _mm256_mullo_epi32(load8(in + 16), factor));
        d = _mm256_add_epi32(d, _mm256_mullo_epi32(load8(in + 24), factor));
    }
    __m256i ab = _mm256_packs_epi32(_mm256_srai_epi32(a, POM_WEIGHT_BITS), _mm256_srai_epi32(b, POM_WEIGHT_BITS));
    __m256i cd = _mm256_packs_epi32(_mm256_srai_epi32(c, POM_WEIGHT_BITS), _mm256_srai_epi32(d, POM_WEIGHT_BITS));
    const __m256i in_order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7); /* packing works within halves */
    __m256i bytes = _mm256_permutevar8x32_epi32(_mm256_packus_epi16(ab, cd), in_order);
    _mm256_storeu_si256((__m256i *)out, bytes);
}

static void down(const uint8_t *in, size_t stride, const int32_t *weights, int count, size_t n, uint8_t *out) {
    enum { BLOCK = 32 };
    if (n < BLOCK) {
        pom_resize_ref.down(in, stride, weights, count, n, out);
        return;
    }
    for (size_t x = 0; x + BLOCK <= n; x += BLOCK)
        down_block(in + x, stride, weights, count, out + x);
    if (n % BLOCK) /* the last block overlaps the one before */
        down_block(in + n - BLOCK, stride, weights, count, out + n - BLOCK);
}

const struct pom_resize_kernels pom_resize_avx2 = {widen, across, down};
