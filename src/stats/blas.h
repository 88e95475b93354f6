/* OpenBLAS and LAPACK as the room uses them. Both count in int: sizes pass pom_blas_fits before they get here. */
#ifndef POM_STATS_BLAS_H
#define POM_STATS_BLAS_H

#include <cblas.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/* rows x columns can be indexed by LAPACK's 32-bit integers. */
static inline bool pom_blas_fits(size_t rows, size_t columns) {
    return rows <= INT_MAX && (rows == 0 || columns <= INT_MAX / rows);
}

#endif
