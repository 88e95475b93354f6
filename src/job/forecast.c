#include "job/forecast.h"

#include "base/resources.h"
#include "job/job.h"
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROBES = 3, FILES_WRITTEN = 5, REQUESTS_A_FILE = 2, REMOVE_DEPTH = 16 };

static const uint64_t part_bytes = (uint64_t)16 << 20;   /* of an upload */
static const double table_bytes_per_s = 80e6;            /* features to Parquet, and the spool read */
static const size_t most_image_bytes = (size_t)1 << 30;  /* of one that is read to measure the latency */
static const size_t ahead_bytes_each = (size_t)32 << 10; /* of a request under way, besides its image */

struct listing {
    const struct pom_features_options *options;
    struct pom_store *source;
    struct pom_forecast *plan;
    char *first; /* a path, for the latency */
    struct pom_store *first_source;
};

static enum pom_status visit(void *user, const struct pom_store_entry *entry, struct pom_message *msg) {
    struct listing *listing = user;
    struct pom_forecast *plan = listing->plan;
    const struct pom_features_options *options = listing->options;
    if (options->cancel && atomic_load(options->cancel))
        return pom_job_cancelled(msg);
    if (!pom_is_wanted(listing->source, entry->path)) {
        plan->skipped++;
        return POM_OK;
    }
    if (options->limit && plan->images == options->limit)
        return POM_ERR_LIMIT;
    if (!listing->first && (listing->first = strdup(entry->path)))
        listing->first_source = listing->source;
    plan->images++;
    plan->bytes += entry->size;
    return POM_OK;
}

/* What cannot be listed will be rows of errors. */
static enum pom_status pass_over(void *user, const char *path, const char *cause, struct pom_message *msg) {
    (void)user, (void)path, (void)cause, (void)msg;
    return POM_OK;
}

static enum pom_status list_all(
    struct listing *listing, struct pom_store *const *sources, int n, struct pom_message *msg) {
    const struct pom_store_visitor visitor = {visit, pass_over, listing};
    uint64_t start = pom_now_ns();
    enum pom_status status = POM_OK;
    for (int i = 0; i < n && status == POM_OK; i++) {
        listing->source = sources[i];
        status = pom_store_list(sources[i], &visitor, msg);
    }
    for (int i = 0; i < n; i++)
        listing->plan->list_requests += pom_store_requests(sources[i]);
    listing->plan->list_s = (double)(pom_now_ns() - start) * 1e-9;
    bool enough = listing->options->limit && listing->plan->images == listing->options->limit;
    return status == POM_ERR_LIMIT && enough ? POM_OK : status;
}

/* The quickest of a few: the others had something to set up, or bad luck. */
static void measure_latency(const struct listing *listing) {
    struct pom_buffer bytes = {0};
    const struct pom_store_entry entry = {listing->first, 0, ""};
    double best = INFINITY;
    if (!listing->first || !pom_store_reads_ahead(listing->first_source))
        return;
    for (int i = 0; i < PROBES; i++) {
        uint64_t start = pom_now_ns();
        if (pom_store_read(listing->first_source, &entry, most_image_bytes, &bytes, NULL) == POM_OK)
            best = fmin(best, (double)(pom_now_ns() - start) * 1e-9);
    }
    pom_buffer_clean_up(&bytes);
    listing->plan->latency_s = isfinite(best) ? best : 0;
}

static enum pom_status look(
    const struct pom_features_options *options, struct pom_forecast *plan, struct pom_message *msg) {
    struct pom_store **sources = NULL;
    struct listing listing = {.options = options, .plan = plan};
    POM_TRY(pom_sources_open(options->sources, options->n_sources, options->cancel, &sources, msg));
    enum pom_status status = list_all(&listing, sources, options->n_sources, msg);
    if (status == POM_OK)
        measure_latency(&listing);
    pom_sources_close(sources, options->n_sources);
    free(listing.first);
    if (status == POM_OK && plan->images == 0)
        return pom_fail(msg, POM_ERR_NOT_FOUND, "there are no images in %s", options->sources[0]);
    return status;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk) {
    (void)st, (void)type, (void)walk;
    remove(path);
    return 0;
}

