#include "net/kernels/winograd.h"
#include "net/kernels/table.h"

#include <math.h>

enum { IN = POM_WINOGRAD_IN, OUT = POM_WINOGRAD_OUT };

static const float a = POM_WINOGRAD_A, a2 = POM_WINOGRAD_A2, a3 = POM_WINOGRAD_A3, b = POM_WINOGRAD_B,
                   b2 = POM_WINOGRAD_B2, b3 = POM_WINOGRAD_B3, a2_b2 = POM_WINOGRAD_A2_B2,
                   a2_plus_b2 = POM_WINOGRAD_A2_PLUS_B2;

/* Six values in place, step floats apart; some count for nothing where there are fewer than four outputs. */
static void input_line(int outputs, float *d, int step) {
    float d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step], d4 = d[4 * step], d5 = d[5 * step];
    if (outputs == OUT) {
        float even_a = fmaf(-b2, d2, d4), odd_a = fmaf(-b2, d1, d3);
        float even_b = fmaf(-a2, d2, d4), odd_b = fmaf(-a2, d1, d3);
        d[0] = fmaf(a2_b2, d0, fmaf(-a2_plus_b2, d2, d4));
        d[step] = fmaf(a, odd_a, even_a);
        d[2 * step] = fmaf(-a, odd_a, even_a);
        d[3 * step] = fmaf(b, odd_b, even_b);
        d[4 * step] = fmaf(-b, odd_b, even_b);
        d[5 * step] = fmaf(a2_b2, d1, fmaf(-a2_plus_b2, d3, d5));
    } else if (outputs == OUT - 1) {
        float odd = fmaf(-a2, d1, d3), u = fmaf(-b, d1, d2), v = fmaf(-b, d2, d3);
        d[0] = fmaf(b, odd, -b2 * fmaf(-a2, d0, d2));
        d[step] = POM_WINOGRAD_B_PLUS_A * fmaf(a, u, v);
        d[2 * step] = POM_WINOGRAD_B_MINUS_A * fmaf(-a, u, v);
        d[3 * step] = POM_WINOGRAD_2B * odd;
        d[5 * step] = fmaf(-b, odd, fmaf(-a2, d2, d4));
    } else {
        d[0] = fmaf(a2_b2, d0, -b2 * d2);
        d[step] = POM_WINOGRAD_A2_MINUS_B2 * fmaf(a, d1, d2);
        d[2 * step] = POM_WINOGRAD_A2_MINUS_B2 * fmaf(-a, d1, d2);
        d[5 * step] = fmaf(-a2, d1, d3);
    }
}

/* Six values become as many as there are outputs, in place. */
static void output_line(int outputs, float *m, int step) {
    float m3 = m[3 * step], m4 = m[4 * step], m5 = m[5 * step];
    float sum_a = m[step] + m[2 * step], difference_a = m[step] - m[2 * step];
    float sum_b = m3 + m4, difference_b = m3 - m4, begun = m[0] + sum_a;
    if (outputs == OUT) {
        m[0] = begun + sum_b;
        m[step] = fmaf(a, difference_a, b * difference_b);
        m[2 * step] = fmaf(a2, sum_a, b2 * sum_b);
        m[3 * step] = fmaf(a3, difference_a, fmaf(b3, difference_b, m5));
    } else if (outputs == OUT - 1) {
        m[0] = begun + m3;
        m[step] = fmaf(a, difference_a, b * m3);
        m[2 * step] = fmaf(a2, sum_a, fmaf(b2, m3, m5));
    } else {
        m[0] = begun;
        m[step] = fmaf(a, difference_a, m5);
    }
}

static bool takes(int rows, int columns, int point) {
    return pom_winograd_takes(rows, point / IN) && pom_winograd_takes(columns, point % IN);
}

static void input(const struct pom_winograd_input *tile) {
    for (int c = 0; c < tile->channels; c++) {
        float d[POM_WINOGRAD_POINTS];
        for (int i = 0; i < POM_WINOGRAD_POINTS; i++)
            d[i] = tile->taps[i][c];
        for (int x = 0; x < IN; x++)
            input_line(tile->rows, d + x, IN);
        for (int y = 0; y < IN; y++)
            input_line(tile->columns, d + (size_t)y * IN, 1);
        for (int i = 0; i < POM_WINOGRAD_POINTS; i++)
            if (takes(tile->rows, tile->columns, i))
                tile->points[i * tile->step + c] = d[i];
    }
}

static void output(const struct pom_winograd_output *tile) {
    for (int c = 0; c < tile->channels; c++) {
        float m[POM_WINOGRAD_POINTS];
        for (int i = 0; i < POM_WINOGRAD_POINTS; i++)
            m[i] = takes(tile->rows, tile->columns, i) ? tile->points[i * tile->step + c] : 0.0f;
        for (int x = 0; x < IN; x++)
            output_line(tile->rows, m + x, IN);
        for (int y = 0; y < OUT; y++)
            output_line(tile->columns, m + (size_t)y * IN, 1);
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
