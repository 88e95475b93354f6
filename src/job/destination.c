#include "job/destination.h"

#include "base/file.h"
#include "job/lock.h"
#include "job/state.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char receipt[] = "run.json";
enum { NAME_BYTES = 64 };
enum pom_status pom_destination_stage(
    const struct pom_destination *destination, const char *name, struct pom_buffer *out, struct pom_message *msg) {
    out->size = 0;
    bool joined = pom_buffer_printf(out, "%s/%s", pom_store_staging(destination->store), name);
    return joined ? POM_OK : pom_fail_memory(msg, name);
}

static enum pom_status refuse_file(struct pom_destination *self, const char *name, struct pom_message *msg) {
    struct pom_buffer version = {0};
    enum pom_status status = pom_store_version(self->store, name, &version, msg);
    if (status == POM_OK && version.size)
        status = pom_fail(msg, POM_ERR_CONFLICT,
            "%s%s is there, but not from a run that can be continued: choose another -o, "
            "or --fresh to replace it",
            pom_store_prefix(self->store), name);
    pom_buffer_clean_up(&version);
    return status;
}

/* Without a manifest, a file of a name that this run writes is not one of ours. */
static enum pom_status refuse_foreign(
    const struct pom_job *job, struct pom_destination *self, struct pom_message *msg) {
    bool project = job->options->project;
    const struct {
        const char *name;
        bool written;
    } tables[] = {{"features", true}, {"errors", true}, {"projection", project}, {"pca", project},
        {"scaled", project && job->options->keep_scaled}};
    POM_TRY(refuse_file(self, receipt, msg));
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        char name[NAME_BYTES];
        snprintf(name, sizeof name, "%s.%s", tables[i].name, pom_format_name(job->options->format));
        if (tables[i].written)
            POM_TRY(refuse_file(self, name, msg));
    }
    return POM_OK;
}

enum pom_status pom_destination_remove_state(const struct pom_destination *self, struct pom_message *msg) {
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    struct pom_buffer path = {0};
    bool removed = unlink(self->spool) == 0 || errno == ENOENT;
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes && removed; i++) {
        path.size = 0;
        removed = pom_buffer_printf(&path, "%s%s", self->manifest, suffixes[i]) &&
                  (unlink(path.data) == 0 || errno == ENOENT);
    }
    pom_buffer_clean_up(&path);
    return removed ? POM_OK : pom_fail_errno(msg, POM_ERR_IO, "cannot remove %s", self->manifest);
}

/* What earlier runs published, "" where no manifest says so: one that is damaged is about to be replaced. */
static void read_files(const struct pom_destination *self, struct pom_buffer *files) {
    struct pom_manifest *manifest = NULL;
    if (pom_file_exists(self->manifest) && pom_manifest_open(self->manifest, &manifest, NULL) == POM_OK &&
        pom_manifest_get(manifest, POM_NOTE_FILES, files, NULL) != POM_OK)
        files->size = 0;
    pom_manifest_close(manifest);
}

/* Begins anew, but for the list of files that the next publishing replaces. */
static enum pom_status open_fresh(struct pom_job *job, struct pom_destination *self, struct pom_message *msg) {
    struct pom_buffer files = {0};
    read_files(self, &files);
    enum pom_status status = pom_destination_remove_state(self, msg);
    if (status == POM_OK)
        status = pom_manifest_open(self->manifest, &job->manifest, msg);
    if (status == POM_OK && files.size)
        status = pom_manifest_set(job->manifest, POM_NOTE_FILES, files.data, msg);
    pom_buffer_clean_up(&files);
    return status;
}

static enum pom_status open_manifest(struct pom_job *job, struct pom_destination *self, struct pom_message *msg) {
    if (job->options->fresh) {
        POM_TRY(open_fresh(job, self, msg));
    } else {
        if (!pom_file_exists(self->manifest))
            POM_TRY(refuse_foreign(job, self, msg));
        POM_TRY(pom_manifest_open(self->manifest, &job->manifest, msg));
    }
    return pom_settings_check(job, msg);
}

