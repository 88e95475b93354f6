/* The transforms of Winograd's F(4x4,3x3), a vector of channels at a time. Include after a vector header. */
#ifndef POM_NET_KERNELS_TEMPLATE_WINOGRAD_H
#define POM_NET_KERNELS_TEMPLATE_WINOGRAD_H

#include "net/kernels/template/lanes.h"
#include "net/kernels/winograd.h"

enum { WINOGRAD_IN = POM_WINOGRAD_IN, WINOGRAD_OUT = POM_WINOGRAD_OUT };

/* d: six inputs, d_step apart, of which `outputs` + 2 count; t: what they give, t_step apart. */
static inline __attribute__((always_inline)) void winograd_input_line4(const vec *d, int d_step, vec *t, int t_step) {
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

static inline __attribute__((always_inline)) void winograd_input_line3(const vec *d, int d_step, vec *t, int t_step) {
    const vec d1 = d[d_step], d2 = d[2 * d_step], d3 = d[3 * d_step];
    const vec a = vec_splat(POM_WINOGRAD_A), b = vec_splat(POM_WINOGRAD_B), minus_b = vec_splat(-POM_WINOGRAD_B);
    const vec minus_a2 = vec_splat(-POM_WINOGRAD_A2), minus_b2 = vec_splat(-POM_WINOGRAD_B2);
    const vec odd = vec_fma(minus_a2, d1, d3), u = vec_fma(minus_b, d1, d2), v = vec_fma(minus_b, d2, d3);
    t[0] = vec_fma(b, odd, vec_mul(minus_b2, vec_fma(minus_a2, d[0], d2)));
    t[t_step] = vec_mul(vec_splat(POM_WINOGRAD_B_PLUS_A), vec_fma(a, u, v));
    t[2 * t_step] = vec_mul(vec_splat(POM_WINOGRAD_B_MINUS_A), vec_fma(vec_splat(-POM_WINOGRAD_A), u, v));
    t[3 * t_step] = vec_mul(vec_splat(POM_WINOGRAD_2B), odd);
    t[5 * t_step] = vec_fma(minus_b, odd, vec_fma(minus_a2, d2, d[4 * d_step]));
}

static inline __attribute__((always_inline)) void winograd_input_line2(const vec *d, int d_step, vec *t, int t_step) {
    const vec d1 = d[d_step], d2 = d[2 * d_step], factor = vec_splat(POM_WINOGRAD_A2_MINUS_B2);
    t[0] = vec_fma(vec_splat(POM_WINOGRAD_A2_B2), d[0], vec_mul(vec_splat(-POM_WINOGRAD_B2), d2));
    t[t_step] = vec_mul(factor, vec_fma(vec_splat(POM_WINOGRAD_A), d1, d2));
    t[2 * t_step] = vec_mul(factor, vec_fma(vec_splat(-POM_WINOGRAD_A), d1, d2));
    t[5 * t_step] = vec_fma(vec_splat(-POM_WINOGRAD_A2), d1, d[3 * d_step]);
}

static inline __attribute__((always_inline)) void winograd_input_line(
    int outputs, const vec *d, int d_step, vec *t, int t_step) {
    if (outputs == 4)
        winograd_input_line4(d, d_step, t, t_step);
    else if (outputs == 3)
        winograd_input_line3(d, d_step, t, t_step);
    else
        winograd_input_line2(d, d_step, t, t_step);
}

/* m: six products, of which those that `outputs` take count; y: the outputs. */
static inline __attribute__((always_inline)) void winograd_output_line(
    int outputs, const vec *m, int m_step, vec *y, int y_step) {
    const vec m1 = m[m_step], m2 = m[2 * m_step], m3 = m[3 * m_step], m5 = m[5 * m_step];
    const vec a = vec_splat(POM_WINOGRAD_A), a2 = vec_splat(POM_WINOGRAD_A2), b = vec_splat(POM_WINOGRAD_B),
              b2 = vec_splat(POM_WINOGRAD_B2);
    const vec sum_a = vec_add(m1, m2), difference_a = vec_sub(m1, m2), begun = vec_add(m[0], sum_a);
    if (outputs == 4) {
        const vec m4 = m[4 * m_step], sum_b = vec_add(m3, m4), difference_b = vec_sub(m3, m4);
        y[0] = vec_add(begun, sum_b);
        y[y_step] = vec_fma(a, difference_a, vec_mul(b, difference_b));
        y[2 * y_step] = vec_fma(a2, sum_a, vec_mul(b2, sum_b));
        y[3 * y_step] =
            vec_fma(vec_splat(POM_WINOGRAD_A3), difference_a, vec_fma(vec_splat(POM_WINOGRAD_B3), difference_b, m5));
    } else if (outputs == 3) {
        y[0] = vec_add(begun, m3);
        y[y_step] = vec_fma(a, difference_a, vec_mul(b, m3));
        y[2 * y_step] = vec_fma(a2, sum_a, vec_fma(b2, m3, m5));
    } else {
        y[0] = begun;
        y[y_step] = vec_fma(a, difference_a, m5);
    }
}

/* Asks for what the tile to the right reads and this one does not. */
static inline __attribute__((always_inline)) void winograd_input_vector(
    const struct pom_winograd_input *tile, int rows, int columns, int c, int lanes) {
    const vec none = vec_splat(0.0f); /* for what nobody takes */
    vec points[POM_WINOGRAD_POINTS];
    for (int x = 0; x < WINOGRAD_IN; x++) {
        vec d[WINOGRAD_IN];
        if (x >= columns + WINOGRAD_IN - WINOGRAD_OUT)
            continue;
        for (int y = 0; y < WINOGRAD_IN; y++) {
            const float *tap = tile->taps[y * WINOGRAD_IN + x] + c;
            d[y] = load_lanes(tap, lanes);
            if (x >= WINOGRAD_IN - WINOGRAD_OUT)
                __builtin_prefetch(tap + (ptrdiff_t)WINOGRAD_OUT * tile->channels);
        }
        winograd_input_line(rows, d, 1, points + x, WINOGRAD_IN);
    }
    float *to = tile->points + c;
    for (int y = 0; y < WINOGRAD_IN; y++, to += WINOGRAD_IN * tile->step) {
        vec t[WINOGRAD_IN] = {none, none, none, none, none, none};
        if (!pom_winograd_takes(rows, y))
            continue;
        winograd_input_line(columns, points + (ptrdiff_t)y * WINOGRAD_IN, 1, t, 1);
        for (int x = 0; x < WINOGRAD_IN; x++)
            if (pom_winograd_takes(columns, x))
                store_lanes(to + x * tile->step, t[x], lanes);
    }
}

static inline __attribute__((always_inline)) void winograd_input_tile(
    const struct pom_winograd_input *tile, int rows, int columns) {
    int c = 0;
    for (; c + LANES <= tile->channels; c += LANES)
        winograd_input_vector(tile, rows, columns, c, LANES);
    if (c < tile->channels)
        winograd_input_vector(tile, rows, columns, c, tile->channels - c);
}

/* Most tiles are whole: for them alone there is no choice in the loop. */
static void winograd_input(const struct pom_winograd_input *tile) {
    if (tile->rows == WINOGRAD_OUT && tile->columns == WINOGRAD_OUT)
        winograd_input_tile(tile, WINOGRAD_OUT, WINOGRAD_OUT);
    else
        winograd_input_tile(tile, tile->rows, tile->columns);
}

/* Large pictures come from afar, so the outputs' lines are asked for first. */
static inline __attribute__((always_inline)) void winograd_output_vector(
    const struct pom_winograd_output *tile, int rows, int columns, int c, int lanes) {
    vec lines[WINOGRAD_OUT * WINOGRAD_IN];
    const float *from = tile->points + c;
    for (int i = 0; i < POM_WINOGRAD_PIXELS; i++)
        __builtin_prefetch(tile->out + tile->at[i] + c, 1);
    for (int x = 0; x < WINOGRAD_IN; x++, from += tile->step) {
        vec m[WINOGRAD_IN];
        if (!pom_winograd_takes(columns, x))
            continue;
        for (int y = 0; y < WINOGRAD_IN; y++)
            m[y] = load_lanes(from + (ptrdiff_t)y * WINOGRAD_IN * tile->step, lanes);
        winograd_output_line(rows, m, 1, lines + x, WINOGRAD_IN);
    }
    const vec bias = load_lanes(tile->bias + c, lanes);
    for (int y = 0; y < WINOGRAD_OUT; y++) {
        vec row[WINOGRAD_OUT] = {bias, bias, bias, bias};
        if (y >= rows)
            continue;
        winograd_output_line(columns, lines + (ptrdiff_t)y * WINOGRAD_IN, 1, row, 1);
        for (int x = 0; x < WINOGRAD_OUT; x++) {
            const ptrdiff_t at = tile->at[y * WINOGRAD_OUT + x];
            if (x >= columns || at < 0)
                continue;
            vec sum = vec_add(row[x], bias);
            if (tile->residual)
                sum = vec_add(sum, load_lanes(tile->residual + at + c, lanes));
            store_lanes(tile->out + at + c, activate(sum, tile->act), lanes);
        }
    }
}

static inline __attribute__((always_inline)) void winograd_output_tile(
    const struct pom_winograd_output *tile, int rows, int columns) {
    int c = 0;
    for (; c + LANES <= tile->channels; c += LANES)
        winograd_output_vector(tile, rows, columns, c, LANES);
    if (c < tile->channels)
        winograd_output_vector(tile, rows, columns, c, tile->channels - c);
}

static void winograd_output(const struct pom_winograd_output *tile) {
    if (tile->rows == WINOGRAD_OUT && tile->columns == WINOGRAD_OUT)
        winograd_output_tile(tile, WINOGRAD_OUT, WINOGRAD_OUT);
    else
        winograd_output_tile(tile, tile->rows, tile->columns);
}

#endif
