#include "job/features_job.h"

#include "base/resources.h"
#include "job/choice.h"
#include "job/destination.h"
#include "job/label.h"
#include "job/pca_job.h"
#include "job/receipt.h"
#include "job/tables.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_FILES = 2 + POM_PCA_JOB_FILES };

/* A run, from start to end. */
struct run {
    struct pom_job job;
    struct pom_destination destination;
    struct pom_features_report *report;
    struct pom_moments_taker *taker;   /* of the moments, beside the writing of the table; NULL: not wanted */
    const struct pom_moments *moments; /* NULL: not taken */
    time_t started;
    uint64_t started_cpu_ns;
    char names[MAX_FILES][32]; /* of the staged files */
    int n_names;
};

static double seconds_since(uint64_t start_ns) {
    return (double)(pom_now_ns() - start_ns) * 1e-9;
}

static enum pom_status check_options(const struct pom_features_options *options, struct pom_message *msg) {
    if (options->n_sources < 1)
        return pom_fail(msg, POM_ERR_ARGUMENT, "no SRC: name a folder of images");
    if (!options->destination)
        return pom_fail(msg, POM_ERR_ARGUMENT, "no destination: name a folder with -o");
    if (options->spark_vectors && options->format != POM_FORMAT_PARQUET)
        return pom_fail(msg, POM_ERR_ARGUMENT, "Spark vectors are for Parquet: leave --vectors or --format out");
    if (!(options->min_cosine >= 0 && options->min_cosine <= 1))
        return pom_fail(msg, POM_ERR_ARGUMENT, "a least cosine of %g is not in 0 to 1", options->min_cosine);
    return options->label ? pom_label_check(options->label, msg) : POM_OK;
}

/* All that is needed but the destination, so that a mistake is told before anything is written. */
static enum pom_status prepare(struct run *run, struct pom_message *msg) {
    struct pom_job *job = &run->job;
    const struct pom_features_options *options = job->options;
    POM_TRY(check_options(options, msg));
    job->label = options->label ? options->label : pom_label_default;
    job->model_name = options->model ? options->model : "efficientnet-lite0";
    job->min_cosine = options->min_cosine > 0 ? options->min_cosine : POM_DEFAULT_MIN_COSINE;
    POM_TRY(pom_sources_open(options->sources, options->n_sources, options->cancel, &job->sources, msg));
    job->n_sources = options->n_sources;
    uint64_t start = pom_now_ns();
    POM_TRY(pom_model_load(job->model_name, &options->model_options, &job->model, msg));
    run->report->load_model_s = seconds_since(start);
    job->info = pom_model_info(job->model);
    run->report->features = job->info->features;
    if (options->precision && !job->info->path)
        return pom_fail(msg, POM_ERR_ARGUMENT, "model %s has no network that could be faster: leave --precision out",
            job->info->name);
    return pom_budget_plan(job, msg);
}

static void report_counts(struct run *run) {
    const struct pom_counters *count = &run->job.count;
    struct pom_features_report *report = run->report;
    uint64_t first = atomic_load(&count->first_row_ns);
    report->computed = atomic_load(&count->computed);
    report->failed = atomic_load(&count->failed);
    report->rows = report->computed + atomic_load(&count->carried_rows);
    report->errors = report->failed + atomic_load(&count->carried_errors);
    report->listed = atomic_load(&count->listed);
    report->dropped = atomic_load(&count->dropped);
    report->skipped = atomic_load(&count->skipped);
    report->unlabelled = atomic_load(&count->unlabelled);
    report->bytes = atomic_load(&count->bytes);
    report->requests = atomic_load(&count->requests);
    for (int i = 0; i < run->job.n_sources; i++)
        report->requests += pom_store_requests(run->job.sources[i]);
    report->first_row_s = first ? (double)(first - run->job.started_ns) * 1e-9 : 0;
}

static void report_work(struct run *run) {
    for (int i = 0; i < POM_WORK_COUNT; i++) {
        const struct pom_work_clock *clock = &run->job.count.work[i];
        run->report->work[i].thread_s = (double)atomic_load(&clock->wall_ns) * 1e-9;
        run->report->work[i].cpu_s = (double)atomic_load(&clock->cpu_ns) * 1e-9;
    }
    run->report->cpu_s = (double)(pom_process_cpu_ns() - run->started_cpu_ns) * 1e-9;
}

