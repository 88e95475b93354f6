/* Making projections. */
#ifndef POM_STATS_PROJECTION_H
#define POM_STATS_PROJECTION_H

#include "base/status.h"
#include "stats/eigen.h"
#include <pomona/stats.h>

/* Checks options and rows, and hands out the most components that d and rows allow. */
enum pom_status pom_pca_check(
    const struct pom_pca_options *options, size_t d, uint64_t rows, size_t *most, struct pom_message *msg);

/* The scaler, its statistics zeroed for the caller to fill; the flags from options; no components yet. */
enum pom_status pom_projection_new(size_t d, uint64_t rows, const struct pom_pca_options *options,
    struct pom_projection **out, struct pom_message *msg);

/* Gives it components, as far as the numerical rank goes: takes over the eigenvectors and eigenvalues (eigen is
 * emptied, or still to be cleaned up), fixes the signs and sets the shares of the total variance. */
enum pom_status pom_projection_take(
    struct pom_projection *projection, struct pom_eigen *eigen, double total_variance, struct pom_message *msg);

#endif
