#include "net/kernels/ref/int8.h"
#include "net/kernels/window.h"

#include <math.h>
#include <string.h>

void pom_ref_int8_quantise(
    const float *in, size_t pixels, int channels, const float *inverse, const uint8_t *zero, uint8_t *out) {
    for (size_t p = 0; p < pixels; p++)
        for (int c = 0; c < channels; c++) {
            float y = fmaf(*in++, inverse[c], (float)zero[c]);
            float low = y > 0.0f ? y : 0.0f; /* and 0 for NaN */
            *out++ = (uint8_t)rintf(low < 255.0f ? low : 255.0f);
        }
}

void pom_ref_int8_dequantise(
    const uint8_t *in, size_t pixels, int channels, const float *scale, const uint8_t *zero, float *out) {
    for (size_t p = 0; p < pixels; p++)
        for (int c = 0; c < channels; c++)
            *out++ = scale[c] * (float)(*in++ - zero[c]);
}

void pom_ref_int8_max_pool(const struct pom_pool_desc *d, const uint8_t *in, uint8_t *out) {
    for (int oy = 0; oy < d->out_h; oy++)
        for (int ox = 0; ox < d->out_w; ox++, out += d->channels) {
            struct pom_window rows = pom_window_rows(d, oy), columns = pom_window_columns(d, ox);
            memset(out, 0, (size_t)d->channels);
            for (int y = rows.first; y < rows.end; y += d->dilation_h)
                for (int x = columns.first; x < columns.end; x += d->dilation_w) {
                    const uint8_t *tap = in + ((size_t)y * (size_t)d->in_w + (size_t)x) * (size_t)d->channels;
                    for (int c = 0; c < d->channels; c++)
                        out[c] = out[c] > tap[c] ? out[c] : tap[c];
                }
        }
}

void pom_ref_int8_global_average(
    const uint8_t *in, int pixels, int channels, const float *factor, const float *offset, float *out) {
    for (int c = 0; c < channels; c++) {
        uint32_t sum = 0;
        for (int p = 0; p < pixels; p++)
            sum += in[(size_t)p * (size_t)channels + (size_t)c];
        out[c] = fmaf((float)sum, factor[c], offset[c]);
    }
}