static enum pom_status run_images(struct run *run, struct pom_message *msg) {
    uint64_t start = pom_now_ns();
    enum pom_status status = pom_pipeline_run(&run->job, msg);
    run->report->images_s = seconds_since(start);
    report_counts(run);
    if (status == POM_OK && run->report->listed == 0)
        return pom_fail(msg, POM_ERR_NOT_FOUND,
            "there are no images in %s%s (%" PRIu64 " other files; an image's name ends in .jpg, .jpeg, .png or .webp)",
            run->job.options->sources[0], run->job.n_sources > 1 ? " and the others" : "", run->report->skipped);
    return status;
}

static void add_name(struct run *run, const char *name) {
    snprintf(run->names[run->n_names++], sizeof *run->names, "%s", name);
}

/* What the model leaves of the memory. */
static size_t pca_memory(const struct pom_job *job) {
    size_t all = job->options->memory_bytes ? job->options->memory_bytes : pom_memory_limit() / 2;
    size_t held = job->info->weight_bytes + ((size_t)64 << 20);
    return all > 2 * held ? all - held : held;
}

/* Where a PCA from the covariance follows. One thread of OpenBLAS is as fast as the table is written. */
static enum pom_status start_moments(struct run *run, struct pom_message *msg) {
    struct pom_job *job = &run->job;
    const struct pom_features_options *options = job->options;
    bool pca = options->project && (options->pca.k || options->pca.variance > 0);
    if (!pca || !pom_moments_fit(job->info->features, pca_memory(job)))
        return POM_OK;
    pom_stats_set_threads(1);
    return pom_moments_taker_start(job->info->features, &job->count.work[POM_WORK_STATISTICS], &run->taker, msg);
}

static enum pom_status write_tables(struct run *run, struct pom_message *msg) {
    uint64_t start = pom_now_ns();
    struct pom_lap lap = pom_lap_begin();
    POM_TRY(pom_manifest_purge(run->job.manifest, msg));
    POM_TRY(start_moments(run, msg));
    POM_TRY(pom_tables_write(&run->job, &run->destination, run->taker, run->report, msg));
    char errors[32];
    snprintf(errors, sizeof errors, "errors.%s", pom_format_name(run->job.options->format));
    add_name(run, run->destination.features);
    add_name(run, errors);
    run->report->tables_s = seconds_since(start);
    pom_lap_end(&lap, &run->job.count.work[POM_WORK_WRITE]);
    return POM_OK;
}

static void tell_pca(const struct run *run) {
    const struct pom_features_events *events = &run->job.options->events;
    const struct pom_features_progress progress = {.phase = POM_PHASE_PCA,
        .listed = run->report->rows,
        .done = run->report->rows,
        .errors = run->report->errors,
        .seconds = seconds_since(run->job.started_ns)};
    if (events->progress)
        events->progress(events->user, &progress);
}

static enum pom_status run_pca(struct run *run, const char *table, const char *folder, struct pom_message *msg) {
    const struct pom_features_options *options = run->job.options;
    struct pom_pca_job_result result = {0};
    struct pom_footer footer;
    pom_footer_fill(&footer, &run->job, run->report);
    const struct pom_pca_job_options pca = {
        .table = table,
        .moments = run->moments,
        .pca = options->pca,
        .keep_scaled = options->keep_scaled,
        .folder = folder,
        .format = options->format,
        .spark_vectors = options->spark_vectors,
        .metadata = footer.list,
        .n_metadata = footer.n,
        .memory_bytes = pca_memory(&run->job),
        .threads = run->job.budget.threads,
        .cancel = options->cancel,
    };
    enum pom_status status = pom_pca_job_run(&pca, &result, msg);
    if (status != POM_OK)
        return status == POM_ERR_CANCELLED ? pom_job_cancelled(msg) : status;
    for (int i = 0; i < result.n_files; i++)
        add_name(run, result.files[i]);
    run->report->components = result.k;
    run->report->explained = result.explained;
    if (result.n_files == 0)
        pom_job_warn(&run->job, "no PCA: all %" PRIu64 " rows are equal", result.rows);
    else if (result.k < options->pca.k)
        pom_job_warn(&run->job, "--pca %zu is lowered to %zu: %" PRIu64 " rows of %zu features have no more components",
            options->pca.k, result.k, result.rows, result.d);
    return POM_OK;
}

