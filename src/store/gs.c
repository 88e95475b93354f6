/* Buckets of Google Cloud Storage. */
#include "store/gs.h"

#include "base/file.h"
#include "store/gs_json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ANSWER = 1 << 20, OPEN_ATTEMPTS = 5 /* someone waits for the first answer */ };

static enum pom_status memory(struct pom_message *msg) {
    return pom_fail_memory(msg, "a request");
}

const char *pom_gs_name(const struct pom_gs *gs, const char *path) {
    return path + strlen("gs://") + strlen(gs->uri.bucket) + 1;
}

bool pom_gs_url(const struct pom_gs *gs, const char *name, struct pom_buffer *out) {
    return pom_buffer_printf(out, "%s/storage/v1/b/%s/o", gs->endpoint, gs->uri.bucket) &&
           (!name || (pom_buffer_text(out, "/") && pom_uri_encode(out, name, "")));
}

static enum pom_status gs_get(struct pom_remote *remote, const struct pom_store_entry *entry, uint64_t at, uint64_t n,
    struct pom_call *call, struct pom_message *msg) {
    const struct pom_gs *gs = (const struct pom_gs *)remote;
    char range[64];
    bool good = pom_gs_url(gs, pom_gs_name(gs, entry->path), &call->url) && pom_buffer_text(&call->url, "?alt=media");
    if (entry->version && *entry->version)
        good = good && pom_buffer_printf(&call->url, "&ifGenerationMatch=%s", entry->version);
    snprintf(range, sizeof range, "bytes=%llu-%llu", (unsigned long long)at, (unsigned long long)(at + n - 1));
    if (n)
        good = good && pom_call_header(call, "Range", range);
    return good ? POM_OK : memory(msg);
}

/* What is known of it takes the permission that reading it does. */
static bool metadata_url(const struct pom_gs *gs, const char *path, struct pom_buffer *out) {
    return pom_gs_url(gs, pom_gs_name(gs, path), out) && pom_buffer_text(out, "?fields=size,generation,metadata");
}

static enum pom_status gs_probe(
    struct pom_remote *remote, const char *path, struct pom_call *call, struct pom_message *msg) {
    return metadata_url((const struct pom_gs *)remote, path, &call->url) ? POM_OK : memory(msg);
}

static enum pom_status gs_stat(
    struct pom_remote *remote, const char *path, struct pom_remote_object *out, struct pom_message *msg) {
    const struct pom_gs *gs = (const struct pom_gs *)remote;
    struct pom_call call = {
        .method = "GET", .missing_is_fine = true, .request = {.subject = path, .max_bytes = MAX_ANSWER}};
    *out = (struct pom_remote_object){0};
    enum pom_status status = metadata_url(gs, path, &call.url) ? pom_remote_run(remote, &call, msg) : memory(msg);
    if (status == POM_OK && call.request.answer->status != 404)
        status = pom_gs_object_parse(call.request.answer->answer.data, call.request.answer->answer.size, out, msg);
    pom_call_clean_up(&call);
    return status;
}

static enum pom_status gs_remove(
    struct pom_remote *remote, const char *path, struct pom_call *call, struct pom_message *msg) {
    const struct pom_gs *gs = (const struct pom_gs *)remote;
    return pom_gs_url(gs, pom_gs_name(gs, path), &call->url) ? POM_OK : memory(msg);
}

static enum pom_status set_prefix(struct pom_gs *gs, bool folder, struct pom_message *msg) {
    struct pom_buffer prefix = {0}, key = {0};
    size_t n = strlen(gs->uri.key);
    bool slash = folder && n > 0 && gs->uri.key[n - 1] != '/';
    bool good = pom_buffer_printf(&key, "%s%s", gs->uri.key, slash ? "/" : "") &&
                pom_buffer_printf(&prefix, "gs://%s/%s", gs->uri.bucket, key.data);
    if (!good) {
        pom_buffer_clean_up(&key);
        return memory(msg);
    }
    free(gs->uri.key);
    free(gs->remote.store.prefix);
    gs->uri.key = key.data;
    gs->remote.store.prefix = prefix.data;
    gs->folder = folder;
    return POM_OK;
}

/* Whether anything begins with the prefix; a bucket that cannot be listed is told of here. */
static enum pom_status probe_folder(struct pom_gs *gs, bool *found, struct pom_message *msg) {
    struct pom_call call = {.method = "GET",
        .request = {.subject = gs->remote.store.prefix, .max_bytes = MAX_ANSWER, .most_attempts = OPEN_ATTEMPTS}};
    struct pom_page page = {0};
    bool good = pom_gs_url(gs, NULL, &call.url) && pom_buffer_text(&call.url, "?maxResults=1&prefix=") &&
                pom_uri_encode(&call.url, gs->uri.key, "");
    enum pom_status status = good ? pom_remote_run(&gs->remote, &call, msg) : memory(msg);
    if (status == POM_OK)
        status = pom_gs_page_parse(call.request.answer->answer.data, call.request.answer->answer.size, &page, msg);
    *found = page.n_objects > 0;
    pom_page_clean_up(&page);
    pom_call_clean_up(&call);
    return status;
}

