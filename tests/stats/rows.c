#include "stats/rows.h"

#include <math.h>
#include <stdlib.h>

double rows_uniform(struct rows_random *random) {
    uint64_t z = (random->state += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return (double)((z ^ (z >> 31)) >> 11) / 4503599627370496.0 - 1.0;
}

float *rows_make(size_t n, size_t d, size_t factors, double decay, double noise, uint64_t seed) {
    struct rows_random random = {seed};
    float *rows = malloc(n * d * sizeof *rows);
    double *mix = malloc(factors * d * sizeof *mix), *offset = malloc(d * sizeof *offset),
           *row = malloc(d * sizeof *row);
    if (!rows || !mix || !offset || !row)
        abort();
    for (size_t j = 0; j < d; j++)
        offset[j] = 3 * rows_uniform(&random);
    for (size_t i = 0; i < factors * d; i++)
        mix[i] = rows_uniform(&random) / pow(1.0 + (double)(i / d), decay);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < d; j++)
            row[j] = offset[j] + noise * rows_uniform(&random);
        for (size_t f = 0; f < factors; f++) {
            double strength = rows_uniform(&random);
            for (size_t j = 0; j < d; j++)
                row[j] += strength * mix[f * d + j];
        }
        for (size_t j = 0; j < d; j++)
            rows[i * d + j] = (float)row[j];
    }
    free(mix);
    free(offset);
    free(row);
    return rows;
}

double rows_distance(const double *a, const double *b, size_t n, double floor) {
    double worst = 0;
    for (size_t i = 0; i < n; i++)
        worst = fmax(worst, fabs(a[i] - b[i]) / fmax(fabs(b[i]), floor));
    return worst;
}
