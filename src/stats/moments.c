#include "stats/moments.h"

#include "base/memory.h"
#include "stats/blas.h"
#include <stdlib.h>
#include <string.h>

/* scatter += rows' * rows, of n rows of d. */
static void add_scatter(double *scatter, const double *rows, size_t n, size_t d) {
    int order = (int)d;
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, order, (int)n, 1.0, rows, order, 1.0, scatter, order);
}

static void fold(struct pom_mean *mean, double *scatter, const float *rows, size_t n, double *centred) {
    pom_mean_take(mean, rows, n, centred);
    add_scatter(scatter, centred, n + 1, mean->d);
}

enum pom_status pom_moments_new(size_t d, struct pom_moments **out, struct pom_message *msg) {
    if (d < 1 || d > POM_MOMENTS_MAX_D)
        return pom_fail(msg, POM_ERR_LIMIT, "moments take 1 to %d features, not %zu", POM_MOMENTS_MAX_D, d);
    struct pom_moments *m = pom_calloc(1, sizeof *m);
    if (!m)
        return pom_fail_memory(msg, "moments");
    m->block = pom_block_rows(d);
    m->mean.d = d;
    m->mean.mean = pom_calloc(d, sizeof(double));
    m->scatter = pom_calloc(d * d, sizeof(double));
    m->centred = pom_alloc_aligned((m->block + 1) * d, sizeof(double));
    m->pending = pom_alloc_aligned(m->block * d, sizeof(float));
    if (!m->mean.mean || !m->scatter || !m->centred || !m->pending) {
        pom_moments_free(m);
        return pom_fail_memory(msg, "the scatter matrix of the features");
    }
    *out = m;
    return POM_OK;
}

void pom_moments_free(struct pom_moments *moments) {
    if (!moments)
        return;
    free(moments->mean.mean);
    free(moments->scatter);
    free(moments->centred);
    free(moments->pending);
    free(moments);
}

enum pom_status pom_moments_add(struct pom_moments *moments, const float *rows, size_t n, struct pom_message *msg) {
    struct pom_moments *m = moments;
    size_t d = m->mean.d;
    POM_TRY(pom_check_finite(rows, n, d, pom_moments_count(m), msg));
    while (n > 0) {
        if (m->n_pending == 0 && n >= m->block) {
            fold(&m->mean, m->scatter, rows, m->block, m->centred);
            rows += m->block * d;
            n -= m->block;
            continue;
        }
        size_t room = m->block - m->n_pending, taken = n < room ? n : room;
        memcpy(m->pending + m->n_pending * d, rows, taken * d * sizeof *rows);
        m->n_pending += taken;
        rows += taken * d;
        n -= taken;
        if (m->n_pending == m->block) {
            fold(&m->mean, m->scatter, m->pending, m->block, m->centred);
            m->n_pending = 0;
        }
    }
    return POM_OK;
}

enum pom_status pom_moments_merge(struct pom_moments *into, const struct pom_moments *from, struct pom_message *msg) {
    size_t d = into->mean.d;
    if (from->mean.d != d)
        return pom_fail(msg, POM_ERR_ARGUMENT, "moments of %zu and of %zu features cannot be merged", d, from->mean.d);
    if (into->n_pending) {
        fold(&into->mean, into->scatter, into->pending, into->n_pending, into->centred);
        into->n_pending = 0;
    }
    if (from->mean.count) {
        for (size_t i = 0; i < d; i++)
            for (size_t j = i; j < d; j++)
                into->scatter[i * d + j] += from->scatter[i * d + j];
        pom_mean_merge(&into->mean, from->mean.count, from->mean.mean, into->centred);
        add_scatter(into->scatter, into->centred, 1, d);
    }
    if (from->n_pending)
        fold(&into->mean, into->scatter, from->pending, from->n_pending, into->centred);
    return POM_OK;
}

uint64_t pom_moments_count(const struct pom_moments *moments) {
    return moments->mean.count + moments->n_pending;
}

size_t pom_moments_features(const struct pom_moments *moments) {
    return moments->mean.d;
}

enum pom_status pom_moments_snapshot(
    const struct pom_moments *moments, struct pom_moments_view *out, struct pom_message *msg) {
    size_t d = moments->mean.d;
    out->mean = (struct pom_mean){d, moments->mean.count, pom_alloc_aligned(d, sizeof(double))};
    out->scatter = pom_alloc_aligned(d * d, sizeof(double));
    double *centred = pom_alloc_aligned((moments->n_pending + 1) * d, sizeof(double));
    if (!out->mean.mean || !out->scatter || !centred) {
        free(centred);
        pom_moments_view_clean_up(out);
        return pom_fail_memory(msg, "the covariance of the features");
    }
    memcpy(out->mean.mean, moments->mean.mean, d * sizeof(double));
    memcpy(out->scatter, moments->scatter, d * d * sizeof(double));
    if (moments->n_pending)
        fold(&out->mean, out->scatter, moments->pending, moments->n_pending, centred);
    free(centred);
    return POM_OK;
}

void pom_moments_view_clean_up(struct pom_moments_view *view) {
    free(view->mean.mean);
    free(view->scatter);
    *view = (struct pom_moments_view){0};
}
