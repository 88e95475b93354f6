/* Uploads of large files, in parts: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
 * The object appears with the last request, whole; whatever fails before, the parts are given up. The upload under way
 * is noted in the staging folder, by its number and then its path, so that those of a process that was killed are too.
 */
#include "base/memory.h"
#include "store/s3.h"
#include "store/s3_xml.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_ANSWER = 1 << 20, MAX_ID = 2048, MAX_ETAG = 128, MOST_PARTS = 9000, AT_ONCE = 6, ABORT_ATTEMPTS = 3 };
enum { MAX_NOTE = 8192 };

static const size_t least_part = (size_t)16 << 20;

struct upload {
    struct pom_s3 *s3;
    const struct pom_map *map;
    const char *path, *key, *digest;
    char id[MAX_ID];
    size_t part_bytes, n_parts;
    char (*etags)[MAX_ETAG];

    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t changed;
    int under_way;
    enum pom_status status;
    struct pom_message message;
};

/* A part on its way. */
struct part {
    struct pom_s3_request request;
    struct upload *upload;
    size_t index;
    char number[24], digest[POM_SHA256_HEX];
};

static enum pom_status begin(struct upload *upload, struct pom_message *msg) {
    struct pom_s3_request request = {
        .method = "POST", .key = upload->key, .request = {.subject = upload->path, .max_bytes = MAX_ANSWER}};
    pom_s3_parameter(&request, "uploads", "");
    pom_s3_header(&request, POM_S3_DIGEST, upload->digest);
    pom_s3_add_encryption(upload->s3, &request);
    enum pom_status status = pom_client_run(upload->s3->client, &request.request, msg);
    if (status == POM_OK) {
        const struct pom_buffer *answer = &request.request.answer->answer;
        static const char root[] = "InitiateMultipartUploadResult";
        pom_xml_text(answer->data, answer->size, root, root, "UploadId", upload->id, sizeof upload->id);
        if (!*upload->id)
            status =
                pom_fail(msg, POM_ERR_NETWORK, "%s: the store gives no number for an upload in parts", upload->path);
    }
    pom_request_clean_up(&request.request);
    return status;
}

/* On the engine's thread. */
static void on_part(struct pom_request *request) {
    struct part *part = (struct part *)request;
    struct upload *upload = part->upload;
    pthread_mutex_lock(&upload->mutex);
    if (request->status == POM_OK) {
        pom_http_header(request->answer, "etag", upload->etags[part->index], MAX_ETAG);
    } else if (upload->status == POM_OK) {
        upload->status = request->status;
        upload->message = request->message;
    }
    upload->under_way--;
    pthread_cond_signal(&upload->changed);
    pthread_mutex_unlock(&upload->mutex);
    pom_request_clean_up(request);
    free(part);
}

static enum pom_status start_part(struct upload *upload, size_t index, struct pom_message *msg) {
    size_t at = index * upload->part_bytes, left = upload->map->size - at;
    size_t n = left < upload->part_bytes ? left : upload->part_bytes;
    struct part *part = pom_calloc(1, sizeof *part);
    if (!part)
        return pom_fail_memory(msg, upload->path);
    part->upload = upload;
    part->index = index;
    snprintf(part->number, sizeof part->number, "%zu", index + 1);
    enum pom_status status = pom_sha256(upload->map->data + at, n, part->digest, msg);
    if (status != POM_OK) {
        free(part);
        return status;
    }
    part->request = (struct pom_s3_request){.method = "PUT",
        .key = upload->key,
        .body = upload->map->data + at,
        .body_size = n,
        .body_sha256 = part->digest,
        .accept = pom_s3_has_etag,
        .request = {
            .subject = upload->path, .max_bytes = MAX_ANSWER, .deadline_ms = pom_s3_deadline_ms(n), .done = on_part}};
    pom_s3_parameter(&part->request, "partNumber", part->number);
    pom_s3_parameter(&part->request, "uploadId", upload->id);
    pthread_mutex_lock(&upload->mutex);
    upload->under_way++;
    pthread_mutex_unlock(&upload->mutex);
    pom_client_submit(upload->s3->client, &part->request.request);
    return POM_OK;
}

