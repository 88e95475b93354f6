/* Buckets that speak S3. */
#include "store/s3.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/memory.h"
#include "store/s3_xml.h"
#include "store/staging.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_ANSWER = 8 << 20, OPEN_ATTEMPTS = 5 /* someone waits for the first answer */ };

static enum pom_status memory(struct pom_message *msg) {
    return pom_fail_memory(msg, "a request");
}

const char *pom_s3_key(const struct pom_s3 *s3, const char *path) {
    return path + strlen("s3://") + strlen(s3->uri.bucket) + 1;
}

static enum pom_status set_prefix(struct pom_s3 *s3, bool folder, struct pom_message *msg) {
    struct pom_buffer prefix = {0}, key = {0};
    size_t n = strlen(s3->uri.key);
    bool slash = folder && n > 0 && s3->uri.key[n - 1] != '/';
    bool good = pom_buffer_printf(&key, "%s%s", s3->uri.key, slash ? "/" : "") &&
                pom_buffer_printf(&prefix, "s3://%s/%s", s3->uri.bucket, key.data);
    if (!good) {
        pom_buffer_clean_up(&key);
        return memory(msg);
    }
    free(s3->uri.key);
    free(s3->store.prefix);
    s3->uri.key = key.data;
    s3->store.prefix = prefix.data;
    s3->folder = folder;
    return POM_OK;
}

static bool is_page(struct pom_s3_request *request, const struct pom_http_transfer *transfer) {
    (void)request;
    struct pom_page page = {0};
    bool parsed = pom_s3_page_parse(transfer->answer.data, transfer->answer.size, &page, NULL) == POM_OK;
    pom_page_clean_up(&page);
    return parsed;
}

/* Whether anything begins with the prefix; a bucket that cannot be listed is told of here. A folder that is to be read
 * keeps the answer: it is the listing's first page. */
static enum pom_status probe_folder(struct pom_s3 *s3, bool create, bool *found, struct pom_message *msg) {
    struct pom_s3_request request = {.method = "GET",
        .accept = is_page,
        .request = {.subject = s3->store.prefix, .max_bytes = MAX_ANSWER, .most_attempts = OPEN_ATTEMPTS}};
    pom_s3_parameter(&request, "list-type", "2");
    pom_s3_parameter(&request, "encoding-type", "url");
    pom_s3_parameter(&request, "max-keys", create ? "1" : NULL);
    pom_s3_parameter(&request, "prefix", s3->uri.key);
    enum pom_status status = pom_client_run(s3->client, &request.request, msg);
    if (status == POM_OK)
        status = pom_s3_page_parse(
            request.request.answer->answer.data, request.request.answer->answer.size, &s3->first, msg);
    *found = s3->first.n_objects > 0;
    if (create)
        pom_page_clean_up(&s3->first);
    pom_request_clean_up(&request.request);
    return status;
}

enum pom_status pom_s3_head(struct pom_s3 *s3, const char *path, struct pom_s3_head *out, struct pom_message *msg) {
    struct pom_s3_request request = {.method = "HEAD",
        .key = pom_s3_key(s3, path),
        .missing_is_fine = true,
        .accept = pom_s3_has_etag,
        .request = {.subject = path, .hedge = true}};
    *out = (struct pom_s3_head){0};
    enum pom_status status = pom_client_run(s3->client, &request.request, msg);
    if (status == POM_OK && request.request.answer->status != 404) {
        char length[32];
        pom_http_header(request.request.answer, "etag", out->etag, sizeof out->etag);
        pom_http_header(request.request.answer, POM_S3_DIGEST, out->digest, sizeof out->digest);
        pom_http_header(request.request.answer, "content-length", length, sizeof length);
        out->size = strtoull(length, NULL, 10);
        out->found = true;
    }
    pom_request_clean_up(&request.request);
    return status;
}

/* What the location names: a folder, or one object. */
static enum pom_status examine(struct pom_s3 *s3, bool create, struct pom_message *msg) {
    bool found = false;
    struct pom_s3_head head;
    POM_TRY(set_prefix(s3, true, msg));
    POM_TRY(probe_folder(s3, create, &found, msg));
    size_t n = strlen(s3->uri.key);
    if (found || create || n == 0)
        return POM_OK;
    s3->uri.key[n - 1] = '\0';
    POM_TRY(set_prefix(s3, false, msg));
    POM_TRY(pom_s3_head(s3, s3->store.prefix, &head, msg));
    if (!head.found)
        return pom_fail(msg, POM_ERR_NOT_FOUND, "%s is no object, and no object's key begins with %s/",
            s3->store.prefix, s3->store.prefix);
    return POM_OK;
}

static void s3_close(struct pom_store *store) {
    struct pom_s3 *s3 = (struct pom_s3 *)store;
    pom_client_free(s3->client);
    pom_page_clean_up(&s3->first);
    pom_identity_free(s3->identity);
    pom_credentials_clean_up(&s3->credentials);
    pom_bucket_uri_clean_up(&s3->uri);
    pom_s3_config_clean_up(&s3->config);
    pom_buffer_clean_up(&s3->path);
    pom_buffer_clean_up(&s3->query);
    pom_buffer_clean_up(&s3->authorization);
    pom_readings_clean_up(&s3->readings);
    pthread_mutex_destroy(&s3->mutex);
    free(s3);
}

