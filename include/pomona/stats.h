/* Statistics over tables of features: one-pass mergeable moments, standard scaler, principal components. */
#ifndef POMONA_STATS_H
#define POMONA_STATS_H

#include <pomona/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Threads of the matrix products and decompositions below, for the whole process; until called, OpenBLAS's own default
 * (OPENBLAS_NUM_THREADS or every CPU). threads >= 1. Do not call while another thread is inside one of them. */
POM_API void pom_stats_set_threads(int threads);

/* Count, mean and centred scatter matrix of rows seen so far, in double. Memory: 8 * d * d bytes and a block of rows;
 * for wide rows see pom_projection_fit_rows. Rows are folded in blocks of a fixed size counted from the first row, so
 * the result does not depend on how they are handed over. Source of the update and merge: Chan, Golub, LeVeque,
 * "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979. Not thread-safe: one object per
 * thread, then merge. */
struct pom_moments;

enum { POM_MOMENTS_MAX_D = 46340 }; /* the largest d whose d * d fits LAPACK's index */

/* d in 1..POM_MOMENTS_MAX_D, else POM_ERR_LIMIT. */
POM_API POM_NODISCARD enum pom_status pom_moments_new(size_t d, struct pom_moments **out, struct pom_message *msg);
POM_API void pom_moments_free(struct pom_moments *moments);

/* Adds n rows of d floats, row-major. POM_ERR_ARGUMENT where a value is not finite (the message names row and column,
 * counted from 0); then none of the rows is added. */
POM_API POM_NODISCARD enum pom_status pom_moments_add(
    struct pom_moments *moments, const float *rows, size_t n, struct pom_message *msg);

/* into becomes the moments of the rows of both. Same d, else POM_ERR_ARGUMENT. into and from must differ. */
POM_API POM_NODISCARD enum pom_status pom_moments_merge(
    struct pom_moments *into, const struct pom_moments *from, struct pom_message *msg);

POM_API uint64_t pom_moments_count(const struct pom_moments *moments);
POM_API size_t pom_moments_features(const struct pom_moments *moments); /* d */

/* The moments as bytes, for another process or day to load and merge: little-endian, versioned, with a checksum; 4 * d
 * * d bytes and a little. save writes exactly saved_bytes; less room is POM_ERR_ARGUMENT. load: POM_ERR_FORMAT for
 * anything that save did not write. */
POM_API size_t pom_moments_saved_bytes(const struct pom_moments *moments);
POM_API POM_NODISCARD enum pom_status pom_moments_save(
    const struct pom_moments *moments, void *bytes, size_t n_bytes, struct pom_message *msg);
POM_API POM_NODISCARD enum pom_status pom_moments_load(
    const void *bytes, size_t n_bytes, struct pom_moments **out, struct pom_message *msg);

/* A scaler followed by a PCA: what projection.parquet holds. Arrays are owned by the projection. */
struct pom_projection {
    size_t d;      /* features in */
    size_t k;      /* components out; 0: scaler only, or all rows were equal */
    uint64_t rows; /* that it was fitted on */
    bool scaled;   /* inputs are standardised: (x - mean) / std, 0 where std is 0 */
    bool centered; /* the projection subtracts the mean (scikit-learn); false: Spark's PCAModel.transform */
    double
        residual; /* the worst |C v - lambda v| of a component, over the largest eigenvalue; 0: LAPACK's own accuracy */
    double *mean; /* d: of the raw features */
    double *std;  /* d: sample standard deviation (n - 1) of the raw features */
    double *components; /* k x d, rows are unit vectors, largest absolute entry positive (the first of equals) */
    double *variance;   /* k: explained variance, eigenvalues of the sample covariance, descending */
    double *ratio;      /* k: explained variance ratio, of the total variance; 0 where that is 0 */
};

/* Zero-initialise for the scaler alone. */
struct pom_pca_options {
    size_t k;        /* number of components; 0: by variance */
    double variance; /* in (0,1): the fewest components that explain at least this share; used when k is 0; 0: no PCA */
    bool no_scale;   /* do not standardise first */
    bool no_center;  /* leave the mean in when projecting, as Spark's PCAModel.transform does (no effect once scaled) */
};

/* Fits from moments, by the exact eigendecomposition of the covariance (LAPACK). k past the rank of the covariance,
 * which is min(d, rows - 1) at most, is lowered: see out->k, 0 where all rows are equal. The rank counts eigenvalues
 * over d * DBL_EPSILON times the largest, as numpy.linalg.matrix_rank. POM_ERR_ARGUMENT with fewer than two rows.
 * Memory: 8 * d * (d + k) bytes more than the moments. */
POM_API POM_NODISCARD enum pom_status pom_projection_fit(const struct pom_moments *moments,
    const struct pom_pca_options *options, struct pom_projection **out, struct pom_message *msg);

/* Rows that can be read again from the start. */
struct pom_row_source {
    void *user;
    size_t d; /* values of a row */

    /* Writes up to max_rows rows of d floats and their number, 0 past the last. */
    enum pom_status (*next)(void *user, float *rows, size_t max_rows, size_t *n, struct pom_message *msg);
    enum pom_status (*rewind)(void *user, struct pom_message *msg); /* the first row is next; called before each pass */
};

/* Fits from rows in as many passes as it takes, within about memory_bytes (0: 1 GiB) beside the result. Where the
 * covariance fits, that is one pass and pom_projection_fit. Wider rows: mean, deviation and total variance exactly in
 * the first pass, then a randomized block Krylov iteration (fixed start, so the same rows give the same result) until
 * the residual of every component is under 1e-9 of the largest eigenvalue, or 100 passes: out->residual tells.
 * POM_ERR_LIMIT where the memory does not do for the components asked for. */
POM_API POM_NODISCARD enum pom_status pom_projection_fit_rows(const struct pom_row_source *source,
    const struct pom_pca_options *options, size_t memory_bytes, struct pom_projection **out, struct pom_message *msg);

/* Whether rows of d features are fitted by their covariance within memory_bytes (0: 1 GiB): then who sees the rows
 * anyway may take their moments for pom_projection_fit, which gives the same as pom_projection_fit_rows. */
POM_API bool pom_moments_fit(size_t d, size_t memory_bytes);

/* rows: n x d floats in; out: n x k floats. rows and out may not overlap. Thread-safe. */
POM_API POM_NODISCARD enum pom_status pom_projection_apply(
    const struct pom_projection *projection, const float *rows, size_t n, float *out, struct pom_message *msg);

/* The scaler alone, whether or not the projection uses it: out n x d floats, may be rows itself. Thread-safe. */
POM_API void pom_projection_scale(const struct pom_projection *projection, const float *rows, size_t n, float *out);

POM_API void pom_projection_free(struct pom_projection *projection);

#ifdef __cplusplus
}
#endif
#endif