/* What the location names: a folder, or one object. */
static enum pom_status gs_locate(struct pom_remote *remote, bool create, struct pom_message *msg) {
    struct pom_gs *gs = (struct pom_gs *)remote;
    bool found = false;
    struct pom_remote_object object;
    POM_TRY(set_prefix(gs, true, msg));
    POM_TRY(probe_folder(gs, &found, msg));
    size_t n = strlen(gs->uri.key);
    if (found || create || n == 0)
        return POM_OK;
    gs->uri.key[n - 1] = '\0';
    POM_TRY(set_prefix(gs, false, msg));
    const char *path = gs->remote.store.prefix;
    POM_TRY(gs_stat(&gs->remote, path, &object, msg));
    if (!object.found)
        return pom_fail(msg, POM_ERR_NOT_FOUND, "%s is no object, and no object's name begins with %s/", path, path);
    return POM_OK;
}

/* Where requests go: Google, or the server that a test or a private network has instead. */
static enum pom_status read_endpoint(struct pom_gs *gs, struct pom_message *msg) {
    struct pom_buffer endpoint = {0};
    const char *own = getenv("POMONA_GS_ENDPOINT");
    if (!own || !*own)
        own = getenv("STORAGE_EMULATOR_HOST");
    bool set = own && *own;
    bool scheme = !set || strncmp(own, "http://", 7) == 0 || strncmp(own, "https://", 8) == 0;
    if (!pom_buffer_printf(&endpoint, "%s%s", scheme ? "" : "http://", set ? own : "https://storage.googleapis.com"))
        return memory(msg);
    while (endpoint.data[endpoint.size - 1] == '/')
        endpoint.data[--endpoint.size] = '\0';
    gs->endpoint = endpoint.data;
    return POM_OK;
}

static void gs_close(struct pom_store *store) {
    struct pom_gs *gs = (struct pom_gs *)store;
    pom_remote_clean_up(&gs->remote);
    pom_gs_identity_free(gs->identity);
    pom_bucket_uri_clean_up(&gs->uri);
    pom_buffer_clean_up(&gs->token);
    free(gs->endpoint);
    free(gs);
}

static enum pom_status gs_prepare(
    struct pom_remote *remote, const char *location, const atomic_bool *cancel, struct pom_message *msg) {
    struct pom_gs *gs = (struct pom_gs *)remote;
    POM_TRY(pom_bucket_uri_parse(location, &gs->uri, msg));
    POM_TRY(read_endpoint(gs, msg));
    return pom_gs_identity_new(cancel, &gs->identity, msg);
}

static const struct pom_remote_kind gs_kind = {
    .store = &pom_gs_store,
    .size = sizeof(struct pom_gs),
    .protocol = &pom_gs_protocol,
    .prepare = gs_prepare,
    .locate = gs_locate,
    .get = gs_get,
    .probe = gs_probe,
    .stat = gs_stat,
    .upload = pom_gs_upload,
    .remove = gs_remove,
};

static enum pom_status gs_open(
    const char *location, bool create, const atomic_bool *cancel, struct pom_store **out, struct pom_message *msg) {
    return pom_remote_open(&gs_kind, location, create, cancel, out, msg);
}

/* The digest goes with the object, so that its version is known before it is published. */
static enum pom_status gs_file_version(
    struct pom_store *store, const char *file, struct pom_buffer *version, struct pom_message *msg) {
    (void)store;
    char digest[POM_SHA256_HEX];
    struct pom_map map;
    POM_TRY(pom_file_map(file, &map, msg));
    enum pom_status status = pom_sha256(map.data, map.size, digest, msg);
    pom_file_unmap(&map);
    version->size = 0;
    if (status == POM_OK && !pom_buffer_text(version, digest))
        status = memory(msg);
    return status;
}

const struct pom_store_kind pom_gs_store = {
    .open = gs_open,
    .close = gs_close,
    .list = pom_gs_list,
    .read = pom_remote_read,
    .read_start = pom_remote_read_start,
    .cancel = pom_remote_cancel,
    .requests = pom_remote_requests,
    .version = pom_remote_version,
    .download = pom_remote_download,
    .publish = pom_remote_publish,
    .file_version = gs_file_version,
    .remove = pom_remote_remove,
    .note_read = pom_gs_note_read,
    .note_write = pom_gs_note_write,
    .note_remove = pom_remote_note_remove,
    .examine = pom_gs_examine,
    .region = pom_gs_region,
};
