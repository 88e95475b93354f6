/* Rows of made-up features with a known kind of spectrum. */
#ifndef POM_TESTS_STATS_ROWS_H
#define POM_TESTS_STATS_ROWS_H

#include <stddef.h>
#include <stdint.h>

/* A small generator (splitmix64), the same on every machine. */
struct rows_random {
    uint64_t state;
};

/* In (-1, 1). */
double rows_uniform(struct rows_random *random);

/* n x d: `factors` hidden factors of strength 1 / (1 + i)^decay mixed into every column, noise, and an offset per
 * column. free() releases. */
float *rows_make(size_t n, size_t d, size_t factors, double decay, double noise, uint64_t seed);

/* The largest |a - b| / max(|b|, floor). */
double rows_distance(const double *a, const double *b, size_t n, double floor);

#endif
