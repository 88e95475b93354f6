/* Every resize kernel of this CPU against the portable one, on random and extreme input of all small sizes, with guard
 * bytes. It needs nothing but libc, so that it also runs cross-compiled under an emulator. */
#include "image/resize_kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD = 64, MAX_PIXELS = 150, MAX_TAPS = 23, MAX_BYTES = MAX_PIXELS * 3 };

static uint32_t seed = 7;

static uint32_t random_bits(void) {
    seed = seed * 1664525U + 1013904223U; /* Numerical Recipes */
    return seed >> 8;
}

/* On the heap and of the exact size, so that a sanitizer sees a read outside. A third of them are extremes. */
static uint8_t *random_bytes(size_t n) {
    uint8_t *bytes = malloc(n);
    if (!bytes)
        abort();
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(random_bits() % 3 ? random_bits() : random_bits() % 2 * 255);
    return bytes;
}

static int differ(const char *kernel, size_t n, const uint8_t *got, const uint8_t *expected) {
    if (memcmp(got, expected, MAX_BYTES + GUARD) == 0)
        return 0;
    printf("%s of %zu: differs from the portable kernel\n", kernel, n);
    return 1;
}

static int check_down(const struct pom_resize_kernels *kernels, size_t n, int taps) {
    uint8_t expected[MAX_BYTES + GUARD], got[MAX_BYTES + GUARD];
    int32_t weights[MAX_TAPS];
    uint8_t *in = random_bytes(n * (size_t)taps);
    for (int t = 0; t < taps; t++)
        weights[t] = (int32_t)(random_bits() % (1 << 20)) - (1 << 18);
    memset(expected, 0xa5, sizeof expected);
    memset(got, 0xa5, sizeof got);
    pom_resize_ref.down(in, n, weights, taps, n, expected);
    kernels->down(in, n, weights, taps, n, got);
    free(in);
    return differ("down", n, got, expected);
}

static int check_across(const struct pom_resize_kernels *kernels, int in_pixels, int out_pixels) {
    uint8_t expected[MAX_BYTES + GUARD], got[MAX_BYTES + GUARD];
    struct pom_weights weights = {0};
    enum pom_filter filter = (enum pom_filter)(random_bits() % POM_FILTER_NEAREST);
    if (pom_weights_prepare(&weights, in_pixels, out_pixels, filter, NULL) != POM_OK)
        abort();
    uint8_t *rgb = random_bytes((size_t)in_pixels * 3);
    uint8_t *rgbx = random_bytes(((size_t)in_pixels + POM_TAP_GROUP) * 4);
    memset(expected, 0xa5, sizeof expected);
    memset(got, 0xa5, sizeof got);
    pom_resize_ref.widen(rgb, (size_t)in_pixels, rgbx);
    pom_resize_ref.across(rgbx, &weights, expected);
    kernels->widen(rgb, (size_t)in_pixels, rgbx);
    kernels->across(rgbx, &weights, got);
    free(rgb);
    free(rgbx);
    pom_weights_clean_up(&weights);
    return differ("across", (size_t)in_pixels, got, expected);
}

static int check(enum pom_isa isa) {
    const struct pom_resize_kernels *kernels = pom_resize_kernels_for(isa);
    int wrong = 0;
    for (int size = 1; size <= MAX_PIXELS; size++) {
        wrong += check_down(kernels, (size_t)size * 3, 1 + (int)(random_bits() % MAX_TAPS));
        wrong += check_across(kernels, size, 1 + (int)(random_bits() % MAX_PIXELS));
    }
    printf("%s: %d kernel calls of %d differ\n", pom_isa_name(isa), wrong, 2 * MAX_PIXELS);
    return wrong;
}

int main(void) {
    int wrong = 0;
    for (enum pom_isa isa = POM_ISA_AVX2; isa < POM_ISA_COUNT; isa++)
        if (isa == pom_isa_base(isa) && pom_cpu_has(isa))
            wrong += check(isa);
    return wrong ? 1 : 0;
}
