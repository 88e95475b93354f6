#include "store/remote.h"

#include "base/memory.h"
#include "store/pieces.h"
#include "store/staging.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_ANSWER = 1 << 20, LEAST_BYTES_PER_MS = 256 };

static enum pom_status memory(struct pom_message *msg) {
    return pom_fail_memory(msg, "a request");
}

bool pom_call_header(struct pom_call *call, const char *name, const char *value) {
    return pom_buffer_printf(&call->headers, "%s: %s", name, value) && pom_buffer_append(&call->headers, "", 1);
}

void pom_call_clean_up(struct pom_call *call) {
    pom_request_clean_up(&call->request);
    pom_buffer_clean_up(&call->url);
    pom_buffer_clean_up(&call->headers);
    pom_buffer_clean_up(&call->redirect);
}

bool pom_call_write(
    const struct pom_call *call, const struct pom_buffer *url, bool body, struct pom_http_transfer *to) {
    to->method = call->method;
    to->body = body ? call->body : NULL;
    to->body_size = body ? call->body_size : 0;
    /* Nobody is asked beforehand whether a body may be sent. */
    return pom_buffer_append(&to->url, url->data, url->size) &&
           pom_buffer_append(&to->headers, call->headers.data, call->headers.size) &&
           pom_buffer_append(&to->headers, "Expect:", sizeof "Expect:");
}

static enum pom_status open_all(
    struct pom_remote *remote, const char *location, bool create, const atomic_bool *cancel, struct pom_message *msg) {
    struct pom_store *store = &remote->store;
    POM_TRY(remote->kind->prepare(remote, location, cancel, msg));
    POM_TRY(pom_client_new(remote->kind->protocol, remote, cancel, &remote->client, msg));
    POM_TRY(remote->kind->locate(remote, create, msg));
    return create ? pom_staging_make(store->prefix, &store->staging, msg) : POM_OK;
}

enum pom_status pom_remote_open(const struct pom_remote_kind *kind, const char *location, bool create,
    const atomic_bool *cancel, struct pom_store **out, struct pom_message *msg) {
    struct pom_remote *remote = pom_calloc(1, kind->size);
    if (!remote)
        return pom_fail_memory(msg, location);
    remote->store.kind = kind->store;
    remote->kind = kind;
    enum pom_status status = open_all(remote, location, create, cancel, msg);
    if (status == POM_OK)
        *out = &remote->store;
    else
        pom_store_close(&remote->store);
    return status;
}

void pom_remote_clean_up(struct pom_remote *remote) {
    pom_client_free(remote->client);
    pom_readings_clean_up(&remote->readings);
}

enum pom_status pom_remote_run(struct pom_remote *remote, struct pom_call *call, struct pom_message *msg) {
    return pom_client_run(remote->client, &call->request, msg);
}

int pom_remote_deadline_ms(uint64_t bytes) {
    return POM_CLIENT_DEADLINE_MS + (int)(bytes / LEAST_BYTES_PER_MS);
}

static void release(struct pom_request *request) {
    pom_call_clean_up((struct pom_call *)request);
    free(request);
}

/* The call that was written down, or NULL where that failed. */
static struct pom_request *keep(struct pom_call *call, enum pom_status status) {
    if (status == POM_OK)
        return &call->request;
    release(&call->request);
    return NULL;
}

static struct pom_call *make(struct pom_request request, struct pom_message *msg) {
    struct pom_call *call = pom_calloc(1, sizeof *call);
    if (call)
        *call = (struct pom_call){.method = "GET", .request = request};
    else
        memory(msg);
    return call;
}

static struct pom_request *get(
    struct pom_store *store, const struct pom_store_entry *entry, size_t max_bytes, struct pom_message *msg) {
    struct pom_remote *remote = (struct pom_remote *)store;
    const struct pom_request request = {.subject = entry->path, .max_bytes = max_bytes, .hedge = true};
    struct pom_call *call = make(request, msg);
    if (!call)
        return NULL;
    call->expected_bytes = entry->size <= max_bytes ? entry->size : 0;
    return keep(call, remote->kind->get(remote, entry, 0, 0, call, msg));
}

static struct pom_request *probe(struct pom_store *store, const char *path, struct pom_message *msg) {
    struct pom_remote *remote = (struct pom_remote *)store;
    const struct pom_request request = {.subject = path, .max_bytes = MAX_ANSWER};
    struct pom_call *call = make(request, msg);
    if (!call)
        return NULL;
    call->missing_is_fine = true;
    return keep(call, remote->kind->probe(remote, path, call, msg));
}

static const struct pom_reading_kind readings = {get, probe, release};

enum pom_status pom_remote_read(struct pom_store *store, const struct pom_store_entry *entry, size_t max_bytes,
    struct pom_buffer *out, struct pom_message *msg) {
    return pom_reading_run(&readings, store, ((struct pom_remote *)store)->client, entry, max_bytes, out, msg);
}

