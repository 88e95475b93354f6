#include "image/resize_kernels.h"

#include <arm_neon.h>
#include <string.h>

enum { HALF = 1 << (POM_WEIGHT_BITS - 1) };

static void widen(const uint8_t *rgb, size_t pixels, uint8_t *rgbx) {
    size_t i = 0;
    for (; i + 16 <= pixels; i += 16) {
        uint8x16x3_t in = vld3q_u8(rgb + 3 * i);
        uint8x16x4_t out = {{in.val[0], in.val[1], in.val[2], vdupq_n_u8(0)}};
        vst4q_u8(rgbx + 4 * i, out);
    }
    pom_resize_ref.widen(rgb + 3 * i, pixels - i, rgbx + 4 * i);
}

static inline int32x4_t low_samples(uint16x8_t samples) {
    return vreinterpretq_s32_u32(vmovl_u16(vget_low_u16(samples)));
}

static inline int32x4_t high_samples(uint16x8_t samples) {
    return vreinterpretq_s32_u32(vmovl_high_u16(samples));
}

static inline uint16x4_t clip(int32x4_t sums) {
    return vqmovun_s32(vshrq_n_s32(sums, POM_WEIGHT_BITS));
}

/* Two taps a step. */
static void across(const uint8_t *rgbx, const struct pom_weights *w, uint8_t *rgb) {
    for (int x = 0; x < w->out; x++, rgb += 3) {
        const uint8_t *in = rgbx + 4 * (size_t)w->first[x];
        const int32_t *weights = w->weights + (size_t)x * w->stride;
        int32x4_t even = vdupq_n_s32(HALF), odd = vdupq_n_s32(0);
        for (int t = 0; t < w->count[x]; t += 2) {
            uint16x8_t pixels = vmovl_u8(vld1_u8(in + 4 * (size_t)t));
            even = vmlaq_n_s32(even, low_samples(pixels), weights[t]);
            odd = vmlaq_n_s32(odd, high_samples(pixels), weights[t + 1]);
        }
        uint16x4_t words = clip(vaddq_s32(even, odd));
        uint8x8_t bytes = vqmovn_u16(vcombine_u16(words, words));
        memcpy(rgb, &bytes, 3);
    }
}

/* 16 columns. */
static inline void down_block(const uint8_t *in, size_t stride, const int32_t *weights, int count, uint8_t *out) {
    int32x4_t half = vdupq_n_s32(HALF), a = half, b = half, c = half, d = half;
    for (int t = 0; t < count; t++, in += stride) {
        uint8x16_t bytes = vld1q_u8(in);
        uint16x8_t low = vmovl_u8(vget_low_u8(bytes)), high = vmovl_high_u8(bytes);
        a = vmlaq_n_s32(a, low_samples(low), weights[t]);
        b = vmlaq_n_s32(b, high_samples(low), weights[t]);
        c = vmlaq_n_s32(c, low_samples(high), weights[t]);
        d = vmlaq_n_s32(d, high_samples(high), weights[t]);
    }
    uint8x8_t first = vqmovn_u16(vcombine_u16(clip(a), clip(b)));
    vst1q_u8(out, vqmovn_high_u16(first, vcombine_u16(clip(c), clip(d))));
}

static void down(const uint8_t *in, size_t stride, const int32_t *weights, int count, size_t n, uint8_t *out) {
    enum { BLOCK = 16 };
    if (n < BLOCK) {
        pom_resize_ref.down(in, stride, weights, count, n, out);
        return;
    }
    for (size_t x = 0; x + BLOCK <= n; x += BLOCK)
        down_block(in + x, stride, weights, count, out + x);
    if (n % BLOCK) /* the last block overlaps the one before */
        down_block(in + n - BLOCK, stride, weights, count, out + n - BLOCK);
}

const struct pom_resize_kernels pom_resize_neon = {widen, across, down};