/* Rows in the features table are good if it is the one that was published; a run killed right after publishing has
 * left that to be noted here. */
static enum pom_status check_table(struct pom_job *job, struct pom_destination *self, struct pom_message *msg) {
    struct pom_buffer there = {0}, noted = {0};
    enum pom_status status = pom_store_version(self->store, self->features, &there, msg);
    if (status == POM_OK)
        status = pom_manifest_get(job->manifest, POM_NOTE_NEXT_TABLE, &noted, msg);
    bool next = noted.size && status == POM_OK && strcmp(there.data, noted.data) == 0;
    if (next && (status = pom_manifest_settle(job->manifest, msg)) == POM_OK)
        status = pom_manifest_set(job->manifest, POM_NOTE_TABLE, there.data, msg);
    if (status == POM_OK)
        status = pom_manifest_set(job->manifest, POM_NOTE_NEXT_TABLE, "", msg);
    if (status == POM_OK && !next)
        status = pom_manifest_get(job->manifest, POM_NOTE_TABLE, &noted, msg);
    bool lost = !next && status == POM_OK && strcmp(there.data, noted.data) != 0;
    if (lost && noted.size)
        pom_job_warn(job, "%s is not the one that the last run wrote: its rows are computed again", self->features);
    if (lost)
        status = pom_manifest_drop(job->manifest, true, INT64_MAX, msg);
    pom_buffer_clean_up(&there);
    pom_buffer_clean_up(&noted);
    return status;
}

static enum pom_status open_spool(struct pom_job *job, struct pom_destination *self, struct pom_message *msg) {
    struct pom_manifest_counts counts = {0};
    POM_TRY(pom_manifest_count(job->manifest, &counts, msg));
    POM_TRY(pom_spool_open(self->spool, job->info->features, counts.records, &job->spool, msg));
    return pom_manifest_drop(job->manifest, false, pom_spool_records(job->spool), msg);
}

/* Calls visit with each published file of the list, "name version" a line, which is taken apart. */
static enum pom_status each_file(struct pom_destination *self, char *files,
    enum pom_status (*visit)(struct pom_destination *, const char *name, bool ours, void *user, struct pom_message *),
    void *user, struct pom_message *msg) {
    struct pom_buffer there = {0};
    enum pom_status status = POM_OK;
    char *rest = NULL;
    for (char *name = strtok_r(files, "\n", &rest); name && status == POM_OK; name = strtok_r(NULL, "\n", &rest)) {
        char *version = strchr(name, ' ');
        if (!version)
            continue;
        *version++ = '\0';
        status = pom_store_version(self->store, name, &there, msg);
        if (status == POM_OK)
            status = visit(self, name, strcmp(there.data, version) == 0, user, msg);
    }
    pom_buffer_clean_up(&there);
    return status;
}

static enum pom_status note_changed(
    struct pom_destination *self, const char *name, bool ours, void *user, struct pom_message *msg) {
    (void)name, (void)user, (void)msg;
    self->complete = self->complete && ours;
    return POM_OK;
}

/* Every file that the last run published is still there, and nobody has replaced it. */
static enum pom_status check_complete(struct pom_job *job, struct pom_destination *self, struct pom_message *msg) {
    struct pom_buffer note = {0};
    enum pom_status status = pom_manifest_get(job->manifest, POM_NOTE_COMPLETE, &note, msg);
    self->complete = status == POM_OK && note.size > 0;
    if (self->complete)
        status = pom_manifest_get(job->manifest, POM_NOTE_FILES, &note, msg);
    if (self->complete && status == POM_OK)
        status = each_file(self, note.data, note_changed, NULL, msg);
    pom_buffer_clean_up(&note);
    return status;
}

static enum pom_status take_lease(struct pom_job *job, struct pom_destination *self, struct pom_message *msg) {
    POM_TRY(pom_lease_take(self->store, &self->lease, msg));
    job->lease = self->lease;
    if (self->lease && !pom_lease_is_firm(self->lease))
        pom_job_warn(job,
            "%s: the store has no conditional writes, so two jobs that begin there at the same moment are not kept "
            "apart",
            pom_store_prefix(self->store));
    return POM_OK;
}

