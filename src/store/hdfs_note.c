/* A note in HDFS that changes in one step. A rename that finds something in its way does nothing, so of several writers
 * of a first note one succeeds. To replace a note is to move it aside, see by its number (no file ever gets that of
 * another) that it is the one meant, and to rename the new one to its place. */
#include "base/hash.h"
#include "store/hdfs.h"
#include "store/hdfs_json.h"
#include "store/note.h"
#include "store/uri.h"
#include <stdio.h>
#include <string.h>

enum { NAME_DIGITS = 16 };

/* Paths of a note that is being written. */
struct writing {
    struct pom_hdfs *hdfs;
    struct pom_buffer path, fresh, aside; /* its own; the new one's first; the old one's last */
};

static void clean_up(struct writing *self) {
    pom_buffer_clean_up(&self->path);
    pom_buffer_clean_up(&self->fresh);
    pom_buffer_clean_up(&self->aside);
}

/* Runs the call that holds what is particular to it; its answer is the caller's to release. */
static enum pom_status ask(struct pom_hdfs *hdfs, const char *method, const char *path, const char *op,
    struct pom_call *call, struct pom_message *msg) {
    call->method = method;
    call->request.subject = path;
    call->request.max_bytes = POM_NOTE_ANSWER;
    call->request.most_attempts = POM_NOTE_ATTEMPTS;
    POM_TRY(pom_hdfs_call(hdfs, path, op, call, msg));
    return pom_remote_run(&hdfs->remote, call, msg);
}

/* The number of the file at path, "" where none is. */
static enum pom_status read_status(
    struct pom_hdfs *hdfs, const char *path, struct pom_buffer *version, int64_t *age_s, struct pom_message *msg) {
    struct pom_call call = {.missing_is_fine = true};
    struct pom_hdfs_page page = {0};
    version->size = 0;
    enum pom_status status = ask(hdfs, "GET", path, "GETFILESTATUS", &call, msg);
    const struct pom_http_transfer *answer = call.request.answer;
    bool there = status == POM_OK && answer->status != 404;
    if (there)
        status = pom_hdfs_page_parse(answer->answer.data, answer->answer.size, &page, msg);
    if (there && status == POM_OK && page.n == 1) {
        *age_s = pom_note_age_s(answer, (time_t)(page.entries->modified_ms / 1000));
        if (!pom_buffer_printf(version, "%llu", (unsigned long long)page.entries->id))
            status = pom_fail_memory(msg, path);
    } else if (status == POM_OK && !pom_buffer_text(version, "")) {
        status = pom_fail_memory(msg, path);
    }
    pom_hdfs_page_clean_up(&page);
    pom_call_clean_up(&call);
    return status;
}

static enum pom_status read_text(
    struct pom_hdfs *hdfs, const char *path, struct pom_buffer *text, struct pom_message *msg) {
    struct pom_call call = {.missing_is_fine = true};
    enum pom_status status = ask(hdfs, "GET", path, "OPEN", &call, msg);
    const struct pom_http_transfer *answer = call.request.answer;
    if (status == POM_OK && answer->status != 404 && !pom_buffer_append(text, answer->answer.data, answer->answer.size))
        status = pom_fail_memory(msg, path);
    pom_call_clean_up(&call);
    return status;
}

/* The text may be a later one than the version says, which then cannot be replaced. */
enum pom_status pom_hdfs_note_read(
    struct pom_store *store, const char *name, struct pom_store_note *note, struct pom_message *msg) {
    struct pom_hdfs *hdfs = (struct pom_hdfs *)store;
    struct pom_buffer path = {0};
    note->text.size = 0;
    if (!pom_buffer_printf(&path, "%s%s", store->prefix, name))
        return pom_fail_memory(msg, name);
    enum pom_status status = read_status(hdfs, path.data, &note->version, &note->age_s, msg);
    if (status == POM_OK && note->version.size)
        status = read_text(hdfs, path.data, &note->text, msg);
    pom_buffer_clean_up(&path);
    return status;
}

