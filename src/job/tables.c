#include "job/tables.h"

#include "base/memory.h"
#include "base/resources.h"
#include "job/feature_table.h"
#include "job/label.h"
#include "job/label_count.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_A_TICK = 256 };

struct pass {
    struct pom_job *job;
    const struct pom_destination *destination;
    struct pom_features_report *report;
    struct pom_moments_taker *taker; /* NULL: none */
    struct pom_table_writer *features, *errors;
    struct pom_table_reader *last; /* the published features table; opened with the first row that is in it */
    int64_t last_row;              /* its next row */
    float *record;                 /* of the spool */
    struct pom_label_counter labels;
    struct pom_buffer scratch; /* of a label */
};

static void add(struct pom_footer *footer, const char *key, const char *value) {
    if (value && *value)
        footer->list[footer->n++] = (struct pom_metadata){key, value};
}

static const char *print_count(char *out, size_t size, uint64_t count) {
    snprintf(out, size, "%llu", (unsigned long long)count);
    return out;
}

void pom_footer_fill(struct pom_footer *footer, const struct pom_job *job, const struct pom_features_report *report) {
    const struct pom_model_info *info = job->info;
    footer->n = 0;
    add(footer, "pomona.version", pom_version());
    add(footer, "pomona.listed", print_count(footer->listed, sizeof footer->listed, report->listed));
    add(footer, "pomona.rows", print_count(footer->rows, sizeof footer->rows, report->rows));
    add(footer, "pomona.errors", print_count(footer->errors, sizeof footer->errors, report->errors));
    add(footer, "pomona.model", info->name);
    add(footer, POM_MODEL_HASH_KEY, info->sha256);
    add(footer, "pomona.output_layer", info->output_layer);
    add(footer, "pomona.preprocess", info->preprocess);
    snprintf(footer->size, sizeof footer->size, "%dx%d", info->width, info->height);
    add(footer, "pomona.size", footer->size);
    add(footer, "pomona.resize", pom_filter_name(job->options->filter));
    add(footer, "pomona.precision", pom_precision_name(info->precision));
}

static enum pom_status create(struct pass *pass, const char *name, const struct pom_column *columns, int n,
    struct pom_table_writer **out, struct pom_message *msg) {
    char file[64];
    struct pom_buffer path = {0};
    enum pom_format format = pass->job->options->format;
    snprintf(file, sizeof file, "%s.%s", name, pom_format_name(format));
    enum pom_status status = pom_destination_stage(pass->destination, file, &path, msg);
    if (status == POM_OK)
        status = pom_table_create(path.data, format, columns, n, out, msg);
    pom_buffer_clean_up(&path);
    return status;
}

static enum pom_status begin(struct pass *pass, struct pom_message *msg) {
    const struct pom_column features[] = {{"path", POM_COLUMN_STRING}, {"label", POM_COLUMN_STRING},
        {"features", pass->job->options->spark_vectors ? POM_COLUMN_SPARK_VECTOR : POM_COLUMN_FLOAT_LIST}};
    const struct pom_column errors[] = {
        {"path", POM_COLUMN_STRING}, {"stage", POM_COLUMN_STRING}, {"cause", POM_COLUMN_STRING}};
    pass->record = pom_alloc_aligned(pass->job->info->features, sizeof *pass->record);
    if (!pass->record)
        return pom_fail_memory(msg, "a row of features");
    POM_TRY(create(pass, "features", features, 3, &pass->features, msg));
    return create(pass, "errors", errors, 3, &pass->errors, msg);
}

static enum pom_status open_last(struct pass *pass, struct pom_message *msg) {
    static const struct pom_column wanted[] = {{"features", POM_COLUMN_FLOAT_LIST}};
    struct pom_buffer path = {0};
    enum pom_status status = pom_store_fetch(pass->destination->store, pass->destination->features, &path, msg);
    if (status == POM_OK)
        status = pom_table_open(path.data, wanted, 1, &pass->last, msg);
    pom_buffer_clean_up(&path);
    return status;
}

/* The table was published whole: what it cannot be read for now, it was not written with. */
static enum pom_status damaged(const struct pass *pass, enum pom_status status, struct pom_message *msg) {
    const struct pom_message cause = msg ? *msg : (struct pom_message){0};
    return status == POM_ERR_FORMAT || status == POM_ERR_NOT_FOUND
               ? pom_fail(
                     msg, status, "%s is damaged: --fresh starts anew (%s)", pass->destination->features, cause.text)
               : status;
}

