/* Moments of single columns, O(d) memory, and the block step that they share with the full moments. */
#ifndef POM_STATS_COLUMNS_H
#define POM_STATS_COLUMNS_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

/* Count and mean of rows of d values. */
struct pom_mean {
    size_t d;
    uint64_t count;
    double *mean; /* d */
};

/* Rows of a block: what keeps its doubles within a few MiB, at most 256. Depends on d alone, so that results do too. */
size_t pom_block_rows(size_t d);

/* Takes n >= 1 rows into the mean and writes n + 1 rows of d to centred: the rows minus their own mean, and Chan's
 * correction for the distance of that mean from the one so far. So the scatter of all rows grows by centred' * centred,
 * whether it is kept as a matrix or as its diagonal. A constant column gives exact zeros. */
void pom_mean_take(struct pom_mean *mean, const float *rows, size_t n, double *centred);

/* The same correction alone, for other rows of which count and mean are known: one row. */
void pom_mean_merge(struct pom_mean *into, uint64_t count, const double *mean, double *correction);

/* Refuses values that are not finite; first_row is the number of rows[0] for the message. */
enum pom_status pom_check_finite(const float *rows, size_t n, size_t d, uint64_t first_row, struct pom_message *msg);

/* Mean and sum of squared deviations of every column. */
struct pom_columns {
    struct pom_mean mean;
    double *squares; /* d */
    double *centred; /* (block rows + 1) x d */
};

enum pom_status pom_columns_init(struct pom_columns *columns, size_t d, struct pom_message *msg);
void pom_columns_clean_up(struct pom_columns *columns);

/* n <= pom_block_rows(d). Values must be finite. */
void pom_columns_take(struct pom_columns *columns, const float *rows, size_t n);

#endif
