/* The last stage: writes what became of each image to the manifest, and commits four times a second, so that a kill
 * costs no more than what came since. */
#include "base/resources.h"
#include "job/job.h"

enum { ITEMS_AT_ONCE = 64, COMMIT_MS = 250 };

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
    struct pom_lap lap = pom_lap_begin();
    enum pom_status status = pom_spool_sync(job->spool, msg);
    if (status == POM_OK)
        status = pom_manifest_commit(job->manifest, msg);
    pom_lap_end(&lap, &job->count.work[POM_WORK_WRITE]);
    return status;
}

/* From the first change on, the published tables are no longer all that the manifest says. */
static enum pom_status begin(struct pom_job *job, struct pom_message *msg) {
    return pom_manifest_set(job->manifest, POM_NOTE_COMPLETE, "", msg);
}

/* Waits for more, and commits what there is when it is time: also where nothing more comes for a while. */
static enum pom_status commit_in_time(struct pom_job *job, uint64_t *committed_ns, struct pom_message *msg) {
    int passed = (int)((pom_now_ns() - *committed_ns) / 1000000);
    if (passed < COMMIT_MS && pom_queue_wait(job->done, COMMIT_MS - passed))
        return POM_OK;
    *committed_ns = pom_now_ns();
    return commit(job, msg);
}

static void note_failure(struct pom_job *job, enum pom_status status, const struct pom_message *msg) {
    if (status != POM_OK)
        pom_job_fail(job, status, msg);
}

/* Goes on after a failure, the job's or its own: what comes is done, and need not be done again. */
void pom_recorder_run(struct pom_job *job) {
    struct pom_item *items[ITEMS_AT_ONCE];
    struct pom_message msg = {0};
    uint64_t committed_ns = pom_now_ns();
    bool begun = false;
    size_t n;
    while ((n = pom_queue_pop(job->done, (void **)items, ITEMS_AT_ONCE, 1)) > 0) {
        struct pom_lap lap = pom_lap_begin();
        if (!begun)
            note_failure(job, begin(job, &msg), &msg);
        begun = true;
        for (size_t i = 0; i < n; i++) {
            note_failure(job, record(job, items[i], &msg), &msg);
            pom_item_free(items[i]);
        }
        pom_lap_end(&lap, &job->count.work[POM_WORK_WRITE]);
        note_failure(job, commit_in_time(job, &committed_ns, &msg), &msg);
    }
    note_failure(job, commit(job, &msg), &msg);
}
