#include "net/kernels/winograd.h"
#include "net/kernels/table.h"

#include <math.h>

enum { IN = POM_WINOGRAD_IN, OUT = POM_WINOGRAD_OUT };

static const float a = POM_WINOGRAD_A, a2 = POM_WINOGRAD_A2, a3 = POM_WINOGRAD_A3, b = POM_WINOGRAD_B,
                   b2 = POM_WINOGRAD_B2, b3 = POM_WINOGRAD_B3, a2_b2 = POM_WINOGRAD_A2_B2,
                   a2_plus_b2 = POM_WINOGRAD_A2_PLUS_B2;

/* Six values in place, step floats apart. */
static void input_line(float *d, int step) {
    float d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step], d5 = d[5 * step];
    float even_a = fmaf(-b2, d2, d4), odd_a = fmaf(-b2, d1, d3);
    float even_b = fmaf(-a2, d2, d4), odd_b = fmaf(-a2, d1, d3);
    d[0] = fmaf(a2_b2, d0, fmaf(-a2_plus_b2, d2, d4));
    d[step] = fmaf(a, odd_a, even_a);
    d[2 * step] = fmaf(-a, odd_a, even_a);
    d[3 * step] = fmaf(b, odd_b, even_b);
    d[4 * step] = fmaf(-b, odd_b, even_b);
    d[5 * step] = fmaf(a2_b2, d1, fmaf(-a2_plus_b2, d3, d5));
}

/* Six values become four in place. */
static void output_line(float *m, int step) {
    float sum_a = m[step] + m[2 * step], difference_a = m[step] - m[2 * step];
    float sum_b = m[3 * step] + m[4 * step], difference_b = m[3 * step] - m[4 * step];
    m[0] = m[0] + sum_a + sum_b;
    m[step] = fmaf(a, difference_a, b * difference_b);
    m[2 * step] = fmaf(a2, sum_a, b2 * sum_b);
    m[3 * step] = fmaf(a3, difference_a, fmaf(b3, difference_b, m[5 * step]));
}

static void input(const struct pom_winograd_input *tile) {
    for (int c = 0; c < tile->channels; c++) {
        float d[POM_WINOGRAD_POINTS];
        for (int i = 0; i < POM_WINOGRAD_POINTS; i++)
            d[i] = tile->taps[i][c];
        for (int x = 0; x < IN; x++)
            input_line(d + x, IN);
        for (int y = 0; y < IN; y++)
            input_line(d + (size_t)y * IN, 1);
        for (int i = 0; i < POM_WINOGRAD_POINTS; i++)
            tile->points[i * tile->step + c] = d[i];
    }
}

static void output(const struct pom_winograd_output *tile) {
    for (int c = 0; c < tile->channels; c++) {
        float m[POM_WINOGRAD_POINTS];
        for (int i = 0; i < POM_WINOGRAD_POINTS; i++)
            m[i] = tile->points[i * tile->step + c];
        for (int x = 0; x < IN; x++)
            output_line(m + x, IN);
        for (int y = 0; y < OUT; y++)
            output_line(m + (size_t)y * IN, 1);
        for (int i = 0; i < POM_WINOGRAD_PIXELS; i++) {
            ptrdiff_t at = tile->at[i] + c;
            if (tile->at[i] < 0)
                continue;
            float sum = m[i / OUT * IN + i % OUT] + tile->bias[c];
            tile->out[at] = pom_act_apply(tile->residual ? sum + tile->residual[at] : sum, tile->act);
        }
    }
}

const struct pom_winograd_kernel pom_winograd_ref = {"f32_winograd4x3_ref", input, output};
