/* The largest eigenvalues of a symmetric matrix that is only known by what it does to vectors.
 *
 * Randomized block Krylov: Halko, Martinsson, Tropp, "Finding structure with randomness", 2011 (random start,
 * oversampling) and Musco and Musco, "Randomized block Krylov methods for stronger and faster approximate SVD", 2015
 * (the whole Krylov space instead of the last power); restarted when the basis is full as in Wu and Simon,
 * "Thick-restart Lanczos method for large symmetric eigenvalue problems", 2000. */
#ifndef POM_STATS_KRYLOV_H
#define POM_STATS_KRYLOV_H

#include "base/status.h"
#include "stats/eigen.h"
#include <stddef.h>

/* A symmetric positive semidefinite matrix of order n. */
struct pom_operator {
    void *user;
    size_t n;

    /* out = in * matrix, of l rows of n. */
    enum pom_status (*apply)(void *user, const double *in, size_t l, double *out, struct pom_message *msg);
};

struct pom_krylov_options {
    size_t k;         /* eigenvalues wanted */
    size_t block;     /* vectors of one application */
    size_t kept;      /* best vectors that a restart keeps: k and some more, >= block */
    size_t basis;     /* vectors of the basis: >= kept + block, and basis + block <= n */
    int max_passes;   /* applications of the operator */
    double tolerance; /* stop when every |A v - lambda v| <= tolerance * the largest lambda */
};

/* *residual: the worst |A v - lambda v| over the largest lambda. The start is fixed. out is released by
 * pom_eigen_clean_up. Memory: (basis + 2 * block) * n values, of which k * n are handed out, and 2 * basis * basis. */
enum pom_status pom_krylov_top(const struct pom_operator *op, const struct pom_krylov_options *options,
    struct pom_eigen *out, double *residual, struct pom_message *msg);

#endif
