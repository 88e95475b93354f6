/* The first stage: lists the sources, and tells by the manifest which images need no work. Listing and manifest are
 * both in order of path, so this is a merge. */
#include "job/job.h"
#include "job/label.h"
#include <string.h>

struct lister {
    struct pom_job *job;
    struct pom_store *source;
    struct pom_manifest_cursor *cursor;
    const struct pom_manifest_row *known; /* the first row not before the listing; NULL past the last */
    struct pom_lap lap;                   /* since it last waited for the workers */
};

static enum pom_status next_known(struct lister *lister, struct pom_message *msg) {
    return pom_manifest_cursor_next(lister->cursor, &lister->known, msg);
}

/* Passes over the rows before path (NULL: all): their images are no longer there. */
static enum pom_status pass_missing(struct lister *lister, const char *path, struct pom_message *msg) {
    while (lister->known && (!path || strcmp(lister->known->path, path) < 0)) {
        POM_TRY(pom_manifest_miss(lister->job->manifest, lister->known->path, msg));
        atomic_fetch_add(&lister->job->count.dropped, 1);
        POM_TRY(next_known(lister, msg));
    }
    return POM_OK;
}

/* Hands the item on, waiting where the queue is full. */
static enum pom_status hand_on(struct lister *lister, struct pom_queue *queue, struct pom_item *item) {
    pom_lap_end(&lister->lap, &lister->job->count.work[POM_WORK_LIST]);
    bool taken = pom_queue_push(queue, item);
    lister->lap = pom_lap_begin();
    if (taken)
        return POM_OK;
    pom_item_free(item);
    return POM_ERR_CANCELLED;
}

/* Counts one object in. POM_ERR_CANCELLED: enough of them. */
static enum pom_status count_in(struct pom_job *job) {
    uint64_t limit = job->options->limit;
    if (atomic_load(&job->stop) || (limit && atomic_load(&job->count.listed) == limit))
        return POM_ERR_CANCELLED;
    atomic_fetch_add(&job->count.listed, 1);
    return POM_OK;
}

static void check_label(struct pom_job *job, const char *path) {
    const char *label;
    size_t size;
    struct pom_buffer scratch = {0};
    bool found = pom_label_of_file(job->label, path, &scratch, &label, &size);
    pom_buffer_clean_up(&scratch);
    if (found || atomic_fetch_add(&job->count.unlabelled, 1) > 0)
        return;
    pom_job_warn(job, "%s does not match --label '%s': such images get an empty label", path, job->label);
}

/* True where the manifest's row of this very object says that nothing is to be done. */
static bool carried_over(
    struct pom_job *job, const struct pom_manifest_row *known, const struct pom_store_entry *entry) {
    if (known->size != entry->size || strcmp(known->version, entry->version) != 0 || known->failed == POM_STAGE_LIST)
        return false;
    bool again = job->options->retry_failed || job->options->strict;
    if (known->failed != POM_STAGE_NONE && again)
        return false;
    atomic_fetch_add(known->failed ? &job->count.carried_errors : &job->count.carried_rows, 1);
    return true;
}

static enum pom_status visit(void *user, const struct pom_store_entry *entry, struct pom_message *msg) {
    struct lister *lister = user;
    struct pom_job *job = lister->job;
    if (!pom_is_wanted(lister->source, entry->path)) {
        atomic_fetch_add(&job->count.skipped, 1);
        return POM_OK;
    }
    POM_TRY(count_in(job));
    check_label(job, entry->path);
    POM_TRY(pass_missing(lister, entry->path, msg));
    if (lister->known && strcmp(lister->known->path, entry->path) == 0) {
        bool carried = carried_over(job, lister->known, entry);
        POM_TRY(next_known(lister, msg));
        if (carried)
            return POM_OK;
    }
    struct pom_item *item = pom_item_new(entry->path, entry->version);
    if (!item)
        return pom_fail_memory(msg, "the listing");
    item->source = lister->source;
    item->size = entry->size;
    return hand_on(lister, job->listed, item);
}

/* What cannot be listed is a row of the errors table, found anew in each run. */
static enum pom_status refuse(void *user, const char *path, const char *cause, struct pom_message *msg) {
    struct lister *lister = user;
    struct pom_job *job = lister->job;
    POM_TRY(count_in(job));
    POM_TRY(pass_missing(lister, path, msg));
    if (lister->known && strcmp(lister->known->path, path) == 0) {
        bool same = lister->known->failed == POM_STAGE_LIST && strcmp(lister->known->cause, cause) == 0;
        POM_TRY(next_known(lister, msg));
        if (same && !job->options->strict) {
            atomic_fetch_add(&job->count.carried_errors, 1);
            return POM_OK;
        }
    }
    struct pom_item *item = pom_item_new(path, "");
    if (!item)
        return pom_fail_memory(msg, "the listing");
    pom_item_fail(item, POM_STAGE_LIST, cause);
    return hand_on(lister, job->done, item);
}

static enum pom_status list_all(struct lister *lister, struct pom_message *msg) {
    struct pom_job *job = lister->job;
    const struct pom_store_visitor visitor = {visit, refuse, lister};
    POM_TRY(pom_manifest_cursor_new(job->manifest, &lister->cursor, msg));
    POM_TRY(next_known(lister, msg));
    enum pom_status status = POM_OK;
    for (int i = 0; i < job->n_sources && status == POM_OK; i++) {
        lister->source = job->sources[i];
        status = pom_store_list(lister->source, &visitor, msg);
    }
    if (atomic_load(&job->stop))
        return POM_OK;
    if (status != POM_OK && status != POM_ERR_CANCELLED)
        return status;
    atomic_store(&job->count.listed_all, true);
    return pass_missing(lister, NULL, msg);
}

void pom_lister_run(struct pom_job *job) {
    struct lister lister = {.job = job, .lap = pom_lap_begin()};
    struct pom_message msg = {0};
    enum pom_status status = list_all(&lister, &msg);
    pom_manifest_cursor_free(lister.cursor);
    pom_lap_end(&lister.lap, &job->count.work[POM_WORK_LIST]);
    if (status != POM_OK)
        pom_job_fail(job, status, &msg);
    pom_queue_close(job->listed);
}
