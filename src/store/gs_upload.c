/* Files to Google Cloud Storage: a resumable upload, whose object is there when its last byte is. */
#include "base/file.h"
#include "store/gs.h"
#include "store/gs_json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ANSWER = 1 << 20, SESSION_BYTES = 4096, STATUS_INCOMPLETE = 308 };

static const uint64_t chunk_bytes = (uint64_t)32 << 20; /* a multiple of 256 KiB, as it must be */

struct upload {
    struct pom_remote *remote;
    const char *path; /* of the object */
    struct pom_map map;
    char digest[POM_SHA256_HEX];
    char session[SESSION_BYTES]; /* its URL, which is a secret */
};

static enum pom_status begin(struct upload *upload, struct pom_message *msg) {
    const struct pom_gs *gs = (const struct pom_gs *)upload->remote;
    struct pom_buffer body = {0};
    struct pom_call call = {.method = "POST", .request = {.subject = upload->path, .max_bytes = MAX_ANSWER}};
    bool good = pom_buffer_printf(&call.url, "%s/upload/storage/v1/b/%s/o?uploadType=resumable&name=", gs->endpoint,
                    gs->uri.bucket) &&
                pom_uri_encode(&call.url, pom_gs_name(gs, upload->path), "") &&
                pom_call_header(&call, "Content-Type", "application/json") &&
                pom_buffer_printf(&body, "{\"metadata\": {\"" POM_GS_DIGEST "\": \"%s\"}}", upload->digest);
    call.body = body.data;
    call.body_size = body.size;
    enum pom_status status = good ? pom_remote_run(upload->remote, &call, msg) : pom_fail_memory(msg, upload->path);
    if (status == POM_OK) {
        pom_http_header(call.request.answer, "location", upload->session, sizeof upload->session);
        if (strncmp(upload->session, "http", 4) != 0)
            status = pom_fail(msg, POM_ERR_NETWORK, "%s: the server begins no resumable upload: check the endpoint %s",
                upload->path, gs->endpoint);
    }
    pom_call_clean_up(&call);
    pom_buffer_clean_up(&body);
    return status;
}

/* The session's URL says who uploads: no token goes with it, wherever it leads. */
static bool write_chunk(struct pom_call *call, struct pom_http_transfer *transfer) {
    return pom_call_write(call, &call->url, true, transfer);
}

static enum pom_verdict accept_chunk(struct pom_call *call, const struct pom_http_transfer *transfer) {
    (void)call;
    return transfer->status == STATUS_INCOMPLETE ? POM_VERDICT_DONE : pom_retry_judge_status(transfer->status);
}

/* How much the server has, by its answer to a chunk; 0: nothing yet. */
static uint64_t taken(const struct pom_http_transfer *answer) {
    char range[64], *end = NULL;
    pom_http_header(answer, "range", range, sizeof range);
    if (strncmp(range, "bytes=0-", 8) != 0)
        return 0;
    uint64_t last = strtoull(range + 8, &end, 10);
    return *end || last == UINT64_MAX ? 0 : last + 1;
}

/* Sends what follows *at, and sets it to what the server has then. Bytes sent twice do no harm: the server ignores
 * those that it has. */
static enum pom_status send_chunk(struct upload *upload, uint64_t *at, bool *over, struct pom_message *msg) {
    char range[96];
    uint64_t total = upload->map.size, left = total - *at, n = left < chunk_bytes ? left : chunk_bytes;
    struct pom_call call = {.method = "PUT",
        .body = upload->map.data + *at,
        .body_size = n,
        .write = write_chunk,
        .accept = accept_chunk,
        .request = {.subject = upload->path, .max_bytes = MAX_ANSWER, .deadline_ms = pom_remote_deadline_ms(n)}};
    snprintf(range, sizeof range, "bytes %llu-%llu/%llu", (unsigned long long)*at, (unsigned long long)(*at + n - 1),
        (unsigned long long)total);
    bool good = pom_buffer_text(&call.url, upload->session) && pom_call_header(&call, "Content-Range", range) &&
                pom_call_header(&call, "Content-Type", "application/octet-stream");
    enum pom_status status = good ? pom_remote_run(upload->remote, &call, msg) : pom_fail_memory(msg, upload->path);
    if (status == POM_OK) {
        *over = call.request.answer->status != STATUS_INCOMPLETE;
        uint64_t has = *over ? total : taken(call.request.answer);
        if (has > total || (has == total && !*over) || (has <= *at && !*over))
            status = pom_fail(msg, POM_ERR_NETWORK, "%s: the upload does not get on: %llu of %llu bytes are there",
                upload->path, (unsigned long long)has, (unsigned long long)total);
        *at = has;
    }
    pom_call_clean_up(&call);
    return status;
}

static enum pom_status send_all(struct upload *upload, struct pom_message *msg) {
    uint64_t at = 0;
    bool over = false;
    if (upload->map.size == 0)
        return pom_fail(msg, POM_ERR_ARGUMENT, "%s: there is nothing to upload", upload->path);
    POM_TRY(pom_sha256(upload->map.data, upload->map.size, upload->digest, msg));
    POM_TRY(begin(upload, msg));
    while (!over)
        POM_TRY(send_chunk(upload, &at, &over, msg));
    return POM_OK;
}

enum pom_status pom_gs_upload(struct pom_remote *remote, const char *file, const char *path, struct pom_message *msg) {
    struct upload upload = {.remote = remote, .path = path};
    POM_TRY(pom_file_map(file, &upload.map, msg));
    enum pom_status status = send_all(&upload, msg);
    pom_file_unmap(&upload.map);
    return status;
}
