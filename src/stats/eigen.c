#include "stats/eigen.h"

#include "base/memory.h"
#include "stats/blas.h"
#include <lapacke.h>
#include <stdlib.h>
#include <string.h>

/* The tridiagonal form and what leads back from it. */
struct tridiagonal {
    double *diagonal, *off, *tau; /* n each */
    double *values, *work;        /* n each: scratch */
};

static enum pom_status lapack_failed(struct pom_message *msg, const char *routine, lapack_int info) {
    if (info == LAPACK_WORK_MEMORY_ERROR || info == LAPACK_TRANSPOSE_MEMORY_ERROR)
        return pom_fail_memory(msg, "the eigenvectors of the covariance");
    return pom_fail(
        msg, POM_ERR_INTERNAL, "LAPACK %s failed (%d) on the covariance of the features", routine, (int)info);
}

/* Row-major upper is LAPACK's lower: no transposition. */
static enum pom_status reduce(double *matrix, size_t n, struct tridiagonal *t, struct pom_message *msg) {
    lapack_int order = (lapack_int)n;
    lapack_int info = LAPACKE_dsytrd(LAPACK_COL_MAJOR, 'L', order, matrix, order, t->diagonal, t->off, t->tau);
    if (info != 0)
        return lapack_failed(msg, "dsytrd", info);
    memcpy(t->values, t->diagonal, n * sizeof(double));
    memcpy(t->work, t->off, n * sizeof(double));
    info = LAPACKE_dsterf(order, t->values, t->work);
    return info == 0 ? POM_OK : lapack_failed(msg, "dsterf", info);
}

/* values: n, ascending. */
static size_t choose(const double *values, size_t n, const struct pom_eigen_choice *choice) {
    size_t most = choice->most < n ? choice->most : n;
    if (choice->k)
        return choice->k < most ? choice->k : most;
    double trace = 0, sum = 0;
    for (size_t i = 0; i < n; i++)
        trace += values[i] > 0 ? values[i] : 0;
    size_t k = 0;
    while (k < most && (k == 0 || sum < choice->share * trace))
        sum += values[n - ++k];
    return k;
}

/* LAPACK's ascending order becomes descending. */
static void reverse(struct pom_eigen *eigen) {
    size_t n = eigen->n, k = eigen->k;
    for (size_t i = 0; i < k / 2; i++) {
        cblas_dswap((int)n, eigen->vectors + i * n, 1, eigen->vectors + (k - 1 - i) * n, 1);
        double value = eigen->values[i];
        eigen->values[i] = eigen->values[k - 1 - i];
        eigen->values[k - 1 - i] = value;
    }
    for (size_t i = 0; i < k; i++)
        if (eigen->values[i] < 0)
            eigen->values[i] = 0;
}

static enum pom_status find_vectors(
    const double *reduced, struct tridiagonal *t, struct pom_eigen *eigen, struct pom_message *msg) {
    lapack_int n = (lapack_int)eigen->n, k = (lapack_int)eigen->k, found = 0;
    lapack_int *support = pom_calloc(2 * eigen->k, sizeof *support);
    if (!support)
        return pom_fail_memory(msg, "the eigenvectors of the covariance");
    lapack_logical try_accurate = 1;
    lapack_int info = LAPACKE_dstemr(LAPACK_COL_MAJOR, 'V', 'I', n, t->diagonal, t->off, 0, 0, n - k + 1, n, &found,
        t->values, eigen->vectors, n, k, support, &try_accurate);
    free(support);
    if (info != 0 || found != k)
        return lapack_failed(msg, "dstemr", info);
    memcpy(eigen->values, t->values, eigen->k * sizeof(double));
    info = LAPACKE_dormtr(LAPACK_COL_MAJOR, 'L', 'L', 'N', n, k, reduced, n, t->tau, eigen->vectors, n);
    if (info != 0)
        return lapack_failed(msg, "dormtr", info);
    reverse(eigen);
    return POM_OK;
}

static enum pom_status decompose(double *matrix, size_t n, const struct pom_eigen_choice *choice, struct tridiagonal *t,
    struct pom_eigen *out, struct pom_message *msg) {
    POM_TRY(reduce(matrix, n, t, msg));
    out->n = n;
    out->k = choose(t->values, n, choice);
    out->values = pom_alloc_aligned(out->k, sizeof(double));
    out->vectors = pom_alloc_aligned(out->k * n, sizeof(double));
    if (!out->values || !out->vectors)
        return pom_fail_memory(msg, "the eigenvectors of the covariance");
    return find_vectors(matrix, t, out, msg);
}

enum pom_status pom_eigen_top(
    double *matrix, size_t n, const struct pom_eigen_choice *choice, struct pom_eigen *out, struct pom_message *msg) {
    *out = (struct pom_eigen){0};
    double *scratch = pom_calloc(5 * n, sizeof(double));
    if (!scratch)
        return pom_fail_memory(msg, "the eigenvectors of the covariance");
    struct tridiagonal t = {scratch, scratch + n, scratch + 2 * n, scratch + 3 * n, scratch + 4 * n};
    enum pom_status status = decompose(matrix, n, choice, &t, out, msg);
    if (status != POM_OK)
        pom_eigen_clean_up(out);
    free(scratch);
    return status;
}

void pom_eigen_clean_up(struct pom_eigen *eigen) {
    free(eigen->values);
    free(eigen->vectors);
    *eigen = (struct pom_eigen){0};
}
