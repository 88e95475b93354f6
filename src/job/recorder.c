/* The last stage: writes what became of each image to the manifest, and commits four times a second, so that a kill
 * costs no more than what came since. */
#include "base/resources.h"
#include "job/job.h"

enum { ITEMS_AT_ONCE = 64 };
static const uint64_t commit_every_ns = 250000000;

static enum pom_status record(struct pom_job *job, const struct pom_item *item, struct pom_message *msg) {
    const struct pom_manifest_row row = {
        .path = item->path,
        .size = item->size,
        .version = item->version,
        .failed = item->failed,
        .cause = item->cause ? item->cause : "",
        .place = item->failed ? POM_PLACE_NONE : POM_PLACE_SPOOL,
        .record = item->record,
    };
    atomic_fetch_add(item->failed ? &job->count.failed : &job->count.computed, 1);
    if (item->failed && job->options->strict) /* the next run reads it again */
        return pom_fail(msg, POM_ERR_FORMAT, "%s failed (%s): %s", item->path, pom_stage_name(item->failed), row.cause);
    return pom_manifest_put(job->manifest, &row, msg);
}

/* The features must be on the disk before the manifest says so. */
static enum pom_status commit(struct pom_job *job, struct pom_message *msg) {
    POM_TRY(pom_spool_sync(job->spool, msg));
    return pom_manifest_commit(job->manifest, msg);
}

/* From the first change on, the published tables are no longer all that the manifest says. */
static enum pom_status begin(struct pom_job *job, struct pom_message *msg) {
    return pom_manifest_set(job->manifest, POM_NOTE_COMPLETE, "", msg);
}

static enum pom_status record_one(
    struct pom_job *job, const struct pom_item *item, uint64_t *committed_ns, struct pom_message *msg) {
    POM_TRY(record(job, item, msg));
    if (pom_now_ns() - *committed_ns < commit_every_ns)
        return POM_OK;
    POM_TRY(commit(job, msg));
    *committed_ns = pom_now_ns();
    return POM_OK;
}

/* Goes on after a failure, the job's or its own: what comes is done, and need not be done again. */
void pom_recorder_run(struct pom_job *job) {
    struct pom_item *items[ITEMS_AT_ONCE];
    struct pom_message msg = {0};
    uint64_t committed_ns = pom_now_ns();
    enum pom_status status = POM_OK;
    bool begun = false;
    size_t n;
    struct pom_lap lap;
    while ((n = pom_queue_pop(job->done, (void **)items, ITEMS_AT_ONCE, 1)) > 0) {
        lap = pom_lap_begin();
        if (!begun && (status = begin(job, &msg)) != POM_OK)
            pom_job_fail(job, status, &msg);
        begun = true;
        for (size_t i = 0; i < n; i++) {
            if ((status = record_one(job, items[i], &committed_ns, &msg)) != POM_OK)
                pom_job_fail(job, status, &msg);
            pom_item_free(items[i]);
        }
        pom_lap_end(&lap, &job->count.work[POM_WORK_WRITE]);
    }
    lap = pom_lap_begin();
    if ((status = commit(job, &msg)) != POM_OK)
        pom_job_fail(job, status, &msg);
    pom_lap_end(&lap, &job->count.work[POM_WORK_WRITE]);
}