/* Puts it where nothing is. POM_ERR_CONFLICT: something is, or there is nothing to move. */
static enum pom_status move(struct pom_hdfs *hdfs, const char *from, const char *to, struct pom_message *msg) {
    struct pom_call call = {.missing_is_fine = true};
    struct pom_buffer op = {0};
    bool good = pom_buffer_text(&op, "RENAME&destination=") && pom_uri_encode(&op, to + hdfs->root, "");
    enum pom_status status = good ? ask(hdfs, "PUT", from, op.data, &call, msg) : pom_fail_memory(msg, to);
    const struct pom_http_transfer *answer = call.request.answer;
    if (status == POM_OK && (answer->status == 404 || pom_hdfs_is_false(answer->answer.data, answer->answer.size)))
        status = pom_fail(msg, POM_ERR_CONFLICT, "%s is there, or %s is gone", to, from);
    pom_call_clean_up(&call);
    pom_buffer_clean_up(&op);
    return status;
}

static void remove_file(struct pom_hdfs *hdfs, const char *path) {
    struct pom_call call = {.missing_is_fine = true};
    ask(hdfs, "DELETE", path, "DELETE", &call, NULL);
    pom_call_clean_up(&call);
}

static enum pom_status create(struct pom_hdfs *hdfs, const char *path, const char *text, struct pom_message *msg) {
    struct pom_call call = {.body = text, .body_size = strlen(text)};
    enum pom_status status = pom_call_header(&call, "Content-Type", "application/octet-stream")
                                 ? ask(hdfs, "PUT", path, "CREATE&overwrite=true", &call, msg)
                                 : pom_fail_memory(msg, path);
    pom_call_clean_up(&call);
    return status;
}

static enum pom_status expect(struct pom_hdfs *hdfs, const char *path, const char *version, struct pom_message *msg) {
    struct pom_buffer there = {0};
    int64_t age_s;
    enum pom_status status = read_status(hdfs, path, &there, &age_s, msg);
    if (status == POM_OK && strcmp(there.data, version) != 0)
        status = pom_fail(msg, POM_ERR_CONFLICT, "%s is another's by now", path);
    pom_buffer_clean_up(&there);
    return status;
}

/* Looked at first, so that another's note is hardly ever moved; one that is gets its place back. A move whose answer
 * was lost looks like one that found nothing: where the note is tells. */
static enum pom_status move_aside(struct writing *self, const char *version, struct pom_message *msg) {
    POM_TRY(expect(self->hdfs, self->path.data, version, msg));
    enum pom_status moved = move(self->hdfs, self->path.data, self->aside.data, msg);
    if (moved != POM_OK && moved != POM_ERR_CONFLICT)
        return moved;
    enum pom_status status = expect(self->hdfs, self->aside.data, version, msg);
    if (status == POM_ERR_CONFLICT && moved == POM_OK)
        move(self->hdfs, self->aside.data, self->path.data, NULL);
    return status;
}

static enum pom_status replace(
    struct writing *self, const char *text, struct pom_buffer *version, struct pom_message *msg) {
    int64_t age_s;
    bool old = version && version->size;
    POM_TRY(create(self->hdfs, self->fresh.data, text, msg));
    enum pom_status status = old ? move_aside(self, version->data, msg) : POM_OK;
    if (!version)
        remove_file(self->hdfs, self->path.data);
    if (status == POM_OK)
        status = move(self->hdfs, self->fresh.data, self->path.data, msg);
    if (status != POM_OK)
        remove_file(self->hdfs, self->fresh.data);
    else if (old)
        remove_file(self->hdfs, self->aside.data);
    if (status == POM_OK && version)
        status = read_status(self->hdfs, self->path.data, version, &age_s, msg);
    return status;
}

/* The names beside the note's own are made of its text, which no other writer has. */
enum pom_status pom_hdfs_note_write(
    struct pom_store *store, const char *name, const char *text, struct pom_buffer *version, struct pom_message *msg) {
    struct writing self = {.hdfs = (struct pom_hdfs *)store};
    char digest[POM_SHA256_HEX];
    POM_TRY(pom_sha256(text, strlen(text), digest, msg));
    bool good = pom_buffer_printf(&self.path, "%s%s", store->prefix, name) &&
                pom_buffer_printf(&self.fresh, "%s.%.*s.new", self.path.data, NAME_DIGITS, digest) &&
                pom_buffer_printf(&self.aside, "%s.%.*s.old", self.path.data, NAME_DIGITS, digest);
    enum pom_status status = good ? replace(&self, text, version, msg) : pom_fail_memory(msg, name);
    clean_up(&self);
    return status;
}
