/* A projection from rows that are read again and again: by the covariance where it fits, else by Krylov iteration. */
#include "base/memory.h"
#include "stats/blas.h"
#include "stats/columns.h"
#include "stats/krylov.h"
#include "stats/moments.h"
#include "stats/projection.h"
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    OVERSAMPLING = 10, /* vectors kept beside the components: Halko, Martinsson, Tropp */
    MAX_BLOCK = 128,   /* vectors in one pass */
    MAX_GROWTH = 1024, /* of the basis before a restart: its own decomposition takes time and memory too */
    MAX_PASSES = 100,
    MAX_ROWS = 256,   /* read at once */
    FIRST_GUESS = 64, /* components for a share of the variance */
    ALWAYS_FITS = 256 /* features whose covariance needs no thought */
};

static const size_t default_memory = (size_t)1 << 30;
static const double tolerance = 1e-9;

/* The covariance of (scaled) rows, as an operator. */
struct rows_operator {
    const struct pom_row_source *source;
    const struct pom_projection *statistics; /* mean and std */
    size_t block;
    float *raw;      /* block x d */
    double *rows;    /* block x d: centred, scaled */
    double *product; /* block x l */
};

/* Fills a block as far as there are rows. */
static enum pom_status fill(
    const struct pom_row_source *source, float *rows, size_t max_rows, size_t *n, struct pom_message *msg) {
    *n = 0;
    while (*n < max_rows) {
        size_t got = 0;
        POM_TRY(source->next(source->user, rows + *n * source->d, max_rows - *n, &got, msg));
        if (got == 0)
            break;
        *n += got;
    }
    return POM_OK;
}

static void standardise(const struct pom_projection *p, const float *rows, size_t n, double *out) {
    size_t d = p->d;
    for (size_t i = 0; i < n; i++, rows += d, out += d)
        for (size_t j = 0; j < d; j++) {
            double centred = (double)rows[j] - p->mean[j];
            out[j] = !p->scaled ? centred : p->std[j] > 0 ? centred / p->std[j] : 0;
        }
}

static enum pom_status apply_covariance(void *user, const double *in, size_t l, double *out, struct pom_message *msg) {
    struct rows_operator *op = user;
    const struct pom_projection *p = op->statistics;
    int d = (int)p->d, width = (int)l;
    double weight = 1 / (double)(p->rows - 1);
    uint64_t seen = 0;
    size_t n;
    memset(out, 0, l * p->d * sizeof *out);
    POM_TRY(op->source->rewind(op->source->user, msg));
    for (;;) {
        POM_TRY(fill(op->source, op->raw, op->block, &n, msg));
        if (n == 0)
            break;
        standardise(p, op->raw, n, op->rows);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)n, width, d, 1.0, op->rows, d, in, d, 0.0,
            op->product, width);
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, width, d, (int)n, weight, op->product, width, op->rows, d,
            1.0, out, d);
        seen += n;
    }
    if (seen != p->rows)
        return pom_fail(msg, POM_ERR_CONFLICT,
            "the table had %" PRIu64 " rows and now has %" PRIu64 ": it changed while it was read", p->rows, seen);
    return POM_OK;
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* What the memory holds: rows of the table, and vectors of the iteration. */
struct room {
    size_t rows, vectors;
};

static struct room divide_memory(size_t d, size_t memory_bytes) {
    size_t row_bytes = d * (sizeof(float) + sizeof(double));
    size_t rows = least(memory_bytes / 8 / row_bytes, MAX_ROWS);
    rows = rows ? rows : 1;
    size_t rest = memory_bytes > rows * row_bytes ? memory_bytes - rows * row_bytes : 0;
    return (struct room){rows, least(rest / (d * sizeof(double)), d)};
}

/* A basis needs what is kept, a block to grow by, the next block, and the product. */
static size_t most_components(size_t vectors) {
    if (vectors >= 4 * MAX_BLOCK)
        return vectors - 3 * MAX_BLOCK - OVERSAMPLING;
    return vectors / 4 > OVERSAMPLING ? vectors / 4 - OVERSAMPLING : 0;
}