/* Reads on to the row; rows are asked for in rising order. */
static enum pom_status read_last(struct pass *pass, int64_t row, struct pom_cell *cell, struct pom_message *msg) {
    bool done = false;
    if (!pass->last)
        POM_TRY(damaged(pass, open_last(pass, msg), msg));
    while (pass->last_row <= row && !done) {
        POM_TRY(damaged(pass, pom_table_read(pass->last, cell, &done, msg), msg));
        pass->last_row++;
    }
    if (done || cell->floats.size != pass->job->info->features)
        return pom_fail(msg, POM_ERR_FORMAT, "%s lacks row %lld of the last run: --fresh starts anew",
            pass->destination->features, (long long)row);
    return POM_OK;
}

static struct pom_cell text_cell(const char *text, size_t size) {
    return (struct pom_cell){.text = {text, size}};
}

static enum pom_status write_error(struct pass *pass, const struct pom_manifest_row *row, struct pom_message *msg) {
    const char *stage = pom_stage_name(row->failed);
    const struct pom_cell cells[] = {text_cell(row->path, strlen(row->path)), text_cell(stage, strlen(stage)),
        text_cell(row->cause, strlen(row->cause))};
    pass->report->errors++;
    return pom_table_write(pass->errors, cells, msg);
}

static enum pom_status write_features(struct pass *pass, const struct pom_manifest_row *row, struct pom_message *msg) {
    const char *label;
    size_t size;
    if (!pom_label_of_file(pass->job->label, row->path, &pass->scratch, &label, &size))
        pass->report->unlabelled++;
    if (!pom_label_counter_add(&pass->labels, label, size))
        return pom_fail_memory(msg, "the labels");
    struct pom_cell cells[] = {text_cell(row->path, strlen(row->path)), text_cell(label, size),
        {.floats = {pass->record, pass->job->info->features}}};
    if (row->place == POM_PLACE_TABLE)
        POM_TRY(read_last(pass, row->record, &cells[2], msg));
    else
        POM_TRY(pom_spool_read(pass->job->spool, row->record, pass->record, msg));
    if (pass->taker)
        pom_moments_taker_add(pass->taker, cells[2].floats.data);
    pass->report->rows++;
    return pom_table_write(pass->features, cells, msg);
}

/* Now and then: progress, and whether to stop. */
static enum pom_status tick(struct pass *pass, struct pom_message *msg) {
    const struct pom_features_options *options = pass->job->options;
    const struct pom_features_report *report = pass->report;
    uint64_t listed = atomic_load(&pass->job->count.listed);
    const struct pom_features_progress progress = {.phase = POM_PHASE_TABLES,
        .listed = listed,
        .done = report->rows + report->errors,
        .errors = report->errors,
        .seconds = (double)(pom_now_ns() - pass->job->started_ns) * 1e-9};
    if (options->events.progress)
        options->events.progress(options->events.user, &progress);
    if (options->cancel && atomic_load(options->cancel))
        return pom_fail(msg, POM_ERR_CANCELLED, "stopped while writing the tables; the same command writes them anew");
    return POM_OK;
}

static enum pom_status write_rows(struct pass *pass, struct pom_manifest_cursor *cursor, struct pom_message *msg) {
    const struct pom_manifest_row *row;
    for (uint64_t n = 0;; n++) {
        if (n % ROWS_A_TICK == 0)
            POM_TRY(tick(pass, msg));
        POM_TRY(pom_manifest_cursor_next(cursor, &row, msg));
        if (!row)
            return POM_OK;
        POM_TRY(row->failed ? write_error(pass, row, msg) : write_features(pass, row, msg));
    }
}

static enum pom_status write_all(struct pass *pass, struct pom_message *msg) {
    struct pom_manifest_cursor *cursor;
    POM_TRY(begin(pass, msg));
    POM_TRY(pom_manifest_cursor_new(pass->job->manifest, &cursor, msg));
    enum pom_status status = write_rows(pass, cursor, msg);
    pom_manifest_cursor_free(cursor);
    POM_TRY(status);
    pass->report->listed = pass->report->rows + pass->report->errors;
    struct pom_footer footer;
    pom_footer_fill(&footer, pass->job, pass->report);
    status = pom_table_finish(pass->features, footer.list, footer.n, msg);
    pass->features = NULL;
    POM_TRY(status);
    status = pom_table_finish(pass->errors, footer.list, footer.n, msg);
    pass->errors = NULL;
    return status;
}

enum pom_status pom_tables_write(struct pom_job *job, const struct pom_destination *destination,
    struct pom_moments_taker *taker, struct pom_features_report *report, struct pom_message *msg) {
    struct pass pass = {.job = job, .destination = destination, .report = report, .taker = taker};
    report->rows = report->errors = report->unlabelled = 0;
    enum pom_status status = write_all(&pass, msg);
    if (pass.features)
        pom_table_abandon(pass.features);
    if (pass.errors)
        pom_table_abandon(pass.errors);
    pom_table_close(pass.last);
    free(pass.record);
    pom_buffer_clean_up(&pass.scratch);
    report->labels = pom_label_counter_take(&pass.labels, &report->n_labels);
    return status;
}
