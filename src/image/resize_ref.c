#include "image/resize_kernels.h"

enum { HALF = 1 << (POM_WEIGHT_BITS - 1) };

static uint8_t clip(int32_t sum) {
    int32_t value = sum >> POM_WEIGHT_BITS;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static void widen(const uint8_t *rgb, size_t pixels, uint8_t *rgbx) {
    for (size_t i = 0; i < pixels; i++, rgb += 3, rgbx += 4) {
        rgbx[0] = rgb[0];
        rgbx[1] = rgb[1];
        rgbx[2] = rgb[2];
        rgbx[3] = 0;
    }
}

static void across(const uint8_t *rgbx, const struct pom_weights *w, uint8_t *rgb) {
    for (int x = 0; x < w->out; x++, rgb += 3) {
        const uint8_t *in = rgbx + 4 * (size_t)w->first[x];
        const int32_t *weights = w->weights + (size_t)x * w->stride;
        int32_t r = HALF, g = HALF, b = HALF;
        for (int t = 0; t < w->count[x]; t++, in += 4) {
            r += in[0] * weights[t];
            g += in[1] * weights[t];
            b += in[2] * weights[t];
        }
        rgb[0] = clip(r);
        rgb[1] = clip(g);
        rgb[2] = clip(b);
    }
}

static void down(const uint8_t *in, size_t stride, const int32_t *weights, int count, size_t n, uint8_t *out) {
    enum { BLOCK = 64 };
    for (size_t x = 0; x < n; x += BLOCK) {
        size_t width = n - x < BLOCK ? n - x : BLOCK;
        int32_t sums[BLOCK];
        for (size_t i = 0; i < width; i++)
            sums[i] = HALF;
        for (int t = 0; t < count; t++)
            for (size_t i = 0; i < width; i++)
                sums[i] += in[(size_t)t * stride + x + i] * weights[t];
        for (size_t i = 0; i < width; i++)
            out[x + i] = clip(sums[i]);
    }
}

const struct pom_resize_kernels pom_resize_ref = {widen, across, down};

const struct pom_resize_kernels *pom_resize_kernels_for(enum pom_isa isa) {
    switch (pom_isa_base(isa)) {
#if defined(__x86_64__)
    case POM_ISA_AVX2:
        return &pom_resize_avx2;
    case POM_ISA_AVX512:
        return &pom_resize_avx512;
#elif defined(__aarch64__)
    case POM_ISA_NEON:
        return &pom_resize_neon;
#endif
    default:
        return &pom_resize_ref;
    }
}
