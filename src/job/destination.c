#include "job/destination.h"

#include "base/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const char receipt[] = "run.json";
static const char *const tables[] = {"features", "errors", "pca", "scaled", "projection"};
enum { N_TABLES = sizeof tables / sizeof *tables, NAME_BYTES = 64 };
static const enum pom_format formats[] = {POM_FORMAT_PARQUET, POM_FORMAT_JSON, POM_FORMAT_CSV};
enum { N_FORMATS = sizeof formats / sizeof *formats };

enum pom_status pom_destination_stage(
    const struct pom_destination *destination, const char *name, struct pom_buffer *out, struct pom_message *msg) {
    out->size = 0;
    bool joined = pom_buffer_printf(out, "%s/%s", pom_store_staging(destination->store), name);
    return joined ? POM_OK : pom_fail_memory(msg, name);
}

/* Calls visit with every name that a run may publish, the receipt first. */
static enum pom_status each_name(struct pom_destination *self,
    enum pom_status (*visit)(struct pom_destination *, const char *name, void *user, struct pom_message *), void *user,
    struct pom_message *msg) {
    POM_TRY(visit(self, receipt, user, msg));
    for (int t = 0; t < N_TABLES; t++) {
        for (int f = 0; f < N_FORMATS; f++) {
            char name[NAME_BYTES];
            snprintf(name, sizeof name, "%s.%s", tables[t], pom_format_name(formats[f]));
            POM_TRY(visit(self, name, user, msg));
        }
    }
    return POM_OK;
}

/* flock: the kernel gives it back however the process ends. */
static enum pom_status lock(struct pom_destination *self, struct pom_message *msg) {
    struct pom_buffer path = {0};
    enum pom_status status = pom_destination_stage(self, "lock", &path, msg);
    if (status == POM_OK) {
        int fd = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (fd < 0)
            status = pom_fail_errno(msg, POM_ERR_IO, "cannot open %s", path.data);
        else if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            self->lock = fd;
        else {
            status = errno == EWOULDBLOCK
                         ? pom_fail(msg, POM_ERR_CONFLICT,
                               "%s is in use by another pomona: wait until it ends, or choose another -o",
                               pom_store_prefix(self->store))
                         : pom_fail_errno(msg, POM_ERR_IO, "cannot lock %s", path.data);
            close(fd);
        }
    }
    pom_buffer_clean_up(&path);
    return status;
}

static enum pom_status refuse_table(
    struct pom_destination *self, const char *name, void *user, struct pom_message *msg) {
    struct pom_buffer *version = user;
    POM_TRY(pom_store_version(self->store, name, version, msg));
    if (!version->size)
        return POM_OK;
    return pom_fail(msg, POM_ERR_CONFLICT,
        "%s%s is there, but not from a run that can be continued: choose another -o, "
        "or --fresh to replace it",
        pom_store_prefix(self->store), name);
}

