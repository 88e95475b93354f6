#include "job/state.h"

#include "base/file.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char published[] = ".pomona/manifest.sqlite"; /* in the destination */
static const char copy[] = "manifest-copy.sqlite";         /* in the staging folder, as the next */
static const char follows[] = "manifest-version"; /* of the published one that the local one follows from; while
                                                     it is being replaced, a second line has the next one's */

enum { MAX_VERSIONS = 2048 };

static enum pom_status read_followed(
    const struct pom_destination *self, struct pom_buffer *version, struct pom_message *msg) {
    struct pom_buffer path = {0};
    enum pom_status status = pom_destination_stage(self, follows, &path, msg);
    if (status == POM_OK && pom_file_exists(path.data))
        status = pom_file_read(path.data, MAX_VERSIONS, version, msg);
    else if (status == POM_OK && !pom_buffer_text(version, ""))
        status = pom_fail_memory(msg, follows);
    pom_buffer_clean_up(&path);
    return status;
}

static enum pom_status write_followed(
    const struct pom_destination *self, const struct pom_buffer *version, struct pom_message *msg) {
    struct pom_buffer path = {0};
    enum pom_status status = pom_destination_stage(self, follows, &path, msg);
    if (status == POM_OK)
        status = pom_file_write(path.data, version->data, version->size, msg);
    pom_buffer_clean_up(&path);
    return status;
}

/* Removed first, written last: a kill between leaves a manifest that follows from nothing, and is taken anew. */
static enum pom_status take_published(
    const struct pom_destination *self, const struct pom_buffer *version, struct pom_message *msg) {
    struct pom_buffer path = {0};
    enum pom_status status = pom_destination_remove_state(self, msg);
    if (status == POM_OK && version->size) {
        status = pom_store_fetch(self->store, published, &path, msg);
        if (status == POM_OK && rename(path.data, self->manifest) != 0)
            status = pom_fail_errno(msg, POM_ERR_IO, "cannot write %s", self->manifest);
    }
    pom_buffer_clean_up(&path);
    return status == POM_OK ? write_followed(self, version, msg) : status;
}

/* Whether one of the lines is the version. */
static bool is_followed(const char *lines, const char *version) {
    size_t first = strcspn(lines, "\n"), n = strlen(version);
    return (n == first && strncmp(lines, version, n) == 0) || (lines[first] && strcmp(lines + first + 1, version) == 0);
}

enum pom_status pom_state_fetch(struct pom_store *store, struct pom_buffer *path, struct pom_message *msg) {
    POM_TRY(pom_store_version(store, published, path, msg));
    return path->size ? pom_store_fetch(store, published, path, msg) : POM_OK;
}

enum pom_status pom_state_pull(struct pom_job *job, const struct pom_destination *self, struct pom_message *msg) {
    struct pom_buffer there = {0}, followed = {0};
    if (!pom_store_reads_ahead(self->store))
        return POM_OK;
    enum pom_status status = pom_store_version(self->store, published, &there, msg);
    if (status == POM_OK)
        status = read_followed(self, &followed, msg);
    if (status == POM_OK && !is_followed(followed.data, there.data)) {
        if (pom_file_exists(self->manifest))
            pom_job_warn(job, "%s was written by another machine, or removed: what was begun here is left out",
                pom_store_prefix(self->store));
        status = take_published(self, &there, msg);
    } else if (status == POM_OK && strcmp(there.data, followed.data) != 0) {
        status = write_followed(self, &there, msg);
    }
    pom_buffer_clean_up(&there);
    pom_buffer_clean_up(&followed);
    return status;
}

/* A kill on the way leaves both versions as those that the local manifest follows from. */
static enum pom_status publish(
    const struct pom_destination *self, const char *file, const struct pom_buffer *version, struct pom_message *msg) {
    struct pom_buffer both = {0};
    enum pom_status status = read_followed(self, &both, msg);
    if (status == POM_OK && !pom_buffer_printf(&both, "\n%s", version->data))
        status = pom_fail_memory(msg, follows);
    if (status == POM_OK)
        status = write_followed(self, &both, msg);
    if (status == POM_OK)
        status = pom_store_publish(self->store, file, published, msg);
    pom_buffer_clean_up(&both);
    return status == POM_OK ? write_followed(self, version, msg) : status;
}

enum pom_status pom_state_push(struct pom_job *job, const struct pom_destination *self, struct pom_message *msg) {
    struct pom_buffer path = {0}, version = {0};
    if (!pom_store_reads_ahead(self->store))
        return POM_OK;
    enum pom_status status = pom_destination_stage(self, copy, &path, msg);
    if (status == POM_OK)
        status = pom_manifest_copy(job->manifest, path.data, msg);
    if (status == POM_OK)
        status = pom_store_file_version(self->store, path.data, &version, msg);
    if (status == POM_OK)
        status = publish(self, path.data, &version, msg);
    pom_buffer_clean_up(&path);
    pom_buffer_clean_up(&version);
    return status;
}
