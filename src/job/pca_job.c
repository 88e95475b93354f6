#include "job/pca_job.h"

#include "base/file.h"
#include "base/memory.h"
#include "job/feature_table.h"
#include "job/projection_table.h"
#include "job/table_ahead.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A table being written: the text columns of the input, then one list. */
struct output {
    struct pom_table_writer *writer; /* NULL: not wanted */
    size_t width;
    float *rows; /* of a block */
};

struct pca_job {
    const struct pom_pca_job_options *options;
    struct pom_pca_job_result *result;
    struct pom_feature_table table;
    struct pom_projection *projection;
    struct pom_table_ahead ahead;
    struct output pca, scaled;
    struct pom_metadata model;           /* of the table's features, where its footer says so */
    const struct pom_metadata *metadata; /* for the footers: the caller's, or at least the model */
    int n_metadata;
};

/* "pca" -> the path of pca.parquet in the folder, which the result then names. free() releases. */
static char *name_file(struct pca_job *job, const char *stem) {
    char *name = job->result->files[job->result->n_files];
    snprintf(name, POM_PCA_JOB_NAME, "%s.%s", stem, pom_format_name(job->options->format));
    char *path = pom_path_join(job->options->folder, name);
    if (path)
        job->result->n_files++;
    return path;
}

static enum pom_status check_cancelled(const struct pca_job *job, struct pom_message *msg) {
    const atomic_bool *cancel = job->options->cancel;
    if (cancel && atomic_load(cancel))
        return pom_fail(msg, POM_ERR_CANCELLED, "stopped; nothing was written, the same command starts over");
    return POM_OK;
}

static enum pom_status source_next(void *user, float *rows, size_t max_rows, size_t *n, struct pom_message *msg) {
    struct pca_job *job = user;
    POM_TRY(check_cancelled(job, msg));
    return pom_feature_table_next(&job->table, rows, max_rows, NULL, n, msg);
}

static enum pom_status source_rewind(void *user, struct pom_message *msg) {
    struct pca_job *job = user;
    return pom_feature_table_rewind(&job->table, msg);
}

static enum pom_status fit_projection(struct pca_job *job, struct pom_message *msg) {
    const struct pom_pca_job_options *options = job->options;
    const struct pom_row_source source = {job, job->table.d, source_next, source_rewind};
    enum pom_status status =
        options->moments
            ? pom_projection_fit(options->moments, &options->pca, &job->projection, msg)
            : pom_projection_fit_rows(&source, &options->pca, options->memory_bytes, &job->projection, msg);
    if (status == POM_OK || status == POM_ERR_CANCELLED)
        return status;
    return pom_fail_in(msg, status, "%s", options->table);
}

static void choose_metadata(struct pca_job *job) {
    job->model = (struct pom_metadata){POM_MODEL_HASH_KEY, pom_table_metadata(job->table.reader, POM_MODEL_HASH_KEY)};
    job->metadata = job->options->metadata;
    job->n_metadata = job->options->n_metadata;
    if (job->n_metadata == 0 && job->model.value) {
        job->metadata = &job->model;
        job->n_metadata = 1;
    }
}

/* Two networks may well have as many features. */
static enum pom_status check_model(const struct pca_job *job, const char *fitted, struct pom_message *msg) {
    if (!job->model.value || fitted[0] == '\0' || strcmp(job->model.value, fitted) == 0)
        return POM_OK;
    return pom_fail(msg, POM_ERR_ARGUMENT,
        "%s was fitted on features of another model than %s has: use the projection that belongs to its model",
        job->options->projection, job->options->table);
}

static enum pom_status make_projection(struct pca_job *job, struct pom_message *msg) {
    const struct pom_pca_job_options *options = job->options;
    if (!options->projection)
        return fit_projection(job, msg);
    char model[POM_SHA256_HEX];
    POM_TRY(pom_projection_table_read(options->projection, &job->projection, model, msg));
    POM_TRY(check_model(job, model, msg));
    if (job->projection->d != job->table.d)
        return pom_fail(msg, POM_ERR_ARGUMENT,
            "%s projects %zu features and %s has %zu: they come from different models", options->projection,
            job->projection->d, options->table, job->table.d);
    return POM_OK;
}

static enum pom_status write_projection(struct pca_job *job, struct pom_message *msg) {
    const struct pom_pca_job_options *options = job->options;
    char *path = name_file(job, "projection");
    if (!path)
        return pom_fail_memory(msg, "a path");
    enum pom_status status =
        pom_projection_table_write(path, options->format, job->projection, job->metadata, job->n_metadata, msg);
    free(path);
    return status;
}

