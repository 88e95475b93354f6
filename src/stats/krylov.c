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
    size_t n, l;
    size_t applied;    /* blocks of the basis that the operator was applied to; the next one stands behind them */
    double *basis;     /* (blocks + 1) x l x n: orthonormal rows */
    double *product;   /* l x n */
    double *projected; /* blocks * l, squared: basis * A * basis', upper triangle */
    double *work;      /* as projected */
    double *coupling;  /* l x blocks * l: scratch */
    double *remainder; /* l x l, column-major upper triangle: what A leaves outside of the basis, by the last block */
    double *tau;       /* l */
};

static double *block_of(const struct krylov *s, size_t i) {
    return s->basis + i * s->l * s->n;
}

/* coupling = rows * basis' and rows -= coupling * basis, over the first `blocks` blocks. */
static void project_out(const struct krylov *s, double *rows, size_t blocks) {
    int l = (int)s->l, n = (int)s->n, width = (int)(blocks * s->l);
    cblas_dgemm(
        CblasRowMajor, CblasNoTrans, CblasTrans, l, width, n, 1.0, rows, n, s->basis, n, 0.0, s->coupling, width);
    cblas_dgemm(
        CblasRowMajor, CblasNoTrans, CblasNoTrans, l, n, width, -1.0, s->coupling, width, s->basis, n, 1.0, rows, n);
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
        project_out(s, s->product, s->applied);
        POM_TRY(orthonormalise(s, s->product, round == 0 ? s->remainder : scratch, &least, msg));
    }
    memcpy(block_of(s, s->applied), s->product, s->l * s->n * sizeof(double));
    return POM_OK;
}

/* Applies the operator to the next block: the projected matrix grows by its rows and columns. */
static enum pom_status step(struct krylov *s, struct pom_message *msg) {
    size_t l = s->l, from = s->applied * l, side = s->options->blocks * l, width = from + l;
    POM_TRY(s->op->apply(s->op->user, block_of(s, s->applied), l, s->product, msg));
    s->applied++;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)width, (int)l, (int)s->n, 1.0, s->basis, (int)s->n,
        s->product, (int)s->n, 0.0, s->projected + from, (int)side);
    return extend(s, msg);
}

/* The l largest eigenpairs of the projected matrix. */
static enum pom_status find_ritz(const struct krylov *s, struct pom_eigen *ritz, struct pom_message *msg) {
    size_t width = s->applied * s->l, side = s->options->blocks * s->l;
    for (size_t i = 0; i < width; i++)
        memcpy(s->work + i * width, s->projected + i * side, width * sizeof(double));
    return pom_eigen_top(s->work, width, &(struct pom_eigen_choice){.k = s->l, .most = s->l}, ritz, msg);
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

/* out = the first k Ritz vectors, k x n. */
static void ritz_vectors(const struct krylov *s, const struct pom_eigen *ritz, size_t k, double *out) {
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)k, (int)s->n, (int)ritz->n, 1.0, ritz->vectors,
        (int)ritz->n, s->basis, (int)s->n, 0.0, out, (int)s->n);
}

/* The best l vectors become the first block; the block that was next stays next. */
static void restart(struct krylov *s, const struct pom_eigen *ritz) {
    size_t l = s->l, side = s->options->blocks * l, bytes = l * s->n * sizeof(double);
    ritz_vectors(s, ritz, l, s->product);
    memcpy(block_of(s, 1), block_of(s, s->applied), bytes);
    memcpy(block_of(s, 0), s->product, bytes);
    memset(s->projected, 0, side * side * sizeof(double));
    for (size_t i = 0; i < l; i++)
        s->projected[i * side + i] = ritz->values[i];
    s->applied = 1;
}

static enum pom_status hand_out(
    const struct krylov *s, struct pom_eigen *ritz, struct pom_eigen *out, struct pom_message *msg) {
    size_t k = s->options->k;
    *out =
        (struct pom_eigen){s->n, k, pom_alloc_aligned(k, sizeof(double)), pom_alloc_aligned(k * s->n, sizeof(double))};
    if (!out->values || !out->vectors) {
        pom_eigen_clean_up(out);
        return pom_fail_memory(msg, "the principal components");
    }
    memcpy(out->values, ritz->values, k * sizeof(double));
    ritz_vectors(s, ritz, k, out->vectors);
    return POM_OK;
}

static enum pom_status iterate(struct krylov *s, struct pom_eigen *out, double *residual, struct pom_message *msg) {
    enum pom_status status = POM_OK;
    for (int pass = 1; status == POM_OK; pass++) {
        struct pom_eigen ritz;
        POM_TRY(step(s, msg));
        POM_TRY(find_ritz(s, &ritz, msg));
        *residual = worst_residual(s, &ritz);
        bool done = *residual <= s->options->tolerance || pass >= s->options->max_passes;
        if (done)
            status = hand_out(s, &ritz, out, msg);
        else if (s->applied == s->options->blocks)
            restart(s, &ritz);
        pom_eigen_clean_up(&ritz);
        if (done)
            break;
    }
    return status;
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

size_t pom_krylov_blocks(size_t n, size_t block, size_t bytes) {
    size_t blocks = bytes / (block * n * sizeof(double));
    return blocks > 2 ? blocks - 2 : 0;
}

enum pom_status pom_krylov_top(const struct pom_operator *op, const struct pom_krylov_options *options,
    struct pom_eigen *out, double *residual, struct pom_message *msg) {
    size_t n = op->n, l = options->block, side = options->blocks * l;
    struct krylov s = {.op = op, .options = options, .n = n, .l = l};
    s.basis = pom_alloc_aligned((options->blocks + 1) * l * n, sizeof(double));
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
