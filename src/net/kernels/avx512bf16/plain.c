#include "net/kernels/bf16.h"
#include "net/kernels/vector/bf16_avx512.h"

#include "net/kernels/template/lanes.h"
#include "net/kernels/window.h"

static void narrow(const float *in, size_t n, uint16_t *out) {
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        data_store(out + i, vec_load(in + i));
    if (i < n)
        data_store_n(out + i, vec_load_n(in + i, (int)(n - i)), (int)(n - i));
}

static void widen(const uint16_t *in, size_t n, float *out) {
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        vec_store(out + i, data_load(in + i));
    if (i < n)
        vec_store_n(out + i, data_load_n(in + i, (int)(n - i)), (int)(n - i));
}

static vec load_channels(const uint16_t *from, int lanes) {
    return lanes == LANES ? data_load(from) : data_load_n(from, lanes);
}

static vec max_window(
    const struct pom_pool_desc *d, const uint16_t *in, struct pom_window rows, struct pom_window columns, int lanes) {
    vec best = vec_splat(-INFINITY);
    for (int y = rows.first; y < rows.end; y += d->dilation_h)
        for (int x = columns.first; x < columns.end; x += d->dilation_w) {
            size_t pixel = (size_t)y * (size_t)d->in_w + (size_t)x;
            best = vec_max_nan(best, load_channels(in + pixel * (size_t)d->channels, lanes));
        }
    return best;
}

static void max_pool(const struct pom_pool_desc *d, const uint16_t *in, uint16_t *out) {
    for (int y = 0; y < d->out_h; y++)
        for (int x = 0; x < d->out_w; x++, out += d->channels) {
            struct pom_window rows = pom_window_rows(d, y), columns = pom_window_columns(d, x);
            for (int c = 0; c < d->channels; c += LANES) {
                int lanes = lanes_at(c, d->channels);
                data_store_n(out + c, max_window(d, in + c, rows, columns, lanes), lanes);
            }
        }
}

static void global_average(const uint16_t *in, int pixels, int channels, float *out) {
    const vec divisor = vec_splat((float)pixels);
    for (int c = 0; c < channels; c += LANES) {
        int lanes = lanes_at(c, channels);
        vec sum = vec_splat(0.0f);
        for (int p = 0; p < pixels; p++)
            sum = vec_add(sum, load_channels(in + (size_t)p * (size_t)channels + c, lanes));
        vec_store_n(out + c, vec_div(sum, divisor), lanes);
    }
}

const struct pom_bf16_kernels pom_bf16_plain_avx512bf16 = {narrow, widen, max_pool, global_average};
