/* The largest eigenvalues of a symmetric matrix, with their eigenvectors. */
#ifndef POM_STATS_EIGEN_H
#define POM_STATS_EIGEN_H

#include "base/status.h"
#include <stddef.h>

/* Which of them: the k largest or, where k is 0, the fewest (at least one) that add up to `share` of the trace; never
 * more than most. */
struct pom_eigen_choice {
    size_t k, most;
    double share;
};

struct pom_eigen {
    size_t n, k;
    double *values;  /* k, descending, >= 0: what rounding left below is 0 */
    double *vectors; /* k x n: one a row, unit length, sign as it comes */
};

/* matrix: n x n, row-major, upper triangle, positive semidefinite; destroyed. One tridiagonalisation, all eigenvalues
 * by QR without square roots, and the vectors of the chosen ones by MRRR (LAPACK dsytrd, dsterf, dstemr, dormtr;
 * Dhillon and Parlett, "Multiple representations to compute orthogonal eigenvectors", 2004). On success out is released
 * by pom_eigen_clean_up. */
enum pom_status pom_eigen_top(
    double *matrix, size_t n, const struct pom_eigen_choice *choice, struct pom_eigen *out, struct pom_message *msg);
void pom_eigen_clean_up(struct pom_eigen *eigen);

#endif