static enum pom_status remove_state(const struct pom_destination *self, struct pom_message *msg) {
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

static enum pom_status open_manifest(struct pom_job *job, struct pom_destination *self, struct pom_message *msg) {
    if (job->options->fresh) {
        POM_TRY(remove_state(self, msg));
    } else if (!pom_file_exists(self->manifest)) {
        struct pom_buffer version = {0};
        enum pom_status status = each_name(self, refuse_table, &version, msg);
        pom_buffer_clean_up(&version);
        POM_TRY(status);
    }
    POM_TRY(pom_manifest_open(self->manifest, &job->manifest, msg));
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

/* Every file that the last run published is still there. */
static enum pom_status check_complete(struct pom_job *job, struct pom_destination *self, struct pom_message *msg) {
    struct pom_buffer files = {0}, version = {0};
    enum pom_status status = pom_manifest_get(job->manifest, POM_NOTE_FILES, &files, msg);
    self->complete = status == POM_OK && files.size > 0;
    char *rest = NULL;
    for (char *name = strtok_r(files.data, "\n", &rest); name && status == POM_OK; name = strtok_r(NULL, "\n", &rest)) {
        status = pom_store_version(self->store, name, &version, msg);
        self->complete = self->complete && version.size > 0;
    }
    pom_buffer_clean_up(&files);
    pom_buffer_clean_up(&version);
    return status;
}

static enum pom_status open_state(struct pom_job *job, struct pom_destination *self, struct pom_message *msg) {
    POM_TRY(lock(self, msg));
    self->manifest = pom_path_join(pom_store_staging(self->store), "manifest.sqlite");
    self->spool = pom_path_join(pom_store_staging(self->store), "features.spool");
    if (!self->manifest || !self->spool)
        return pom_fail_memory(msg, "the destination");
    snprintf(self->features, sizeof self->features, "features.%s", pom_format_name(job->options->format));
    POM_TRY(open_manifest(job, self, msg));
    POM_TRY(check_table(job, self, msg));
    POM_TRY(open_spool(job, self, msg));
    POM_TRY(check_complete(job, self, msg));
    return pom_manifest_commit(job->manifest, msg);
}

enum pom_status pom_destination_open(struct pom_job *job, struct pom_destination *out, struct pom_message *msg) {
    out->made = !pom_file_exists(job->options->destination);
    POM_TRY(pom_store_open(job->options->destination, true, &out->store, msg));
    return open_state(job, out, msg);
}

void pom_destination_discard(const struct pom_destination *destination) {
    struct pom_buffer lock_path = {0};
    if (destination->made && destination->lock > 0 && remove_state(destination, NULL) == POM_OK &&
        pom_destination_stage(destination, "lock", &lock_path, NULL) == POM_OK && unlink(lock_path.data) == 0 &&
        rmdir(pom_store_staging(destination->store)) == 0)
        rmdir(pom_store_prefix(destination->store)); /* stays if another has put something there */
    pom_buffer_clean_up(&lock_path);
}

void pom_destination_close(struct pom_destination *destination) {
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

/* The receipt goes too: without it a folder is not a finished run's. */
static enum pom_status remove_stale(
    struct pom_destination *self, const char *name, void *user, struct pom_message *msg) {
    const struct names *kept = user;
    for (int i = 0; i < kept->n; i++)
        if (strcmp(kept->list[i], name) == 0)
            return POM_OK;
    return pom_store_remove(self->store, name, msg);
}

static enum pom_status publish(
    struct pom_destination *self, const char *name, struct pom_buffer *path, struct pom_message *msg) {
    POM_TRY(pom_destination_stage(self, name, path, msg));
    return pom_store_publish(self->store, path->data, name, msg);
}

/* What is about to be published: noted first, so that a kill at any moment leaves a manifest that can be made good. */
static enum pom_status note_next(
    struct pom_job *job, struct pom_destination *self, struct pom_buffer *version, struct pom_message *msg) {
    struct pom_buffer path = {0};
    enum pom_status status = pom_destination_stage(self, self->features, &path, msg);
    if (status == POM_OK)
        status = pom_store_file_version(self->store, path.data, version, msg);
    pom_buffer_clean_up(&path);
    POM_TRY(status);
    POM_TRY(pom_manifest_set(job->manifest, POM_NOTE_FILES, "", msg));
    POM_TRY(pom_manifest_set(job->manifest, POM_NOTE_NEXT_TABLE, version->data, msg));
    return pom_manifest_commit(job->manifest, msg);
}

static enum pom_status note_published(
    struct pom_job *job, const struct names *names, const char *version, struct pom_message *msg) {
    struct pom_buffer files = {0};
    bool added = pom_buffer_printf(&files, "%s\n", receipt);
    for (int i = 0; i < names->n && added; i++)
        added = pom_buffer_printf(&files, "%s\n", names->list[i]);
    enum pom_status status = added ? pom_manifest_settle(job->manifest, msg) : pom_fail_memory(msg, receipt);
    if (status == POM_OK)
        status = pom_manifest_set(job->manifest, POM_NOTE_FILES, files.data, msg);
    pom_buffer_clean_up(&files);
    POM_TRY(status);
    POM_TRY(pom_manifest_set(job->manifest, POM_NOTE_TABLE, version, msg));
    POM_TRY(pom_manifest_set(job->manifest, POM_NOTE_NEXT_TABLE, "", msg));
    return pom_manifest_commit(job->manifest, msg);
}

static enum pom_status publish_all(struct pom_job *job, struct pom_destination *self, struct names names,
    struct pom_buffer *version, struct pom_message *msg) {
    struct pom_buffer path = {0};
    POM_TRY(note_next(job, self, version, msg));
    enum pom_status status = each_name(self, remove_stale, &names, msg);
    for (int i = 0; i < names.n && status == POM_OK; i++)
        status = publish(self, names.list[i], &path, msg);
    if (status == POM_OK)
        status = publish(self, receipt, &path, msg);
    pom_buffer_clean_up(&path);
    return status == POM_OK ? note_published(job, &names, version->data, msg) : status;
}

enum pom_status pom_destination_publish(struct pom_job *job, struct pom_destination *destination,
    const char *const *names, int n, struct pom_message *msg) {
    struct pom_buffer version = {0};
    enum pom_status status = publish_all(job, destination, (struct names){names, n}, &version, msg);
    pom_buffer_clean_up(&version);
    return status == POM_OK ? pom_destination_drop_spool(destination, msg) : status;
}

enum pom_status pom_destination_drop_spool(const struct pom_destination *destination, struct pom_message *msg) {
    if (unlink(destination->spool) != 0)
        return pom_fail_errno(msg, POM_ERR_IO, "cannot remove %s", destination->spool);
    return POM_OK;
}
