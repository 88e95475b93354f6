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

/* Count, mean and centred scatter matrix of rows seen so far, in double. Memory: 8 * d * d bytes and a block of rows.
 * Source of the update and merge: Chan, Golub, LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing
 * Sample Variances", 1979. Not thread-safe: one object per thread, then merge. */
struct pom_moments;

POM_API POM_NODISCARD enum pom_status pom_moments_new(size_t d, struct pom_moments **out, struct pom_message *msg);
POM_API void pom_moments_free(struct pom_moments *moments);

/* Adds n rows of d floats, row-major. POM_ERR_ARGUMENT where a value is not finite (the message names row and column);
 * then none of the rows is added. */
POM_API POM_NODISCARD enum pom_status pom_moments_add(
    struct pom_moments *moments, const float *rows, size_t n, struct pom_message *msg);

/* into becomes the moments of the rows of both. Same d, else POM_ERR_ARGUMENT. */
POM_API POM_NODISCARD enum pom_status pom_moments_merge(
    struct pom_moments *into, const struct pom_moments *from, struct pom_message *msg);

POM_API uint64_t pom_moments_count(const struct pom_moments *moments);

/* A scaler followed by a PCA: what projection.parquet holds. Arrays are owned by the projection. */
struct pom_projection {
    size_t d;           /* features in */
    size_t k;           /* components out; 0: scaler only */
    uint64_t rows;      /* that it was fitted on */
    bool scaled;        /* inputs are standardised: (x - mean) / std, 0 where std is 0 */
    bool centered;      /* the projection subtracts the mean (scikit-learn); false: Spark's PCAModel.transform */
    double *mean;       /* d: of the raw features */
    double *std;        /* d: sample standard deviation (n - 1) of the raw features */
    double *components; /* k x d, rows are unit vectors, largest absolute entry positive */
    double *variance;   /* k: explained variance, eigenvalues of the sample covariance, descending */
    double *ratio;      /* k: explained variance ratio, of the total variance */
};

/* Zero-initialise for the defaults. */
struct pom_pca_options {
    size_t k;        /* number of components; 0: by variance */
    double variance; /* in (0,1): the fewest components that explain at least this share; used when k is 0 */
    bool no_scale;   /* do not standardise first */
    bool no_center;  /* leave the mean in when projecting, as Spark's PCAModel.transform does */
};

/* Fits from moments, by the exact eigendecomposition of the covariance (LAPACK). k past min(d, rows - 1) is lowered:
 * see out->k. POM_ERR_ARGUMENT with fewer than two rows. */
POM_API POM_NODISCARD enum pom_status pom_projection_fit(const struct pom_moments *moments,
    const struct pom_pca_options *options, struct pom_projection **out, struct pom_message *msg);

/* rows: n x d floats in; out: n x k floats. rows and out may not overlap. Thread-safe. */
POM_API POM_NODISCARD enum pom_status pom_projection_apply(
    const struct pom_projection *projection, const float *rows, size_t n, float *out, struct pom_message *msg);

/* The scaler alone: out n x d floats, may be rows itself. Thread-safe. */
POM_API POM_NODISCARD enum pom_status pom_projection_scale(
    const struct pom_projection *projection, const float *rows, size_t n, float *out, struct pom_message *msg);

POM_API void pom_projection_free(struct pom_projection *projection);

#ifdef __cplusplus
}
#endif
#endif