static enum pom_status find_components(struct rows_operator *op, size_t k, size_t most, const struct room *room,
    struct pom_eigen *out, double *residual, struct pom_message *msg) {
    size_t d = op->source->d, kept = k + OVERSAMPLING, block = least(kept, MAX_BLOCK);
    size_t useful = most > kept ? most + block : kept + block; /* past the rank there is nothing to find */
    size_t basis = least(least(room->vectors - 2 * block, kept + least(7 * kept, MAX_GROWTH)), useful);
    const struct pom_krylov_options options = {k, block, kept, basis, MAX_PASSES, tolerance};
    const struct pom_operator covariance = {op, d, apply_covariance};
    op->block = room->rows;
    op->raw = pom_alloc_aligned(op->block * d, sizeof(float));
    op->rows = pom_alloc_aligned(op->block * d, sizeof(double));
    op->product = pom_alloc_aligned(op->block * block, sizeof(double));
    enum pom_status status = op->raw && op->rows && op->product
                                 ? pom_krylov_top(&covariance, &options, out, residual, msg)
                                 : pom_fail_memory(msg, "rows of features");
    free(op->raw);
    free(op->rows);
    free(op->product);
    return status;
}

/* Keeps the fewest that reach the wanted sum, and returns 0; or returns how many more it takes at least. */
static size_t cut_to_share(struct pom_eigen *eigen, double wanted) {
    double sum = 0, last = 0;
    for (size_t i = 0; i < eigen->k; i++) {
        last = eigen->values[i];
        sum += last;
        if (sum >= wanted) {
            eigen->k = i + 1;
            return 0;
        }
    }
    return last > 0 ? (size_t)fmin(ceil((wanted - sum) / last), (double)eigen->n) : 0;
}

static enum pom_status too_many(size_t k, size_t d, size_t memory_bytes, struct pom_message *msg) {
    return pom_fail(msg, POM_ERR_LIMIT,
        "%zu components of %zu features do not fit in %zu MiB: give more memory (--memory) or ask for fewer components",
        k, d, memory_bytes >> 20);
}

static enum pom_status add_components(struct pom_projection *p, const struct pom_row_source *source,
    const struct pom_pca_options *options, size_t most, double total, size_t memory_bytes, struct pom_message *msg) {
    struct rows_operator op = {.source = source, .statistics = p};
    struct pom_eigen eigen = {0};
    const struct room room = divide_memory(p->d, memory_bytes);
    size_t fitting = most_components(room.vectors), k = options->k ? options->k : FIRST_GUESS, tried = 0;
    for (;;) {
        k = least(k, most);
        if (k > fitting && (options->k || tried == fitting))
            return too_many(k, p->d, memory_bytes, msg);
        k = tried = least(k, fitting);
        POM_TRY(find_components(&op, k, most, &room, &eigen, &p->residual, msg));
        size_t missing = options->k ? 0 : cut_to_share(&eigen, options->variance * total);
        if (!missing || k == most)
            break;
        pom_eigen_clean_up(&eigen);
        k += missing > k / 2 ? missing : k / 2;
    }
    enum pom_status status = pom_projection_take(p, &eigen, total, msg);
    pom_eigen_clean_up(&eigen);
    return status;
}

/* The first pass: mean and sum of squares of every column. */
static enum pom_status take_columns(
    const struct pom_row_source *source, struct pom_columns *columns, float *rows, struct pom_message *msg) {
    size_t n, block = pom_block_rows(source->d);
    POM_TRY(source->rewind(source->user, msg));
    for (;;) {
        POM_TRY(fill(source, rows, block, &n, msg));
        if (n == 0)
            return POM_OK;
        POM_TRY(pom_check_finite(rows, n, source->d, columns->mean.count, msg));
        pom_columns_take(columns, rows, n);
    }
}