static enum pom_status open_state(struct pom_job *job, struct pom_destination *self, struct pom_message *msg) {
    POM_TRY(pom_lock_take(self->store, &self->lock, msg));
    self->manifest = pom_path_join(pom_store_staging(self->store), "manifest.sqlite");
    self->spool = pom_path_join(pom_store_staging(self->store), "features.spool");
    if (!self->manifest || !self->spool)
        return pom_fail_memory(msg, "the destination");
    snprintf(self->features, sizeof self->features, "features.%s", pom_format_name(job->options->format));
    POM_TRY(take_lease(job, self, msg));
    POM_TRY(pom_store_tidy(self->store, msg));
    POM_TRY(pom_state_pull(job, self, msg));
    if (pom_store_reads_ahead(self->store))
        self->made = !pom_file_exists(self->manifest);
    POM_TRY(open_manifest(job, self, msg));
    POM_TRY(check_table(job, self, msg));
    POM_TRY(open_spool(job, self, msg));
    POM_TRY(check_complete(job, self, msg));
    return pom_manifest_commit(job->manifest, msg);
}

enum pom_status pom_destination_open(struct pom_job *job, struct pom_destination *out, struct pom_message *msg) {
    out->made = !pom_file_exists(job->options->destination);
    POM_TRY(pom_store_open(job->options->destination, true, job->options->cancel, &out->store, msg));
    return open_state(job, out, msg);
}

static void give_lease_back(struct pom_destination *self) {
    pom_lease_end(self->lease);
    self->lease = NULL;
}

void pom_destination_discard(struct pom_destination *destination) {
    give_lease_back(destination);
    if (destination->made && destination->lock > 0 && pom_destination_remove_state(destination, NULL) == POM_OK &&
        pom_lock_discard(destination->store) && !pom_store_reads_ahead(destination->store))
        rmdir(pom_store_prefix(destination->store)); /* stays if another has put something there */
}

void pom_destination_close(struct pom_destination *destination) {
    give_lease_back(destination);
    if (destination->lock > 0)
        close(destination->lock);
    pom_store_close(destination->store);
    free(destination->manifest);
    free(destination->spool);
    *destination = (struct pom_destination){0};
}

struct names {
    const char *const *list;
    int n;
};

struct publication {
    struct names names;
    struct pom_buffer staged, old; /* lists of files: what becomes the destination's, and what was */
    struct pom_buffer version;     /* of the staged features table */
};

/* Of what earlier runs published; a file that someone has put in its place stays. */
static enum pom_status remove_stale(
    struct pom_destination *self, const char *name, bool ours, void *user, struct pom_message *msg) {
    const struct names *kept = user;
    for (int i = 0; i < kept->n; i++)
        if (strcmp(kept->list[i], name) == 0)
            return POM_OK;
    return ours ? pom_store_remove(self->store, name, msg) : POM_OK;
}

static enum pom_status publish(
    struct pom_destination *self, const char *name, struct pom_buffer *path, struct pom_message *msg) {
    POM_TRY(pom_destination_stage(self, name, path, msg));
    return pom_store_publish(self->store, path->data, name, msg);
}

/* Adds "name version" of a staged file; a file keeps its version when it is published. */
static enum pom_status add_file(
    const struct pom_destination *self, const char *name, struct pom_buffer *files, struct pom_message *msg) {
    struct pom_buffer path = {0}, version = {0};
    enum pom_status status = pom_destination_stage(self, name, &path, msg);
    if (status == POM_OK)
        status = pom_store_file_version(self->store, path.data, &version, msg);
    if (status == POM_OK && !pom_buffer_printf(files, "%s %s\n", name, version.data))
        status = pom_fail_memory(msg, name);
    pom_buffer_clean_up(&path);
    pom_buffer_clean_up(&version);
    return status;
}

static enum pom_status list_staged(
    const struct pom_destination *self, const struct names *names, struct pom_buffer *files, struct pom_message *msg) {
    POM_TRY(add_file(self, receipt, files, msg));
    for (int i = 0; i < names->n; i++)
        POM_TRY(add_file(self, names->list[i], files, msg));
    return POM_OK;
}

