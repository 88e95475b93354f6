/* Pools, vectors of channels. Include after a vector header. */
#ifndef POM_NET_KERNELS_TEMPLATE_POOL_H
#define POM_NET_KERNELS_TEMPLATE_POOL_H

#include "net/kernels/template/lanes.h"
#include "net/kernels/window.h"

static inline vec pool_tap(const struct pom_pool_desc *d, const float *in, int y, int x, int lanes) {
    return load_lanes(in + ((size_t)y * (size_t)d->in_w + (size_t)x) * (size_t)d->channels, lanes);
}

static inline vec pool_max_window(
    const struct pom_pool_desc *d, const float *in, struct pom_window rows, struct pom_window columns, int lanes) {
    vec best = vec_splat(-INFINITY);
    for (int y = rows.first; y < rows.end; y += d->dilation_h)
        for (int x = columns.first; x < columns.end; x += d->dilation_w)
            best = vec_max_nan(best, pool_tap(d, in, y, x, lanes));
    return best;
}

static inline vec pool_sum_window(
    const struct pom_pool_desc *d, const float *in, struct pom_window rows, struct pom_window columns, int lanes) {
    vec sum = vec_splat(0.0f);
    for (int y = rows.first; y < rows.end; y += d->dilation_h)
        for (int x = columns.first; x < columns.end; x += d->dilation_w)
            sum = vec_add(sum, pool_tap(d, in, y, x, lanes));
    return sum;
}

static void max_pool(const struct pom_pool_desc *d, const float *in, float *out) {
    for (int y = 0; y < d->out_h; y++)
        for (int x = 0; x < d->out_w; x++, out += d->channels) {
            struct pom_window rows = pom_window_rows(d, y), columns = pom_window_columns(d, x);
            for (int c = 0; c < d->channels; c += LANES) {
                int lanes = lanes_at(c, d->channels);
                store_lanes(out + c, pool_max_window(d, in + c, rows, columns, lanes), lanes);
            }
        }
}

static void average_pool(const struct pom_pool_desc *d, const float *in, float *out) {
    for (int y = 0; y < d->out_h; y++)
        for (int x = 0; x < d->out_w; x++, out += d->channels) {
            struct pom_window rows = pom_window_rows(d, y), columns = pom_window_columns(d, x);
            vec divisor = vec_splat(pom_window_divisor(d, rows, columns));
            for (int c = 0; c < d->channels; c += LANES) {
                int lanes = lanes_at(c, d->channels);
                store_lanes(out + c, vec_div(pool_sum_window(d, in + c, rows, columns, lanes), divisor), lanes);
            }
        }
}

/* Four vectors of channels at a time, as one chain of additions would leave the adders waiting. */
static void global_average_4(const float *in, int pixels, int channels, vec divisor, float *out) {
    vec sum0 = vec_splat(0.0f), sum1 = sum0, sum2 = sum0, sum3 = sum0;
    for (int p = 0; p < pixels; p++, in += channels) {
        sum0 = vec_add(sum0, vec_load(in));
        sum1 = vec_add(sum1, vec_load(in + LANES));
        sum2 = vec_add(sum2, vec_load(in + 2 * LANES));
        sum3 = vec_add(sum3, vec_load(in + 3 * LANES));
    }
    vec_store(out, vec_div(sum0, divisor));
    vec_store(out + LANES, vec_div(sum1, divisor));
    vec_store(out + 2 * LANES, vec_div(sum2, divisor));
    vec_store(out + 3 * LANES, vec_div(sum3, divisor));
}

static void global_average(const float *in, int pixels, int channels, float *out) {
    const vec divisor = vec_splat((float)pixels);
    int c = 0;
    for (; c + 4 * LANES <= channels; c += 4 * LANES)
        global_average_4(in + c, pixels, channels, divisor, out + c);
    for (; c < channels; c += LANES) {
        int lanes = lanes_at(c, channels);
        vec sum = vec_splat(0.0f);
        for (int p = 0; p < pixels; p++)
            sum = vec_add(sum, load_lanes(in + (size_t)p * (size_t)channels + c, lanes));
        store_lanes(out + c, vec_div(sum, divisor), lanes);
    }
}

#endif
