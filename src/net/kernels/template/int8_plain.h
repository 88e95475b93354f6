/* Pools and conversions of bytes. Include after an int8 vector header. */
#ifndef POM_NET_KERNELS_TEMPLATE_INT8_PLAIN_H
#define POM_NET_KERNELS_TEMPLATE_INT8_PLAIN_H

#include "net/kernels/ref/int8.h"
#include "net/kernels/template/int8_finish.h"
#include "net/kernels/window.h"

enum { PLAIN_BYTES = POM_QUAD * LANES };

ALWAYS_INLINE int plain_n(int c, int channels) {
    return channels - c < PLAIN_BYTES ? channels - c : PLAIN_BYTES;
}

ALWAYS_INLINE bytes plain_load(const uint8_t *from, int n) {
    return n == PLAIN_BYTES ? bytes_load(from) : bytes_load_n(from, n);
}

ALWAYS_INLINE bytes max_window(
    const struct pom_pool_desc *d, const uint8_t *in, struct pom_window rows, struct pom_window columns, int n) {
    bytes most = bytes_zero();
    for (int y = rows.first; y < rows.end; y += d->dilation_h)
        for (int x = columns.first; x < columns.end; x += d->dilation_w)
            most = bytes_max(most, plain_load(in + ((size_t)y * (size_t)d->in_w + (size_t)x) * (size_t)d->channels, n));
    return most;
}

static void max_pool(const struct pom_pool_desc *d, const uint8_t *in, uint8_t *out) {
    for (int y = 0; y < d->out_h; y++)
        for (int x = 0; x < d->out_w; x++, out += d->channels) {
            struct pom_window rows = pom_window_rows(d, y), columns = pom_window_columns(d, x);
            for (int c = 0; c < d->channels; c += PLAIN_BYTES) {
                int n = plain_n(c, d->channels);
                piece_store(out + c, max_window(d, in + c, rows, columns, n), 0, PLAIN_BYTES, n);
            }
        }
}

/* Whole vectors of channels; the portable kernel makes the rest. */
static void global_average(
    const uint8_t *in, int pixels, int channels, const float *factor, const float *offset, float *out) {
    const struct four none = widen(bytes_zero());
    int c = 0;
    for (; c + PLAIN_BYTES <= channels; c += PLAIN_BYTES) {
        struct four sum = none;
        for (int p = 0; p < pixels; p++) {
            struct four x = widen(bytes_load(in + (size_t)p * (size_t)channels + c));
            sum = (struct four){sums_add(sum.a, x.a), sums_add(sum.b, x.b), sums_add(sum.c, x.c), sums_add(sum.d, x.d)};
        }
        int32_t lanes[PLAIN_BYTES];
        sums_store(lanes, sum.a);
        sums_store(lanes + LANES, sum.b);
        sums_store(lanes + 2 * LANES, sum.c);
        sums_store(lanes + 3 * LANES, sum.d);
        for (int i = 0; i < PLAIN_BYTES; i++) {
            int at = c + pom_int8_channel(4, i / LANES, i % LANES);
            out[at] = __builtin_fmaf((float)(uint32_t)lanes[i], factor[at], offset[at]);
        }
    }
    for (; c < channels; c++) {
        uint32_t sum = 0;
        for (int p = 0; p < pixels; p++)
            sum += in[(size_t)p * (size_t)channels + (size_t)c];
        out[c] = __builtin_fmaf((float)sum, factor[c], offset[c]);
    }
}

ALWAYS_INLINE sums quantise_vector(const float *in, const float *inverse, const float *zero) {
    return sums_of(reals_to_bytes(reals_fma(reals_load(in), reals_load(inverse), reals_load(zero))));
}

/* 4 * LANES floats with as many inverses and zeros. */
ALWAYS_INLINE void quantise_bytes(const float *in, const float *inverse, const float *zero, uint8_t *out) {
    const struct four s = {quantise_vector(in, inverse, zero),
        quantise_vector(in + LANES, inverse + LANES, zero + LANES),
        quantise_vector(in + 2 * LANES, inverse + 2 * LANES, zero + 2 * LANES),
        quantise_vector(in + 3 * LANES, inverse + 3 * LANES, zero + 3 * LANES)};
    piece_store(out, rows_from_narrow(narrow(s), 1), 0, PLAIN_BYTES, PLAIN_BYTES);
}

/* Pictures, of few channels: by PLAIN_BYTES pixels, which are whole vectors whatever their channels. The portable
 * kernel makes the rest. */
static void quantise(
    const float *in, size_t pixels, int channels, const float *inverse, const uint8_t *zero, uint8_t *out) {
    enum { MAX_CHANNELS = 4 };
    float inverses[MAX_CHANNELS * PLAIN_BYTES], zeros[MAX_CHANNELS * PLAIN_BYTES];
    const int n = channels * PLAIN_BYTES;
    for (int i = 0; channels <= MAX_CHANNELS && i < n; i++) {
        inverses[i] = inverse[i % channels];
        zeros[i] = zero[i % channels];
    }
    for (; channels <= MAX_CHANNELS && pixels >= PLAIN_BYTES; pixels -= PLAIN_BYTES, in += n, out += n)
        for (int i = 0; i < n; i += PLAIN_BYTES)
            quantise_bytes(in + i, inverses + i, zeros + i, out + i);
    pom_ref_int8_quantise(in, pixels, channels, inverse, zero, out);
}

#endif
