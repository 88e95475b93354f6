/* The transforms of Winograd's F(4x4,3x3), a vector of channels at a time. Include after a vector header. */
#ifndef POM_NET_KERNELS_TEMPLATE_WINOGRAD_H
#define POM_NET_KERNELS_TEMPLATE_WINOGRAD_H

#include "net/kernels/template/lanes.h"
#include "net/kernels/winograd.h"

enum { WINOGRAD_IN = POM_WINOGRAD_IN, WINOGRAD_OUT = POM_WINOGRAD_OUT };

/* d: six inputs, d_step apart; t: what they give, t_step apart. */
static inline __attribute__((always_inline)) void winograd_input_line(const vec *d, int d_step, vec *t, int t_step) {
    const vec d1 = d[d_step], d2 = d[2 * d_step], d3 = d[3 * d_step], d4 = d[4 * d_step];
    const vec a = vec_splat(POM_WINOGRAD_A), b = vec_splat(POM_WINOGRAD_B);
    const vec minus_a = vec_splat(-POM_WINOGRAD_A), minus_b = vec_splat(-POM_WINOGRAD_B);
    const vec minus_a2 = vec_splat(-POM_WINOGRAD_A2), minus_b2 = vec_splat(-POM_WINOGRAD_B2);
    const vec product = vec_splat(POM_WINOGRAD_A2_B2), minus_sum = vec_splat(-POM_WINOGRAD_A2_PLUS_B2);
    const vec even_a = vec_fma(minus_b2, d2, d4), odd_a = vec_fma(minus_b2, d1, d3);
    const vec even_b = vec_fma(minus_a2, d2, d4), odd_b = vec_fma(minus_a2, d1, d3);
    t[0] = vec_fma(product, d[0], vec_fma(minus_sum, d2, d4));
    t[t_step] = vec_fma(a, odd_a, even_a);
    t[2 * t_step] = vec_fma(minus_a, odd_a, even_a);
    t[3 * t_step] = vec_fma(b, odd_b, even_b);
    t[4 * t_step] = vec_fma(minus_b, odd_b, even_b);
    t[5 * t_step] = vec_fma(product, d1, vec_fma(minus_sum, d3, d[5 * d_step]));
}

/* m: six products; y: the four outputs. */
static inline __attribute__((always_inline)) void winograd_output_line(const vec *m, int m_step, vec *y, int y_step) {
    const vec m1 = m[m_step], m2 = m[2 * m_step], m3 = m[3 * m_step], m4 = m[4 * m_step];
    const vec sum_a = vec_add(m1, m2), difference_a = vec_sub(m1, m2);
    const vec sum_b = vec_add(m3, m4), difference_b = vec_sub(m3, m4);
    y[0] = vec_add(vec_add(m[0], sum_a), sum_b);
    y[y_step] = vec_fma(vec_splat(POM_WINOGRAD_A), difference_a, vec_mul(vec_splat(POM_WINOGRAD_B), difference_b));
    y[2 * y_step] = vec_fma(vec_splat(POM_WINOGRAD_A2), sum_a, vec_mul(vec_splat(POM_WINOGRAD_B2), sum_b));
    y[3 * y_step] = vec_fma(
        vec_splat(POM_WINOGRAD_A3), difference_a, vec_fma(vec_splat(POM_WINOGRAD_B3), difference_b, m[5 * m_step]));
}

/* Asks for what the tile to the right reads and this one does not. */
static inline __attribute__((always_inline)) void winograd_input_vector(
    const struct pom_winograd_input *tile, int c, int lanes) {
    vec columns[POM_WINOGRAD_POINTS];
    for (int x = 0; x < WINOGRAD_IN; x++) {
        vec d[WINOGRAD_IN];
        for (int y = 0; y < WINOGRAD_IN; y++) {
            const float *tap = tile->taps[y * WINOGRAD_IN + x] + c;
            d[y] = load_lanes(tap, lanes);
            if (x >= WINOGRAD_IN - WINOGRAD_OUT)
                __builtin_prefetch(tap + (ptrdiff_t)WINOGRAD_OUT * tile->channels);
        }
        winograd_input_line(d, 1, columns + x, WINOGRAD_IN);
    }
    float *to = tile->points + c;
    for (int y = 0; y < WINOGRAD_IN; y++) {
        vec t[WINOGRAD_IN];
        winograd_input_line(columns + (ptrdiff_t)y * WINOGRAD_IN, 1, t, 1);
        for (int x = 0; x < WINOGRAD_IN; x++, to += tile->step)
            store_lanes(to, t[x], lanes);
    }
}

static void winograd_input(const struct pom_winograd_input *tile) {
    int c = 0;
    for (; c + LANES <= tile->channels; c += LANES)
        winograd_input_vector(tile, c, LANES);
    if (c < tile->channels)
        winograd_input_vector(tile, c, tile->channels - c);
}

/* Large pictures come from afar, so the outputs' lines are asked for first. */
static inline __attribute__((always_inline)) void winograd_output_vector(
    const struct pom_winograd_output *tile, int c, int lanes) {
    vec columns[WINOGRAD_OUT * WINOGRAD_IN];
    const float *from = tile->points + c;
    for (int i = 0; i < POM_WINOGRAD_PIXELS; i++)
        __builtin_prefetch(tile->out + tile->at[i] + c, 1);
    for (int x = 0; x < WINOGRAD_IN; x++, from += tile->step) {
        vec m[WINOGRAD_IN];
        for (int y = 0; y < WINOGRAD_IN; y++)
            m[y] = load_lanes(from + (ptrdiff_t)y * WINOGRAD_IN * tile->step, lanes);
        winograd_output_line(m, 1, columns + x, WINOGRAD_IN);
    }
    const vec bias = load_lanes(tile->bias + c, lanes);
    const ptrdiff_t *at = tile->at;
    for (int y = 0; y < WINOGRAD_OUT; y++) {
        vec row[WINOGRAD_OUT];
        winograd_output_line(columns + (ptrdiff_t)y * WINOGRAD_IN, 1, row, 1);
        for (int x = 0; x < WINOGRAD_OUT; x++, at++) {
            if (*at < 0)
                continue;
            vec sum = vec_add(row[x], bias);
            if (tile->residual)
                sum = vec_add(sum, load_lanes(tile->residual + *at + c, lanes));
            store_lanes(tile->out + *at + c, activate(sum, tile->act), lanes);
        }
    }
}

static void winograd_output(const struct pom_winograd_output *tile) {
    int c = 0;
    for (; c + LANES <= tile->channels; c += LANES)
        winograd_output_vector(tile, c, LANES);
    if (c < tile->channels)
        winograd_output_vector(tile, c, tile->channels - c);
}

#endif
