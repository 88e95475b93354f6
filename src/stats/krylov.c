#include "stats/krylov.h"

#include "base/memory.h"
#include "stats/blas.h"
#include <lapacke.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct krylov {
    const struct pom_operator *op;
    const struct pom_krylov_options *options;
    size_t n, l;       /* order of the matrix, vectors of a block */
    size_t width;      /* rows of the basis that the operator was applied to; the next block stands behind them */
    double *basis;     /* (options.basis + l) x n: orthonormal rows */
    double *product;   /* l x n */
    double *projected; /* options.basis, squared: basis * A * basis', upper triangle */
    double *work;      /* as projected */
    double *coupling;  /* l x options.basis: scratch */
    double *remainder; /* l x l, column-major upper triangle: what A leaves outside of the basis, by the last block */
    double *tau;       /* l */
};

static double *next_block(const struct krylov *s) {
    return s->basis + s->width * s->n;
}

/* The product loses what lies in the basis. */
static void project_out(const struct krylov *s) {
    int l = (int)s->l, n = (int)s->n, width = (int)s->width;
    cblas_dgemm(
        CblasRowMajor, CblasNoTrans, CblasTrans, l, width, n, 1.0, s->product, n, s->basis, n, 0.0, s->coupling, width);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, l, n, width, -1.0, s->coupling, width, s->basis, n, 1.0,
        s->product, n);
}

/* rows become orthonormal; the triangle that led there goes to r. The smallest of its diagonal, absolute: *least. */
static enum pom_status orthonormalise(
    const struct krylov *s, double *rows, double *r, double *least, struct pom_message *msg) {
    lapack_int n = (lapack_int)s->n, l = (lapack_int)s->l;
    lapack_int info = LAPACKE_dgeqrf(LAPACK_COL_MAJOR, n, l, rows, n, s->tau);
    *least = INFINITY;
    for (size_t c = 0; c < s->l; c++) {
        memcpy(r + c * s->l, rows + c * s->n, (c + 1) * sizeof(double));
        *least = fmin(*least, fabs(r[c * s->l + c]));
    }
    if (info == 0)
        info = LAPACKE_dorgqr(LAPACK_COL_MAJOR, n, l, l, rows, n, s->tau);
    if (info == LAPACK_WORK_MEMORY_ERROR)
        return pom_fail_memory(msg, "the principal components");
    return info == 0 ? POM_OK : pom_fail(msg, POM_ERR_INTERNAL, "LAPACK's QR failed (%d) on the features", (int)info);
}

/* The next block from the product, which is used up. Rounding leaves some of the basis in what was projected out, and
 * much of it where the product lay all within the basis: repeated until a round takes away little. */
static enum pom_status extend(struct krylov *s, struct pom_message *msg) {
    enum { MAX_ROUNDS = 5 };
    double least = 0, *scratch = s->work;
    for (int round = 0; round < 2 || (round < MAX_ROUNDS && least < 0.5); round++) {
        project_out(s);
        POM_TRY(orthonormalise(s, s->product, round == 0 ? s->remainder : scratch, &least, msg));
    }
    memcpy(next_block(s), s->product, s->l * s->n * sizeof(double));
    return POM_OK;
}

/* Applies the operator to the next block: the projected matrix grows by its rows and columns. */
static enum pom_status step(struct krylov *s, struct pom_message *msg) {
    size_t from = s->width;
    POM_TRY(s->op->apply(s->op->user, next_block(s), s->l, s->product, msg));
    s->width += s->l;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)s->width, (int)s->l, (int)s->n, 1.0, s->basis, (int)s->n,
        s->product, (int)s->n, 0.0, s->projected + from, (int)s->options->basis);
    return extend(s, msg);
}

/* The largest eigenpairs of the projected matrix, as many as a restart keeps. */
static enum pom_status find_ritz(const struct krylov *s, struct pom_eigen *ritz, struct pom_message *msg) {
    for (size_t i = 0; i < s->width; i++)
        memcpy(s->work + i * s->width, s->projected + i * s->options->basis, s->width * sizeof(double));
    const struct pom_eigen_choice choice = {.k = s->options->kept, .most = s->options->kept};
    return pom_eigen_top(s->work, s->width, &choice, ritz, msg);
}

/* |A v - lambda v| of a Ritz vector is what the remainder makes of the part that lies in the last block. */
static double worst_residual(const struct krylov *s, const struct pom_eigen *ritz) {
    double worst = 0;
    for (size_t i = 0; i < s->options->k; i++) {
        double *last = s->tau;
        memcpy(last, ritz->vectors + (i + 1) * ritz->n - s->l, s->l * sizeof(double));
        cblas_dtrmv(CblasColMajor, CblasUpper, CblasNoTrans, CblasNonUnit, (int)s->l, s->remainder, (int)s->l, last, 1);
        worst = fmax(worst, cblas_dnrm2((int)s->l, last, 1));
    }
    return ritz->values[0] > 0 ? worst / ritz->values[0] : 0;
}

