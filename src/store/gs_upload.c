/* Files to Google Cloud Storage: a resumable upload, whose object is there when its last byte is. */
#include "base/file.h"
#include "store/gs.h"
#include "store/gs_json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ANSWER = 1 << 20, SESSION_BYTES = 4096, STATUS_INCOMPLETE = 308, MOST_STALLS = 5 };

static const uint64_t chunk_bytes = (uint64_t)32 << 20; /* a multiple of 256 KiB, as it must be */

struct upload {
    struct pom_remote *remote;
    const char *path; /* of the object */
    struct pom_map map;
    char digest[POM_SHA256_HEX];
    char session[SESSION_BYTES]; /* its URL, which is a secret */
    uint64_t at;                 /* what the server has */
    int stalls;                  /* chunks in a row of which it took nothing */
    bool over;
};

struct chunk {
    struct pom_call call;
    uint64_t total; /* of the object */
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

/* The end is told by the object itself; anything else with status 200 comes from who stands between, such as a portal
 * that asks to sign in. */
static enum pom_verdict accept_chunk(struct pom_call *call, const struct pom_http_transfer *transfer) {
    struct pom_remote_object object = {0};
    if (transfer->status == STATUS_INCOMPLETE)
        return POM_VERDICT_DONE;
    if (transfer->status < 200 || transfer->status >= 300)
        return pom_retry_judge_status(transfer->status);
    bool whole = pom_gs_object_parse(transfer->answer.data, transfer->answer.size, &object, NULL) == POM_OK &&
                 object.size == ((const struct chunk *)call)->total;
    return whole ? POM_VERDICT_DONE : POM_VERDICT_RETRY;
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

static enum pom_status advance(struct upload *upload, const struct pom_http_transfer *answer, struct pom_message *msg) {
    uint64_t total = upload->map.size, has = taken(answer);
    upload->over = answer->status != STATUS_INCOMPLETE;
    if (upload->over)
        return POM_OK;
    upload->stalls = has == upload->at ? upload->stalls + 1 : 0;
    if (has >= total || has < upload->at || upload->stalls > MOST_STALLS)
        return pom_fail(msg, POM_ERR_NETWORK,
            "%s: the upload does not get on: %llu of %llu bytes are there: run the same command again", upload->path,
            (unsigned long long)has, (unsigned long long)total);
    upload->at = has;
    return POM_OK;
}

/* Sends what follows. Bytes sent twice do no harm: the server ignores those that it has. */
static enum pom_status send_chunk(struct upload *upload, struct pom_message *msg) {
    char range[96];
    uint64_t total = upload->map.size, at = upload->at, left = total - at, n = left < chunk_bytes ? left : chunk_bytes;
    struct chunk chunk = {.total = total};
    struct pom_call *call = &chunk.call;
    *call = (struct pom_call){.method = "PUT",
        .body = upload->map.data + at,
        .body_size = n,
        .write = write_chunk,
        .accept = accept_chunk,
        .request = {.subject = upload->path, .max_bytes = MAX_ANSWER, .deadline_ms = pom_remote_deadline_ms(n)}};
    snprintf(range, sizeof range, "bytes %llu-%llu/%llu", (unsigned long long)at, (unsigned long long)(at + n - 1),
        (unsigned long long)total);
    bool good = pom_buffer_text(&call->url, upload->session) && pom_call_header(call, "Content-Range", range) &&
                pom_call_header(call, "Content-Type", "application/octet-stream");
    enum pom_status status = good ? pom_remote_run(upload->remote, call, msg) : pom_fail_memory(msg, upload->path);
    if (status == POM_OK)
        status = advance(upload, call->request.answer, msg);
    pom_call_clean_up(call);
    return status;
}

static enum pom_status send_all(struct upload *upload, struct pom_message *msg) {
    if (upload->map.size == 0)
        return pom_fail(msg, POM_ERR_ARGUMENT, "%s: there is nothing to upload", upload->path);
    POM_TRY(pom_sha256(upload->map.data, upload->map.size, upload->digest, msg));
    POM_TRY(begin(upload, msg));
    while (!upload->over)
        POM_TRY(send_chunk(upload, msg));
    return POM_OK;
}

enum pom_status pom_gs_upload(struct pom_remote *remote, const char *file, const char *path, struct pom_message *msg) {
    struct upload upload = {.remote = remote, .path = path};
    POM_TRY(pom_file_map(file, &upload.map, msg));
    enum pom_status status = send_all(&upload, msg);
    pom_file_unmap(&upload.map);
    return status;
}