void pom_remote_read_start(struct pom_store *store, struct pom_store_read *read) {
    struct pom_remote *remote = (struct pom_remote *)store;
    pom_reading_start(&readings, store, remote->client, &remote->readings, read);
}

void pom_remote_cancel(struct pom_store *store) {
    pom_client_cancel(((struct pom_remote *)store)->client);
}

uint64_t pom_remote_requests(const struct pom_store *store) {
    return pom_client_sent(((const struct pom_remote *)store)->client);
}

static enum pom_status join(
    const struct pom_store *store, const char *name, struct pom_buffer *path, struct pom_message *msg) {
    path->size = 0;
    return pom_buffer_printf(path, "%s%s", store->prefix, name) ? POM_OK : memory(msg);
}

enum pom_status pom_remote_version(
    struct pom_store *store, const char *name, struct pom_buffer *version, struct pom_message *msg) {
    struct pom_remote *remote = (struct pom_remote *)store;
    struct pom_buffer path = {0};
    struct pom_remote_object object = {0};
    enum pom_status status = join(store, name, &path, msg);
    if (status == POM_OK)
        status = remote->kind->stat(remote, path.data, &object, msg);
    pom_buffer_clean_up(&path);
    version->size = 0;
    if (status == POM_OK && !pom_buffer_text(version, *object.digest ? object.digest : object.version))
        status = memory(msg);
    return status;
}

/* An object being copied. */
struct copied {
    struct pom_remote *remote;
    struct pom_store_entry entry;
};

static enum pom_status read_range(void *user, uint64_t at, size_t n, struct pom_buffer *out, struct pom_message *msg) {
    const struct copied *copied = user;
    struct pom_call call = {.method = "GET",
        .expected_bytes = n,
        .request = {.subject = copied->entry.path, .max_bytes = n, .deadline_ms = pom_remote_deadline_ms(n)}};
    enum pom_status status = copied->remote->kind->get(copied->remote, &copied->entry, at, n, &call, msg);
    if (status == POM_OK)
        status = pom_remote_run(copied->remote, &call, msg);
    if (status == POM_OK) {
        *out = call.request.answer->answer;
        call.request.answer->answer = (struct pom_buffer){0};
    }
    pom_call_clean_up(&call);
    return status;
}

static enum pom_status download(
    struct pom_remote *remote, const char *path, const char *file, struct pom_message *msg) {
    struct pom_remote_object object;
    POM_TRY(remote->kind->stat(remote, path, &object, msg));
    if (!object.found)
        return pom_fail(msg, POM_ERR_NOT_FOUND, "%s is not there", path);
    struct copied copied = {remote, {path, object.size, object.version}};
    return pom_pieces_copy(object.size, read_range, &copied, file, msg);
}

enum pom_status pom_remote_download(
    struct pom_store *store, const char *name, const char *file, struct pom_message *msg) {
    struct pom_buffer path = {0};
    enum pom_status status = join(store, name, &path, msg);
    if (status == POM_OK)
        status = download((struct pom_remote *)store, path.data, file, msg);
    pom_buffer_clean_up(&path);
    return status;
}

enum pom_status pom_remote_publish(
    struct pom_store *store, const char *file, const char *name, struct pom_message *msg) {
    struct pom_remote *remote = (struct pom_remote *)store;
    struct pom_buffer path = {0};
    enum pom_status status = join(store, name, &path, msg);
    if (status == POM_OK)
        status = remote->kind->upload(remote, file, path.data, msg);
    pom_buffer_clean_up(&path);
    if (status == POM_OK && unlink(file) != 0)
        status = pom_fail_errno(msg, POM_ERR_IO, "cannot remove %s", file);
    return status;
}

static enum pom_status remove_object(
    struct pom_store *store, const char *name, bool even_cancelled, struct pom_message *msg) {
    struct pom_remote *remote = (struct pom_remote *)store;
    struct pom_buffer path = {0};
    struct pom_call call = {.method = "DELETE",
        .missing_is_fine = true,
        .request = {.max_bytes = MAX_ANSWER, .even_cancelled = even_cancelled}};
    enum pom_status status = join(store, name, &path, msg);
    call.request.subject = path.data;
    if (status == POM_OK)
        status = remote->kind->remove(remote, path.data, &call, msg);
    if (status == POM_OK)
        status = pom_remote_run(remote, &call, msg);
    pom_call_clean_up(&call);
    pom_buffer_clean_up(&path);
    return status;
}

enum pom_status pom_remote_remove(struct pom_store *store, const char *name, struct pom_message *msg) {
    return remove_object(store, name, false, msg);
}

enum pom_status pom_remote_note_remove(struct pom_store *store, const char *name, struct pom_message *msg) {
    return remove_object(store, name, true, msg);
}