static enum pom_status begin_output(struct pca_job *job, const char *stem, const char *column, size_t width,
    struct output *out, struct pom_message *msg) {
    const struct pom_pca_job_options *options = job->options;
    struct pom_column columns[POM_FEATURE_NAMES + 1];
    for (int i = 0; i < job->table.n_names; i++)
        columns[i] = (struct pom_column){job->table.names[i], POM_COLUMN_STRING};
    columns[job->table.n_names] =
        (struct pom_column){column, options->spark_vectors ? POM_COLUMN_SPARK_VECTOR : POM_COLUMN_FLOAT_LIST};
    out->width = width;
    out->rows = pom_alloc_aligned(job->ahead.blocks.capacity * width, sizeof *out->rows);
    char *path = out->rows ? name_file(job, stem) : NULL;
    if (!path)
        return pom_fail_memory(msg, "a block of rows");
    enum pom_status status =
        pom_table_create(path, options->format, columns, job->table.n_names + 1, &out->writer, msg);
    free(path);
    return status;
}

static enum pom_status write_block(
    struct pca_job *job, struct output *out, const struct pom_row_block *block, struct pom_message *msg) {
    struct pom_cell cells[POM_FEATURE_NAMES + 1];
    int last = job->table.n_names;
    for (size_t i = 0; i < block->n; i++) {
        pom_row_names_get(&block->names, last, i, cells);
        cells[last].floats.data = out->rows + i * out->width;
        cells[last].floats.size = out->width;
        POM_TRY(pom_table_write(out->writer, cells, msg));
    }
    return POM_OK;
}

static enum pom_status write_rows(struct pca_job *job, struct pom_message *msg) {
    struct pom_row_block *block = NULL;
    for (;;) {
        POM_TRY(check_cancelled(job, msg));
        POM_TRY(pom_table_ahead_next(&job->ahead, &block, msg));
        if (!block)
            return POM_OK;
        job->result->rows += block->n;
        if (job->pca.writer) {
            POM_TRY(pom_projection_apply(job->projection, block->rows, block->n, job->pca.rows, msg));
            POM_TRY(write_block(job, &job->pca, block, msg));
        }
        if (job->scaled.writer) {
            pom_projection_scale(job->projection, block->rows, block->n, job->scaled.rows);
            POM_TRY(write_block(job, &job->scaled, block, msg));
        }
    }
}

static enum pom_status finish(struct pca_job *job, struct output *out, struct pom_message *msg) {
    struct pom_table_writer *writer = out->writer;
    out->writer = NULL;
    return writer ? pom_table_finish(writer, job->metadata, job->n_metadata, msg) : POM_OK;
}

static enum pom_status project_rows(struct pca_job *job, struct pom_message *msg) {
    size_t d = job->table.d;
    POM_TRY(pom_feature_table_rewind(&job->table, msg));
    POM_TRY(pom_table_ahead_open(&job->ahead, &job->table, msg));
    if (job->projection->k)
        POM_TRY(begin_output(job, "pca", "pca_features", job->projection->k, &job->pca, msg));
    if (job->options->keep_scaled)
        POM_TRY(begin_output(job, "scaled", "scaled_features", d, &job->scaled, msg));
    POM_TRY(write_rows(job, msg));
    POM_TRY(finish(job, &job->pca, msg));
    return finish(job, &job->scaled, msg);
}

/* A PCA was to be fitted, on rows that are all equal. */
static bool lacks_components(const struct pca_job *job) {
    const struct pom_pca_job_options *options = job->options;
    bool wanted = options->pca.k || options->pca.variance > 0;
    return wanted && !options->projection && job->projection->k == 0;
}

static enum pom_status run(struct pca_job *job, struct pom_message *msg) {
    const struct pom_pca_job_options *options = job->options;
    POM_TRY(pom_feature_table_open(&job->table, options->table, options->column ? options->column : "features", msg));
    choose_metadata(job);
    if (options->threads)
        pom_stats_set_threads(options->threads);
    POM_TRY(check_cancelled(job, msg));
    POM_TRY(make_projection(job, msg));
    job->result->d = job->projection->d;
    job->result->k = job->projection->k;
    job->result->residual = job->projection->residual;
    for (size_t i = 0; i < job->projection->k; i++)
        job->result->explained += job->projection->ratio[i];
    if (lacks_components(job)) {
        job->result->rows = job->projection->rows;
        return POM_OK;
    }
    POM_TRY(write_projection(job, msg));
    return project_rows(job, msg);
}

static void remove_files(const struct pca_job *job) {
    for (int i = 0; i < job->result->n_files; i++) {
        char *path = pom_path_join(job->options->folder, job->result->files[i]);
        if (path)
            unlink(path);
        free(path);
    }
}

static void clean_up(struct pca_job *job) {
    if (job->pca.writer)
        pom_table_abandon(job->pca.writer);
    if (job->scaled.writer)
        pom_table_abandon(job->scaled.writer);
    free(job->pca.rows);
    free(job->scaled.rows);
    pom_table_ahead_close(&job->ahead);
    pom_projection_free(job->projection);
    pom_feature_table_close(&job->table);
}

enum pom_status pom_pca_job_run(
    const struct pom_pca_job_options *options, struct pom_pca_job_result *out, struct pom_message *msg) {
    *out = (struct pom_pca_job_result){0};
    struct pca_job job = {.options = options, .result = out};
    enum pom_status status = run(&job, msg);
    clean_up(&job);
    if (status != POM_OK)
        remove_files(&job);
    return status;
}