static enum pom_status open_all(
    struct pom_s3 *s3, const char *location, bool create, const atomic_bool *cancel, struct pom_message *msg) {
    POM_TRY(pom_bucket_uri_parse(location, &s3->uri, msg));
    POM_TRY(pom_s3_config_read(s3->uri.bucket, &s3->config, msg));
    memcpy(s3->region, s3->config.region, sizeof s3->region);
    POM_TRY(pom_identity_new(s3->region, cancel, &s3->identity, msg));
    POM_TRY(pom_client_new(&pom_s3_protocol, s3, cancel, &s3->client, msg));
    POM_TRY(examine(s3, create, msg));
    return create ? pom_staging_make(s3->store.prefix, &s3->store.staging, msg) : POM_OK;
}

static enum pom_status s3_open(
    const char *location, bool create, const atomic_bool *cancel, struct pom_store **out, struct pom_message *msg) {
    struct pom_s3 *s3 = pom_calloc(1, sizeof *s3);
    if (!s3)
        return pom_fail_memory(msg, location);
    s3->store.kind = &pom_s3_store;
    pthread_mutex_init(&s3->mutex, NULL);
    enum pom_status status = open_all(s3, location, create, cancel, msg);
    if (status == POM_OK)
        *out = &s3->store;
    else
        pom_store_close(&s3->store);
    return status;
}

static void s3_cancel(struct pom_store *store) {
    pom_client_cancel(((struct pom_s3 *)store)->client);
}

static uint64_t s3_requests(const struct pom_store *store) {
    return pom_client_sent(((const struct pom_s3 *)store)->client);
}

static enum pom_status join(
    const struct pom_s3 *s3, const char *name, struct pom_buffer *path, struct pom_message *msg) {
    path->size = 0;
    return pom_buffer_printf(path, "%s%s", s3->store.prefix, name) ? POM_OK : memory(msg);
}

static enum pom_status s3_version(
    struct pom_store *store, const char *name, struct pom_buffer *version, struct pom_message *msg) {
    struct pom_s3 *s3 = (struct pom_s3 *)store;
    struct pom_buffer path = {0};
    struct pom_s3_head head = {0};
    enum pom_status status = join(s3, name, &path, msg);
    if (status == POM_OK)
        status = pom_s3_head(s3, path.data, &head, msg);
    pom_buffer_clean_up(&path);
    version->size = 0;
    if (status == POM_OK && !pom_buffer_text(version, *head.digest ? head.digest : head.etag))
        status = memory(msg);
    return status;
}

/* The digest goes with the object, so that its version is known before it is published. */
static enum pom_status s3_file_version(
    struct pom_store *store, const char *file, struct pom_buffer *version, struct pom_message *msg) {
    (void)store;
    char digest[POM_SHA256_HEX];
    POM_TRY(pom_s3_digest(file, digest, msg));
    version->size = 0;
    return pom_buffer_text(version, digest) ? POM_OK : memory(msg);
}

static enum pom_status s3_download(
    struct pom_store *store, const char *name, const char *file, struct pom_message *msg) {
    struct pom_s3 *s3 = (struct pom_s3 *)store;
    struct pom_buffer path = {0};
    enum pom_status status = join(s3, name, &path, msg);
    if (status == POM_OK)
        status = pom_s3_download(s3, path.data, file, msg);
    pom_buffer_clean_up(&path);
    return status;
}

static enum pom_status s3_publish(
    struct pom_store *store, const char *file, const char *name, struct pom_message *msg) {
    struct pom_s3 *s3 = (struct pom_s3 *)store;
    struct pom_buffer path = {0};
    enum pom_status status = join(s3, name, &path, msg);
    if (status == POM_OK)
        status = pom_s3_upload(s3, file, path.data, msg);
    pom_buffer_clean_up(&path);
    if (status == POM_OK && unlink(file) != 0)
        status = pom_fail_errno(msg, POM_ERR_IO, "cannot remove %s", file);
    return status;
}

static enum pom_status s3_remove(struct pom_store *store, const char *name, struct pom_message *msg) {
    struct pom_s3 *s3 = (struct pom_s3 *)store;
    struct pom_buffer path = {0};
    struct pom_s3_request request = {.method = "DELETE", .missing_is_fine = true, .request = {.max_bytes = MAX_ANSWER}};
    enum pom_status status = join(s3, name, &path, msg);
    if (status == POM_OK) {
        request.key = pom_s3_key(s3, path.data);
        request.request.subject = path.data;
        status = pom_client_run(s3->client, &request.request, msg);
    }
    pom_request_clean_up(&request.request);
    pom_buffer_clean_up(&path);
    return status;
}

/* The server has put it right when the store was opened. */
static enum pom_status s3_region(struct pom_store *store, struct pom_buffer *out, struct pom_message *msg) {
    char region[POM_S3_REGION];
    pom_s3_region((struct pom_s3 *)store, region);
    out->size = 0;
    return pom_buffer_text(out, region) ? POM_OK : memory(msg);
}

const struct pom_store_kind pom_s3_store = {
    .open = s3_open,
    .close = s3_close,
    .list = pom_s3_list,
    .read = pom_s3_read,
    .read_start = pom_s3_read_start,
    .cancel = s3_cancel,
    .requests = s3_requests,
    .version = s3_version,
    .download = s3_download,
    .publish = s3_publish,
    .file_version = s3_file_version,
    .remove = s3_remove,
    .tidy = pom_s3_tidy,
    .note_read = pom_s3_note_read,
    .note_write = pom_s3_note_write,
    .note_remove = pom_s3_note_remove,
    .examine = pom_s3_examine,
    .region = s3_region,
};
