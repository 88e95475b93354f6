#include "stats/columns.h"

#include "base/memory.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 4 << 20, BLOCK_MIN_ROWS = 16, BLOCK_MAX_ROWS = 256 };

size_t pom_block_rows(size_t d) {
    size_t rows = BLOCK_BYTES / sizeof(double) / d;
    if (rows < BLOCK_MIN_ROWS)
        return BLOCK_MIN_ROWS;
    return rows < BLOCK_MAX_ROWS ? rows : BLOCK_MAX_ROWS;
}

static bool row_is_finite(const float *row, size_t d) {
    uint32_t bad = 0;
    for (size_t j = 0; j < d; j++) {
        uint32_t bits;
        memcpy(&bits, &row[j], sizeof bits);
        bad |= (bits & 0x7f800000U) == 0x7f800000U; /* all exponent bits set: infinite or not a number */
    }
    return bad == 0;
}

enum pom_status pom_check_finite(const float *rows, size_t n, size_t d, uint64_t first_row, struct pom_message *msg) {
    for (size_t i = 0; i < n; i++) {
        if (row_is_finite(rows + i * d, d))
            continue;
        size_t j = 0;
        while (isfinite(rows[i * d + j]))
            j++;
        return pom_fail(msg, POM_ERR_ARGUMENT,
            "row %" PRIu64 ", column %zu (from 0) of the features is %g: every value must be finite", first_row + i, j,
            (double)rows[i * d + j]);
    }
    return POM_OK;
}

/* The block's mean goes to mean, found from the distances to its first row: exact for a constant column. */
static void block_mean(const float *rows, size_t n, size_t d, double *mean) {
    memset(mean, 0, d * sizeof *mean);
    for (size_t i = 1; i < n; i++)
        for (size_t j = 0; j < d; j++)
            mean[j] += (double)rows[i * d + j] - (double)rows[j];
    for (size_t j = 0; j < d; j++)
        mean[j] = (double)rows[j] + mean[j] / (double)n;
}

void pom_mean_merge(struct pom_mean *into, uint64_t count, const double *mean, double *correction) {
    double a = (double)into->count, b = (double)count;
    double weight = sqrt(a / (a + b) * b), share = b / (a + b);
    for (size_t j = 0; j < into->d; j++) {
        double delta = mean[j] - into->mean[j];
        correction[j] = weight * delta;
        into->mean[j] += share * delta;
    }
    into->count += count;
}

void pom_mean_take(struct pom_mean *mean, const float *rows, size_t n, double *centred) {
    size_t d = mean->d;
    double *last = centred + n * d;
    block_mean(rows, n, d, last);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < d; j++)
            centred[i * d + j] = (double)rows[i * d + j] - last[j];
    pom_mean_merge(mean, n, last, last);
}

enum pom_status pom_columns_init(struct pom_columns *columns, size_t d, struct pom_message *msg) {
    size_t values;
    *columns = (struct pom_columns){.mean.d = d};
    columns->mean.mean = pom_calloc(d, sizeof(double));
    columns->squares = pom_calloc(d, sizeof(double));
    columns->centred =
        pom_size_mul(pom_block_rows(d) + 1, d, &values) ? pom_alloc_aligned(values, sizeof(double)) : NULL;
    if (columns->mean.mean && columns->squares && columns->centred)
        return POM_OK;
    pom_columns_clean_up(columns);
    return pom_fail_memory(msg, "the moments of the columns");
}

void pom_columns_clean_up(struct pom_columns *columns) {
    free(columns->mean.mean);
    free(columns->squares);
    free(columns->centred);
    *columns = (struct pom_columns){0};
}

void pom_columns_take(struct pom_columns *columns, const float *rows, size_t n) {
    size_t d = columns->mean.d;
    pom_mean_take(&columns->mean, rows, n, columns->centred);
    for (size_t i = 0; i <= n; i++)
        for (size_t j = 0; j < d; j++)
            columns->squares[j] += columns->centred[i * d + j] * columns->centred[i * d + j];
}