static enum pom_status run_sample(
    const struct pom_features_options *options, uint64_t images, struct pom_forecast *plan, struct pom_message *msg) {
    const char *base = getenv("TMPDIR");
    char folder[512];
    snprintf(folder, sizeof folder, "%.400s/pomona-plan-XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(folder))
        return pom_fail_errno(msg, POM_ERR_IO, "cannot make the folder %s for a trial: set TMPDIR", folder);
    struct pom_features_options trial = *options;
    trial.destination = folder;
    trial.limit = images;
    trial.project = false;
    enum pom_status status = pom_features_job(&trial, &plan->sample, msg);
    nftw(folder, remove_one, REMOVE_DEPTH, FTW_DEPTH | FTW_PHYS);
    if (status == POM_OK && plan->sample.computed == 0)
        return pom_fail(msg, POM_ERR_FORMAT,
            "none of the first %llu images can be read: see what `pomona features "
            "--limit %llu` says",
            (unsigned long long)plan->sample.failed, (unsigned long long)images);
    return status;
}

/* Of a thread, for one image of average size: decoding, and reading where nobody reads ahead, go by the bytes. */
static double work_per_image(const struct pom_forecast *plan) {
    const struct pom_features_report *s = &plan->sample;
    double n = (double)s->computed, average = (double)plan->bytes / (double)plan->images;
    double seen = (double)s->bytes / (double)(s->computed + s->failed);
    double larger = seen > 0 ? average / seen : 1;
    double by_bytes = s->work[POM_WORK_DECODE].thread_s + s->work[POM_WORK_RESIZE].thread_s;
    if (plan->latency_s == 0)
        by_bytes += s->work[POM_WORK_READ].thread_s;
    return (by_bytes * larger + s->work[POM_WORK_INFER].thread_s) / n;
}

static void predict_time(struct pom_forecast *plan) {
    const struct pom_features_report *s = &plan->sample;
    double n = (double)plan->images;
    plan->work_s = n * work_per_image(plan) / plan->threads;
    plan->network_s = n * plan->latency_s / POM_FORECAST_MOST_IN_FLIGHT;
    plan->tables_s = (double)plan->written_bytes / table_bytes_per_s;
    plan->total_s =
        s->load_model_s + s->work[POM_WORK_CALIBRATE].thread_s + fmax(plan->work_s, plan->network_s) + plan->tables_s;
}

uint64_t pom_forecast_puts(uint64_t feature_bytes) {
    return FILES_WRITTEN * REQUESTS_A_FILE + feature_bytes / part_bytes;
}

static void predict(struct pom_forecast *plan, bool to_network, size_t memory) {
    bool network = plan->latency_s > 0;
    double average = (double)plan->bytes / (double)plan->images;
    uint64_t waiting = network ? POM_FORECAST_MOST_IN_FLIGHT * ((size_t)average + ahead_bytes_each) : 0;
    plan->written_bytes = plan->images * plan->sample.features * sizeof(float);
    plan->get_requests = network ? plan->images : 0;
    plan->put_requests = to_network ? pom_forecast_puts(plan->written_bytes) : 0;
    plan->memory_bytes = pom_peak_memory() + (size_t)waiting;
    if (plan->memory_bytes > memory)
        plan->memory_bytes = memory;
    predict_time(plan);
}

enum pom_status pom_forecast_make(const struct pom_features_options *options, bool to_network, uint64_t sample,
    struct pom_forecast *out, struct pom_message *msg) {
    *out = (struct pom_forecast){.threads = options->threads ? options->threads : pom_cpu_count()};
    POM_TRY(look(options, out, msg));
    uint64_t images = sample ? sample : POM_FORECAST_SAMPLE;
    POM_TRY(run_sample(options, images < out->images ? images : out->images, out, msg));
    predict(out, to_network, options->memory_bytes ? options->memory_bytes : pom_memory_limit() / 2);
    return POM_OK;
}

void pom_forecast_clean_up(struct pom_forecast *plan) {
    pom_features_report_clean_up(&plan->sample);
}