/* Waits until at most `most` parts are under way. */
static enum pom_status wait_for_parts(struct upload *upload, int most, struct pom_message *msg) {
    pthread_mutex_lock(&upload->mutex);
    while (upload->under_way > most)
        pthread_cond_wait(&upload->changed, &upload->mutex);
    enum pom_status status = upload->status;
    if (status != POM_OK && msg)
        *msg = upload->message;
    pthread_mutex_unlock(&upload->mutex);
    return status;
}

static enum pom_status send_parts(struct upload *upload, struct pom_message *msg) {
    enum pom_status status = POM_OK;
    for (size_t i = 0; i < upload->n_parts && status == POM_OK; i++) {
        status = wait_for_parts(upload, AT_ONCE - 1, msg);
        if (status == POM_OK)
            status = start_part(upload, i, msg);
    }
    enum pom_status ended = wait_for_parts(upload, 0, status == POM_OK ? msg : NULL);
    return status == POM_OK ? ended : status;
}

static bool write_parts(const struct upload *upload, struct pom_buffer *out) {
    bool good = pom_buffer_text(out, "<CompleteMultipartUpload>");
    for (size_t i = 0; i < upload->n_parts && good; i++)
        good =
            pom_buffer_printf(out, "<Part><PartNumber>%zu</PartNumber><ETag>%s</ETag></Part>", i + 1, upload->etags[i]);
    return good && pom_buffer_text(out, "</CompleteMultipartUpload>");
}

/* The status is sent before the work is done: only the document tells how it ended. */
static bool is_completed(struct pom_s3_request *request, const struct pom_http_transfer *transfer) {
    (void)request;
    char etag[MAX_ETAG];
    static const char root[] = "CompleteMultipartUploadResult";
    return pom_xml_text(transfer->answer.data, transfer->answer.size, root, root, "ETag", etag, sizeof etag);
}

/* An earlier attempt may have done it, and only its answer was lost. */
static bool is_there(const struct upload *upload) {
    struct pom_s3_head head;
    return pom_s3_head(upload->s3, upload->path, &head, NULL) == POM_OK && strcmp(head.digest, upload->digest) == 0;
}

static enum pom_status complete(struct upload *upload, struct pom_message *msg) {
    struct pom_buffer body = {0};
    char digest[POM_SHA256_HEX];
    enum pom_status status = write_parts(upload, &body) ? POM_OK : pom_fail_memory(msg, upload->path);
    if (status == POM_OK)
        status = pom_sha256(body.data, body.size, digest, msg);
    if (status == POM_OK) {
        struct pom_s3_request request = {.method = "POST",
            .key = upload->key,
            .body = body.data,
            .body_size = body.size,
            .body_sha256 = digest,
            .accept = is_completed,
            .request = {.subject = upload->path, .max_bytes = MAX_ANSWER, .deadline_ms = 4 * POM_CLIENT_DEADLINE_MS}};
        pom_s3_parameter(&request, "uploadId", upload->id);
        status = pom_client_run(upload->s3->client, &request.request, msg);
        if (status != POM_OK && request.request.attempts > 1 && is_there(upload))
            status = POM_OK;
        pom_request_clean_up(&request.request);
    }
    pom_buffer_clean_up(&body);
    return status;
}

static enum pom_status name_note(const struct pom_s3 *s3, struct pom_buffer *out, struct pom_message *msg) {
    return pom_buffer_printf(out, "%s/upload", s3->store.staging) ? POM_OK : pom_fail_memory(msg, "an upload");
}

