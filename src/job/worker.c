/* The second stage, in as many threads as there are CPUs: each takes a few images, reads, decodes and resizes them,
 * runs them through its own session of the network, and puts the features in the spool. */
#include "base/memory.h"
#include "job/job.h"
#include "job/loader.h"
#include "job/reader.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct worker {
    struct pom_job *job;
    struct pom_session *session;
    struct pom_loader loader;
    uint8_t *pixels;                           /* of the batch */
    float *features;                           /* of the batch */
    struct pom_item *batch[POM_JOB_MAX_BATCH]; /* taken from the queue */
    struct pom_item *ready[POM_JOB_MAX_BATCH]; /* those of them that are in pixels */
    size_t n, n_ready;
};

/* False where it failed. A store that fails altogether ends the job: its images are not at fault. */
static bool load_item(struct worker *worker, struct pom_item *item) {
    enum pom_stage stage;
    struct pom_message msg = {0};
    const struct pom_loader_source source = {item->source, {item->path, item->size, item->version}, &item->bytes};
    enum pom_status status = POM_OK;
    if (!item->failed)
        status = pom_loader_run(&worker->loader, &source, &stage, &msg);
    pom_reader_release(worker->job, item);
    if (status == POM_ERR_NETWORK)
        pom_job_fail(worker->job, status, &msg);
    if (status != POM_OK)
        pom_item_fail(item, stage, *msg.text ? msg.text : pom_status_name(status));
    return !item->failed;
}

static void load_batch(struct worker *worker) {
    const struct pom_model_info *info = worker->job->info;
    size_t image = (size_t)info->width * (size_t)info->height * 3;
    worker->n_ready = 0;
    for (size_t i = 0; i < worker->n && !atomic_load(&worker->job->stop); i++) {
        if (!load_item(worker, worker->batch[i]))
            continue;
        memcpy(worker->pixels + worker->n_ready * image, worker->loader.scaled.rgb, image);
        worker->ready[worker->n_ready++] = worker->batch[i];
    }
}

/* Statistics need finite numbers, and a user needs to know which image has none. */
static bool is_finite(const float *features, size_t n, size_t *where) {
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(features[i])) {
            *where = i;
            return false;
        }
    }
    return true;
}

/* Puts the rows of the batch in the spool. One that is not finite has a record too, which no row of the manifest names.
 */
static enum pom_status keep_features(struct worker *worker, struct pom_message *msg) {
    size_t d = worker->job->info->features, where;
    int64_t first;
    POM_TRY(pom_spool_append(worker->job->spool, worker->features, worker->n_ready, &first, msg));
    for (size_t i = 0; i < worker->n_ready; i++) {
        struct pom_item *item = worker->ready[i];
        item->record = first + (int64_t)i;
        if (is_finite(worker->features + i * d, d, &where))
            continue;
        pom_fail(msg, POM_ERR_FORMAT, "feature %zu of the network's output is not a finite number", where);
        pom_item_fail(item, POM_STAGE_INFER, msg->text);
    }
    return POM_OK;
}

static enum pom_status infer_batch(struct worker *worker, struct pom_message *msg) {
    struct pom_job *job = worker->job;
    struct pom_lap lap = pom_lap_begin();
    enum pom_status ran = POM_OK;
    if (worker->n_ready)
        ran = pom_session_run(worker->session, worker->pixels, (int)worker->n_ready, worker->features, msg);
    pom_lap_end(&lap, &job->count.work[POM_WORK_INFER]);
    if (ran == POM_OK && worker->n_ready)
        POM_TRY(keep_features(worker, msg));
    for (size_t i = 0; i < worker->n_ready && ran != POM_OK; i++)
        pom_item_fail(worker->ready[i], POM_STAGE_INFER, msg->text);
    pom_lap_end(&lap, &job->count.work[POM_WORK_WRITE]);
    uint64_t none = 0;
    if (worker->n_ready && ran == POM_OK)
        atomic_compare_exchange_strong(&job->count.first_row_ns, &none, lap.wall_ns);
    return POM_OK;
}

/* Gives the batch to the recorder, or drops it where the job has stopped. */
static void finish_batch(struct worker *worker, bool recorded) {
    for (size_t i = 0; i < worker->n; i++)
        if (!recorded || !pom_queue_push(worker->job->done, worker->batch[i]))
            pom_item_free(worker->batch[i]);
}

static void run_batches(struct worker *worker) {
    struct pom_job *job = worker->job;
    size_t most = 1; /* one image at first, so that the first row is soon there */
    size_t batch = (size_t)job->budget.batch, sharers = (size_t)job->budget.threads;
    while ((worker->n = pom_queue_pop(job->todo, (void **)worker->batch, most, sharers)) > 0) {
        struct pom_message msg = {0};
        enum pom_status status = POM_OK;
        load_batch(worker);
        bool whole = !atomic_load(&job->stop);
        if (whole)
            status = infer_batch(worker, &msg);
        if (status != POM_OK)
            pom_job_fail(job, status, &msg);
        finish_batch(worker, whole && status == POM_OK);
        most = 2 * most < batch ? 2 * most : batch;
    }
}

static enum pom_status prepare(struct worker *worker, struct pom_message *msg) {
    const struct pom_model_info *info = worker->job->info;
    size_t batch = (size_t)worker->job->budget.batch, image;
    if (!pom_size_mul((size_t)info->width * (size_t)info->height, 3, &image))
        return pom_fail(msg, POM_ERR_LIMIT, "the network's input is too large");
    worker->pixels = pom_alloc_aligned(batch, image);
    worker->features = pom_alloc_aligned(batch * sizeof(float), info->features);
    if (!worker->pixels || !worker->features)
        return pom_fail_memory(msg, "a batch of images");
    return pom_session_new(worker->job->model, (int)batch, &worker->session, msg);
}

void pom_worker_run(struct pom_job *job) {
    struct worker worker = {.job = job, .loader = {.job = job, .work = job->count.work}};
    struct pom_message msg = {0};
    enum pom_status status = prepare(&worker, &msg);
    if (status == POM_OK)
        run_batches(&worker);
    else
        pom_job_fail(job, status, &msg);
    pom_session_free(worker.session);
    pom_loader_clean_up(&worker.loader);
    free(worker.pixels);
    free(worker.features);
}
