#include "stats/projection.h"

#include "base/memory.h"
#include "stats/blas.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>

enum { APPLY_BYTES = 8 << 20, APPLY_MAX_ROWS = 256 };

enum pom_status pom_pca_check(
    const struct pom_pca_options *options, size_t d, uint64_t rows, size_t *most, struct pom_message *msg) {
    if (rows < 2)
        return pom_fail(msg, POM_ERR_ARGUMENT, "a scaler and a PCA need at least two rows, and there %s",
            rows ? "is one" : "are none");
    if (options->k == 0 && !(options->variance >= 0 && options->variance < 1))
        return pom_fail(
            msg, POM_ERR_ARGUMENT, "the share of the variance must be between 0 and 1, not %g", options->variance);
    *most = rows - 1 < d ? (size_t)(rows - 1) : d;
    return POM_OK;
}

enum pom_status pom_projection_new(size_t d, uint64_t rows, const struct pom_pca_options *options,
    struct pom_projection **out, struct pom_message *msg) {
    struct pom_projection *p = pom_calloc(1, sizeof *p);
    if (!p)
        return pom_fail_memory(msg, "the projection");
    *p = (struct pom_projection){.d = d, .rows = rows, .scaled = !options->no_scale, .centered = !options->no_center};
    p->mean = pom_calloc(d, sizeof(double));
    p->std = pom_calloc(d, sizeof(double));
    if (!p->mean || !p->std) {
        pom_projection_free(p);
        return pom_fail_memory(msg, "the projection");
    }
    *out = p;
    return POM_OK;
}

void pom_projection_free(struct pom_projection *projection) {
    if (!projection)
        return;
    free(projection->mean);
    free(projection->std);
    free(projection->components);
    free(projection->variance);
    free(projection->ratio);
    free(projection);
}

static void fix_sign(double *component, size_t d) {
    size_t largest = 0;
    for (size_t j = 1; j < d; j++)
        if (fabs(component[j]) > fabs(component[largest]))
            largest = j;
    if (component[largest] < 0)
        cblas_dscal((int)d, -1.0, component, 1);
}

/* Eigenvalues that are more than the rounding of the largest: the rule of numpy.linalg.matrix_rank. */
static size_t numerical_rank(const struct pom_eigen *eigen) {
    size_t rank = 0;
    while (rank < eigen->k && eigen->values[rank] > eigen->values[0] * (double)eigen->n * DBL_EPSILON)
        rank++;
    return rank;
}

enum pom_status pom_projection_take(
    struct pom_projection *projection, struct pom_eigen *eigen, double total_variance, struct pom_message *msg) {
    struct pom_projection *p = projection;
    size_t k = numerical_rank(eigen);
    if (k == 0)
        return POM_OK;
    p->ratio = pom_calloc(k, sizeof(double));
    if (!p->ratio)
        return pom_fail_memory(msg, "the projection");
    p->k = k;
    p->variance = eigen->values;
    p->components = eigen->vectors;
    *eigen = (struct pom_eigen){0};
    for (size_t i = 0; i < p->k; i++) {
        fix_sign(p->components + i * p->d, p->d);
        p->ratio[i] = total_variance > 0 ? p->variance[i] / total_variance : 0;
    }
    return POM_OK;
}

/* What stands in front of the components, for n rows. */
static void prepare(const struct pom_projection *p, const float *rows, size_t n, double *out) {
    size_t d = p->d;
    for (size_t i = 0; i < n; i++, rows += d, out += d) {
        if (p->scaled)
            for (size_t j = 0; j < d; j++)
                out[j] = p->std[j] > 0 ? ((double)rows[j] - p->mean[j]) / p->std[j] : 0;
        else
            for (size_t j = 0; j < d; j++)
                out[j] = (double)rows[j] - (p->centered ? p->mean[j] : 0);
    }
}

enum pom_status pom_projection_apply(
    const struct pom_projection *projection, const float *rows, size_t n, float *out, struct pom_message *msg) {
    const struct pom_projection *p = projection;
    size_t d = p->d, k = p->k;
    if (k == 0 || n == 0)
        return POM_OK;
    size_t block = APPLY_BYTES / sizeof(double) / d;
    block = block < 1 ? 1 : block > APPLY_MAX_ROWS ? APPLY_MAX_ROWS : block;
    block = block > n ? n : block;
    double *in = pom_alloc_aligned(block * d, sizeof(double)),
           *projected = pom_alloc_aligned(block * k, sizeof(double));
    if (!in || !projected) {
        free(in);
        free(projected);
        return pom_fail_memory(msg, "projected rows");
    }
    for (size_t done = 0; done < n; done += block) {
        size_t m = n - done < block ? n - done : block;
        prepare(p, rows + done * d, m, in);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)m, (int)k, (int)d, 1.0, in, (int)d, p->components,
            (int)d, 0.0, projected, (int)k);
        for (size_t i = 0; i < m * k; i++)
            out[done * k + i] = (float)projected[i];
    }
    free(in);
    free(projected);
    return POM_OK;
}

void pom_projection_scale(const struct pom_projection *projection, const float *rows, size_t n, float *out) {
    const double *mean = projection->mean, *std = projection->std;
    size_t d = projection->d;
    for (size_t i = 0; i < n; i++, rows += d, out += d)
        for (size_t j = 0; j < d; j++)
            out[j] = std[j] > 0 ? (float)(((double)rows[j] - mean[j]) / std[j]) : 0;
}