static enum pom_status note(const struct upload *upload, struct pom_message *msg) {
    struct pom_buffer name = {0}, text = {0};
    enum pom_status status = name_note(upload->s3, &name, msg);
    if (status == POM_OK && !pom_buffer_printf(&text, "%s\n%s", upload->id, upload->path))
        status = pom_fail_memory(msg, upload->path);
    if (status == POM_OK)
        status = pom_file_write(name.data, text.data, text.size, msg);
    pom_buffer_clean_up(&name);
    pom_buffer_clean_up(&text);
    return status;
}

static enum pom_status forget(const struct pom_s3 *s3, struct pom_message *msg) {
    struct pom_buffer name = {0};
    enum pom_status status = name_note(s3, &name, msg);
    if (status == POM_OK && unlink(name.data) != 0)
        status = pom_fail_errno(msg, POM_ERR_IO, "cannot remove %s", name.data);
    pom_buffer_clean_up(&name);
    return status;
}

static enum pom_status give_up(struct pom_s3 *s3, const char *path, const char *id, struct pom_message *msg) {
    struct pom_s3_request request = {.method = "DELETE",
        .key = pom_s3_key(s3, path),
        .missing_is_fine = true,
        .request = {.subject = path, .max_bytes = MAX_ANSWER, .most_attempts = ABORT_ATTEMPTS, .even_cancelled = true}};
    pom_s3_parameter(&request, "uploadId", id);
    enum pom_status status = pom_client_run(s3->client, &request.request, msg);
    pom_request_clean_up(&request.request);
    return status;
}

enum pom_status pom_s3_tidy(struct pom_store *store, struct pom_message *msg) {
    struct pom_s3 *s3 = (struct pom_s3 *)store;
    struct pom_buffer name = {0}, text = {0};
    enum pom_status status = name_note(s3, &name, msg);
    bool noted = status == POM_OK && pom_file_exists(name.data);
    if (noted)
        status = pom_file_read(name.data, MAX_NOTE, &text, msg);
    char *path = noted && status == POM_OK ? strchr(text.data, '\n') : NULL;
    if (path && strncmp(path + 1, store->prefix, strlen(store->prefix)) == 0) {
        *path++ = '\0';
        status = give_up(s3, path, text.data, msg);
        if (status != POM_ERR_NETWORK) /* what the store refuses it would refuse again */
            status = forget(s3, msg);
    }
    pom_buffer_clean_up(&name);
    pom_buffer_clean_up(&text);
    return status;
}

/* Of one that is begun. The note of one that failed stays: a part that was on its way may arrive after the upload was
 * given up, and bring it back; the next run gives it up once more
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html). */
static enum pom_status carry_out(struct upload *upload, struct pom_message *msg) {
    enum pom_status status = note(upload, msg);
    if (status == POM_OK)
        status = send_parts(upload, msg);
    if (status == POM_OK)
        status = complete(upload, msg);
    if (status == POM_OK)
        return forget(upload->s3, msg);
    give_up(upload->s3, upload->path, upload->id, NULL);
    return status;
}

enum pom_status pom_s3_upload_parts(
    struct pom_s3 *s3, const struct pom_map *map, const char *digest, const char *path, struct pom_message *msg) {
    struct upload upload = {.s3 = s3,
        .map = map,
        .path = path,
        .key = pom_s3_key(s3, path),
        .digest = digest,
        .part_bytes = least_part,
        .mutex = PTHREAD_MUTEX_INITIALIZER,
        .changed = PTHREAD_COND_INITIALIZER};
    while (map->size / upload.part_bytes >= MOST_PARTS)
        upload.part_bytes *= 2;
    upload.n_parts = (map->size + upload.part_bytes - 1) / upload.part_bytes;
    upload.etags = pom_calloc(upload.n_parts, sizeof *upload.etags);
    if (!upload.etags)
        return pom_fail_memory(msg, path);
    enum pom_status status = begin(&upload, msg);
    if (status == POM_OK)
        status = carry_out(&upload, msg);
    free(upload.etags);
    return status;
}
