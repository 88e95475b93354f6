#include "net/kernels/ref/ref.h"
#include "net/kernels/window.h"

static float max_of(float best, float x) {
    return x > best || isnan(x) ? x : best;
}

static const float *tap(const struct pom_pool_desc *d, const float *in, int y, int x) {
    return in + ((size_t)y * (size_t)d->in_w + (size_t)x) * (size_t)d->channels;
}

void pom_ref_max_pool(const struct pom_pool_desc *d, const float *in, float *out) {
    for (int oy = 0; oy < d->out_h; oy++)
        for (int ox = 0; ox < d->out_w; ox++, out += d->channels) {
            struct pom_window rows = pom_window_rows(d, oy), columns = pom_window_columns(d, ox);
            for (int c = 0; c < d->channels; c++)
                out[c] = -INFINITY;
            for (int y = rows.first; y < rows.end; y += d->dilation_h)
                for (int x = columns.first; x < columns.end; x += d->dilation_w)
                    for (int c = 0; c < d->channels; c++)
                        out[c] = max_of(out[c], tap(d, in, y, x)[c]);
        }
}

void pom_ref_average_pool(const struct pom_pool_desc *d, const float *in, float *out) {
    for (int oy = 0; oy < d->out_h; oy++)
        for (int ox = 0; ox < d->out_w; ox++, out += d->channels) {
            struct pom_window rows = pom_window_rows(d, oy), columns = pom_window_columns(d, ox);
            for (int c = 0; c < d->channels; c++)
                out[c] = 0.0f;
            for (int y = rows.first; y < rows.end; y += d->dilation_h)
                for (int x = columns.first; x < columns.end; x += d->dilation_w)
                    for (int c = 0; c < d->channels; c++)
                        out[c] += tap(d, in, y, x)[c];
            float divisor = pom_window_divisor(d, rows, columns);
            for (int c = 0; c < d->channels; c++)
                out[c] /= divisor;
        }
}

void pom_ref_global_average(const float *in, int pixels, int channels, float *out) {
    for (int c = 0; c < channels; c++)
        out[c] = 0.0f;
    for (int p = 0; p < pixels; p++)
        for (int c = 0; c < channels; c++)
            out[c] += in[(size_t)p * (size_t)channels + (size_t)c];
    for (int c = 0; c < channels; c++)
        out[c] /= (float)pixels;
}