static enum pom_status project(struct run *run, struct pom_message *msg) {
    if (!run->job.options->project)
        return POM_OK;
    if (run->report->rows < 2) {
        pom_job_warn(
            &run->job, "no PCA: it takes two rows at least, and there %s", run->report->rows ? "is one" : "are none");
        return POM_OK;
    }
    uint64_t start = pom_now_ns();
    tell_pca(run);
    if (run->taker)
        POM_TRY(pom_moments_taker_finish(run->taker, &run->moments, msg));
    struct pom_lap lap = pom_lap_begin_process();
    struct pom_buffer table = {0};
    enum pom_status status = pom_destination_stage(&run->destination, run->destination.features, &table, msg);
    if (status == POM_OK)
        status = run_pca(run, table.data, pom_store_staging(run->destination.store), msg);
    pom_buffer_clean_up(&table);
    run->report->pca_s = seconds_since(start);
    pom_lap_end(&lap, &run->job.count.work[POM_WORK_STATISTICS]);
    return status;
}

static enum pom_status publish(struct run *run, struct pom_message *msg) {
    const char *names[MAX_FILES];
    for (int i = 0; i < run->n_names; i++)
        names[i] = run->names[i];
    run->report->total_s = seconds_since(run->job.started_ns);
    report_work(run);
    POM_TRY(pom_receipt_write(&run->job, &run->destination, run->report, run->started, msg));
    return pom_destination_publish(&run->job, &run->destination, names, run->n_names, msg);
}

static enum pom_status run_all(struct run *run, struct pom_message *msg) {
    POM_TRY(prepare(run, msg));
    POM_TRY(pom_destination_open(&run->job, &run->destination, msg));
    if (run->job.options->precision)
        POM_TRY(pom_choice_make(&run->job, &run->report->choice, msg));
    POM_TRY(run_images(run, msg));
    const struct pom_features_report *report = run->report;
    run->report->up_to_date =
        run->destination.complete && report->computed == 0 && report->failed == 0 && report->dropped == 0;
    if (run->report->up_to_date)
        return pom_destination_drop_spool(&run->destination, msg);
    POM_TRY(write_tables(run, msg));
    POM_TRY(project(run, msg));
    return publish(run, msg);
}

static void clean_up(struct run *run) {
    struct pom_job *job = &run->job;
    pom_moments_taker_free(run->taker);
    pom_spool_close(job->spool);
    pom_manifest_close(job->manifest);
    if (run->report->listed == 0)
        pom_destination_discard(&run->destination);
    pom_destination_close(&run->destination);
    pom_model_free(job->model);
    pom_sources_close(job->sources, job->n_sources);
    pthread_cond_destroy(&job->ahead.changed);
    pthread_mutex_destroy(&job->ahead.mutex);
    pthread_cond_destroy(&job->changed);
    pthread_mutex_destroy(&job->mutex);
    pthread_rwlock_destroy(&job->large);
}

/* A large image waits for those under way, not for all that are still to come. */
static void init_large(pthread_rwlock_t *large) {
    pthread_rwlockattr_t kind;
    pthread_rwlockattr_init(&kind);
    pthread_rwlockattr_setkind_np(&kind, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(large, &kind);
    pthread_rwlockattr_destroy(&kind);
}

enum pom_status pom_features_job(
    const struct pom_features_options *options, struct pom_features_report *report, struct pom_message *msg) {
    struct run run = {.report = report,
        .started = time(NULL),
        .started_cpu_ns = pom_process_cpu_ns(),
        .job = {.options = options, .started_ns = pom_now_ns()}};
    *report = (struct pom_features_report){0};
    init_large(&run.job.large);
    pthread_mutex_init(&run.job.mutex, NULL);
    pthread_cond_init(&run.job.changed, NULL);
    pthread_mutex_init(&run.job.ahead.mutex, NULL);
    pthread_cond_init(&run.job.ahead.changed, NULL);
    enum pom_status status = run_all(&run, msg);
    report->total_s = seconds_since(run.job.started_ns);
    clean_up(&run);
    return status;
}

void pom_features_report_clean_up(struct pom_features_report *report) {
    for (size_t i = 0; i < report->n_labels; i++)
        free(report->labels[i].label);
    free(report->labels);
    *report = (struct pom_features_report){0};
}