/* What is about to be published: noted first, so that a kill at any moment leaves a manifest that can be made good.
 * Until all is there, the files of the earlier run are ours as well. */
static enum pom_status note_next(struct pom_job *job, const struct publication *next, struct pom_message *msg) {
    struct pom_buffer files = {0};
    bool joined = pom_buffer_text(&files, next->staged.data) && pom_buffer_text(&files, next->old.data);
    enum pom_status status =
        joined ? pom_manifest_set(job->manifest, POM_NOTE_FILES, files.data, msg) : pom_fail_memory(msg, receipt);
    pom_buffer_clean_up(&files);
    POM_TRY(status);
    POM_TRY(pom_manifest_set(job->manifest, POM_NOTE_COMPLETE, "", msg));
    POM_TRY(pom_manifest_set(job->manifest, POM_NOTE_NEXT_TABLE, next->version.data, msg));
    return pom_manifest_commit(job->manifest, msg);
}

static enum pom_status note_published(struct pom_job *job, const struct publication *done, struct pom_message *msg) {
    POM_TRY(pom_manifest_settle(job->manifest, msg));
    POM_TRY(pom_manifest_set(job->manifest, POM_NOTE_FILES, done->staged.data, msg));
    POM_TRY(pom_manifest_set(job->manifest, POM_NOTE_COMPLETE, "yes", msg));
    POM_TRY(pom_manifest_set(job->manifest, POM_NOTE_TABLE, done->version.data, msg));
    POM_TRY(pom_manifest_set(job->manifest, POM_NOTE_NEXT_TABLE, "", msg));
    return pom_manifest_commit(job->manifest, msg);
}

/* The receipt goes first: without it a folder is not a finished run's. */
static enum pom_status replace_files(struct pom_destination *self, struct publication *next, struct pom_message *msg) {
    struct pom_buffer path = {0};
    enum pom_status status = pom_store_remove(self->store, receipt, msg);
    if (status == POM_OK)
        status = each_file(self, next->old.data, remove_stale, &next->names, msg);
    for (int i = 0; i < next->names.n && status == POM_OK; i++)
        status = publish(self, next->names.list[i], &path, msg);
    if (status == POM_OK)
        status = publish(self, receipt, &path, msg);
    pom_buffer_clean_up(&path);
    return status;
}

static enum pom_status publish_all(
    struct pom_job *job, struct pom_destination *self, struct publication *next, struct pom_message *msg) {
    struct pom_buffer path = {0};
    enum pom_status status = pom_destination_stage(self, self->features, &path, msg);
    if (status == POM_OK)
        status = pom_store_file_version(self->store, path.data, &next->version, msg);
    pom_buffer_clean_up(&path);
    POM_TRY(status);
    POM_TRY(list_staged(self, &next->names, &next->staged, msg));
    POM_TRY(pom_manifest_get(job->manifest, POM_NOTE_FILES, &next->old, msg));
    if (self->lease)
        POM_TRY(pom_lease_renew(self->lease, msg));
    POM_TRY(note_next(job, next, msg));
    POM_TRY(replace_files(self, next, msg));
    POM_TRY(note_published(job, next, msg));
    return pom_state_push(job, self, msg);
}

enum pom_status pom_destination_publish(struct pom_job *job, struct pom_destination *destination,
    const char *const *names, int n, struct pom_message *msg) {
    struct publication next = {.names = {names, n}};
    enum pom_status status = publish_all(job, destination, &next, msg);
    pom_buffer_clean_up(&next.staged);
    pom_buffer_clean_up(&next.old);
    pom_buffer_clean_up(&next.version);
    return status == POM_OK ? pom_destination_drop_spool(destination, msg) : status;
}

enum pom_status pom_destination_drop_spool(const struct pom_destination *destination, struct pom_message *msg) {
    if (unlink(destination->spool) != 0)
        return pom_fail_errno(msg, POM_ERR_IO, "cannot remove %s", destination->spool);
    return POM_OK;
}