/* The scaler; *total is the variance that the components share. */
static enum pom_status fit_scaler(const struct pom_row_source *source, const struct pom_pca_options *options,
    size_t *most, double *total, struct pom_projection **out, struct pom_message *msg) {
    struct pom_columns columns;
    POM_TRY(pom_columns_init(&columns, source->d, msg));
    float *rows = pom_alloc_aligned(pom_block_rows(source->d) * source->d, sizeof *rows);
    enum pom_status status =
        rows ? take_columns(source, &columns, rows, msg) : pom_fail_memory(msg, "rows of features");
    free(rows);
    if (status == POM_OK)
        status = pom_pca_check(options, source->d, columns.mean.count, most, msg);
    if (status == POM_OK)
        status = pom_projection_new(source->d, columns.mean.count, options, out, msg);
    *total = 0;
    for (size_t j = 0; status == POM_OK && j < source->d; j++) {
        double variance = columns.squares[j] / (double)(columns.mean.count - 1);
        (*out)->mean[j] = columns.mean.mean[j];
        (*out)->std[j] = sqrt(variance);
        *total += (*out)->scaled ? variance > 0 : variance;
    }
    pom_columns_clean_up(&columns);
    return status;
}

static enum pom_status fit_wide(const struct pom_row_source *source, const struct pom_pca_options *options,
    size_t memory_bytes, struct pom_projection **out, struct pom_message *msg) {
    size_t most;
    double total;
    struct pom_projection *p = NULL;
    POM_TRY(fit_scaler(source, options, &most, &total, &p, msg));
    enum pom_status status = POM_OK;
    if (options->k || options->variance > 0)
        status = add_components(p, source, options, most, total, memory_bytes, msg);
    if (status == POM_OK)
        *out = p;
    else
        pom_projection_free(p);
    return status;
}

static enum pom_status take_moments(
    const struct pom_row_source *source, struct pom_moments *moments, float *rows, struct pom_message *msg) {
    size_t n;
    POM_TRY(source->rewind(source->user, msg));
    for (;;) {
        POM_TRY(fill(source, rows, moments->block, &n, msg));
        if (n == 0)
            return POM_OK;
        POM_TRY(pom_moments_add(moments, rows, n, msg));
    }
}

static enum pom_status fit_by_covariance(const struct pom_row_source *source, const struct pom_pca_options *options,
    struct pom_projection **out, struct pom_message *msg) {
    struct pom_moments *moments;
    POM_TRY(pom_moments_new(source->d, &moments, msg));
    float *rows = pom_alloc_aligned(moments->block * source->d, sizeof *rows);
    enum pom_status status = rows ? take_moments(source, moments, rows, msg) : pom_fail_memory(msg, "rows of features");
    free(rows);
    if (status == POM_OK)
        status = pom_projection_fit(moments, options, out, msg);
    pom_moments_free(moments);
    return status;
}

/* The scatter, its copy, and at worst as many eigenvectors. */
bool pom_moments_fit(size_t d, size_t memory_bytes) {
    size_t memory = memory_bytes ? memory_bytes : default_memory;
    return d <= ALWAYS_FITS || (d <= POM_MOMENTS_MAX_D && 3 * d * d * sizeof(double) <= memory);
}

enum pom_status pom_projection_fit_rows(const struct pom_row_source *source, const struct pom_pca_options *options,
    size_t memory_bytes, struct pom_projection **out, struct pom_message *msg) {
    if (source->d < 1 || !pom_blas_fits(source->d, MAX_ROWS))
        return pom_fail(msg, POM_ERR_LIMIT, "a row has 1 to %d features, not %zu", INT_MAX / MAX_ROWS, source->d);
    bool pca = options->k || options->variance > 0;
    if (pca && pom_moments_fit(source->d, memory_bytes))
        return fit_by_covariance(source, options, out, msg);
    return fit_wide(source, options, memory_bytes ? memory_bytes : default_memory, out, msg);
}