/* The first k rows of the basis become the first k Ritz vectors: some columns at a time, which needs no second basis.
 */
static void rotate(const struct krylov *s, const struct pom_eigen *ritz, size_t k) {
    size_t chunk = s->options->basis; /* k x chunk fits in work */
    for (size_t at = 0; at < s->n; at += chunk) {
        size_t columns = s->n - at < chunk ? s->n - at : chunk;
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)k, (int)columns, (int)ritz->n, 1.0, ritz->vectors,
            (int)ritz->n, s->basis + at, (int)s->n, 0.0, s->work, (int)columns);
        for (size_t i = 0; i < k; i++)
            memcpy(s->basis + i * s->n + at, s->work + i * columns, columns * sizeof(double));
    }
}

/* Only the best vectors stay; the block that was next stays next. */
static void restart(struct krylov *s, const struct pom_eigen *ritz) {
    size_t kept = ritz->k, side = s->options->basis;
    const double *next = next_block(s);
    rotate(s, ritz, kept);
    s->width = kept;
    memmove(next_block(s), next, s->l * s->n * sizeof(double));
    for (size_t i = 0; i < kept; i++) {
        memset(s->projected + i * side, 0, kept * sizeof(double));
        s->projected[i * side + i] = ritz->values[i];
    }
}

/* The basis itself becomes the vectors. */
static enum pom_status hand_out(
    struct krylov *s, const struct pom_eigen *ritz, struct pom_eigen *out, struct pom_message *msg) {
    size_t k = s->options->k;
    *out = (struct pom_eigen){.n = s->n, .k = k, .values = pom_alloc_aligned(k, sizeof(double))};
    if (!out->values)
        return pom_fail_memory(msg, "the principal components");
    memcpy(out->values, ritz->values, k * sizeof(double));
    rotate(s, ritz, k);
    double *shrunk = k ? realloc(s->basis, k * s->n * sizeof(double)) : NULL;
    out->vectors = shrunk ? shrunk : s->basis;
    s->basis = NULL;
    return POM_OK;
}

/* Looks at the Ritz pairs, and hands them out or restarts where that is due. */
static enum pom_status conclude(
    struct krylov *s, bool last, struct pom_eigen *out, double *residual, bool *done, struct pom_message *msg) {
    struct pom_eigen ritz;
    POM_TRY(find_ritz(s, &ritz, msg));
    enum pom_status status = POM_OK;
    *residual = worst_residual(s, &ritz);
    *done = last || *residual <= s->options->tolerance;
    if (*done)
        status = hand_out(s, &ritz, out, msg);
    else if (s->width + s->l > s->options->basis)
        restart(s, &ritz);
    pom_eigen_clean_up(&ritz);
    return status;
}

static enum pom_status iterate(struct krylov *s, struct pom_eigen *out, double *residual, struct pom_message *msg) {
    bool done = false;
    for (int pass = 1; !done; pass++) {
        POM_TRY(step(s, msg));
        if (s->width >= s->options->k)
            POM_TRY(conclude(s, pass >= s->options->max_passes, out, residual, &done, msg));
    }
    return POM_OK;
}

/* Random signs serve as well as normal numbers. */
static enum pom_status start(struct krylov *s, struct pom_message *msg) {
    uint64_t state = 1;
    double least;
    for (size_t i = 0; i < s->l * s->n; i++) {
        state = state * 6364136223846793005U + 1442695040888963407U; /* Knuth's MMIX generator */
        s->basis[i] = state >> 63 ? 1 : -1;
    }
    return orthonormalise(s, s->basis, s->remainder, &least, msg);
}

static enum pom_status solve(struct krylov *s, struct pom_eigen *out, double *residual, struct pom_message *msg) {
    POM_TRY(start(s, msg));
    return iterate(s, out, residual, msg);
}

enum pom_status pom_krylov_top(const struct pom_operator *op, const struct pom_krylov_options *options,
    struct pom_eigen *out, double *residual, struct pom_message *msg) {
    size_t n = op->n, l = options->block, side = options->basis;
    struct krylov s = {.op = op, .options = options, .n = n, .l = l};
    s.basis = pom_alloc_aligned((side + l) * n, sizeof(double));
    s.product = pom_alloc_aligned(l * n, sizeof(double));
    s.projected = pom_calloc(side * side, sizeof(double));
    s.work = pom_calloc(side * side, sizeof(double));
    s.coupling = pom_calloc(l * side, sizeof(double));
    s.remainder = pom_calloc(l * l, sizeof(double));
    s.tau = pom_calloc(l, sizeof(double));
    bool allocated = s.basis && s.product && s.projected && s.work && s.coupling && s.remainder && s.tau;
    enum pom_status status =
        allocated ? solve(&s, out, residual, msg) : pom_fail_memory(msg, "the principal components");
    free(s.basis);
    free(s.product);
    free(s.projected);
    free(s.work);
    free(s.coupling);
    free(s.remainder);
    free(s.tau);
    return status;
}
