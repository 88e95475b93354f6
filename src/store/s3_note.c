/* A note in a bucket that changes in one step: conditional writes of S3,
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html */
#include "store/note.h"
#include "store/s3.h"
#include <string.h>

enum { MAX_ETAG = 128 };

static enum pom_status take_note(
    const struct pom_http_transfer *answer, struct pom_store_note *note, struct pom_message *msg) {
    char etag[MAX_ETAG];
    pom_http_header(answer, "etag", etag, sizeof etag);
    note->age_s = pom_note_answer_age_s(answer);
    bool good = pom_buffer_append(&note->text, answer->answer.data, answer->answer.size) &&
                pom_buffer_text(&note->version, etag);
    return good ? POM_OK : pom_fail_memory(msg, "a note");
}

enum pom_status pom_s3_note_read(
    struct pom_store *store, const char *name, struct pom_store_note *note, struct pom_message *msg) {
    struct pom_s3 *s3 = (struct pom_s3 *)store;
    struct pom_buffer path = {0};
    note->text.size = note->version.size = 0;
    if (!pom_buffer_printf(&path, "%s%s", store->prefix, name))
        return pom_fail_memory(msg, name);
    struct pom_s3_request request = {.method = "GET",
        .key = pom_s3_key(s3, path.data),
        .missing_is_fine = true,
        .accept = pom_s3_has_etag,
        .request = {.subject = path.data, .max_bytes = POM_STORE_NOTE_BYTES, .most_attempts = POM_NOTE_ATTEMPTS}};
    enum pom_status status = pom_client_run(s3->client, &request.request, msg);
    if (status == POM_OK && request.request.answer->status != 404)
        status = take_note(request.request.answer, note, msg);
    pom_request_clean_up(&request.request);
    pom_buffer_clean_up(&path);
    return status;
}

/* The note that was to be replaced may be gone. */
static enum pom_status send_note(
    struct pom_s3 *s3, struct pom_s3_request *request, struct pom_buffer *version, struct pom_message *msg) {
    char etag[MAX_ETAG];
    enum pom_status status = pom_client_run(s3->client, &request->request, msg);
    if (status == POM_ERR_NOT_FOUND && version && version->size)
        status = POM_ERR_CONFLICT;
    if (status != POM_OK || !version)
        return status;
    pom_http_header(request->request.answer, "etag", etag, sizeof etag);
    version->size = 0;
    return pom_buffer_text(version, etag) ? POM_OK : pom_fail_memory(msg, "a note");
}

enum pom_status pom_s3_note_write(
    struct pom_store *store, const char *name, const char *text, struct pom_buffer *version, struct pom_message *msg) {
    struct pom_s3 *s3 = (struct pom_s3 *)store;
    struct pom_buffer path = {0};
    char digest[POM_SHA256_HEX];
    POM_TRY(pom_sha256(text, strlen(text), digest, msg));
    if (!pom_buffer_printf(&path, "%s%s", store->prefix, name))
        return pom_fail_memory(msg, name);
    struct pom_s3_request request = {.method = "PUT",
        .key = pom_s3_key(s3, path.data),
        .body = text,
        .body_size = strlen(text),
        .body_sha256 = digest,
        .accept = pom_s3_has_etag,
        .request = {.subject = path.data, .max_bytes = POM_NOTE_ANSWER, .most_attempts = POM_NOTE_ATTEMPTS}};
    if (version && version->size)
        pom_s3_header(&request, "if-match", version->data);
    else if (version)
        pom_s3_header(&request, "if-none-match", "*");
    pom_s3_add_encryption(s3, &request);
    enum pom_status status = send_note(s3, &request, version, msg);
    pom_request_clean_up(&request.request);
    pom_buffer_clean_up(&path);
    return status;
}

enum pom_status pom_s3_note_remove(struct pom_store *store, const char *name, struct pom_message *msg) {
    struct pom_s3 *s3 = (struct pom_s3 *)store;
    struct pom_buffer path = {0};
    if (!pom_buffer_printf(&path, "%s%s", store->prefix, name))
        return pom_fail_memory(msg, name);
    struct pom_s3_request request = {.method = "DELETE",
        .key = pom_s3_key(s3, path.data),
        .missing_is_fine = true,
        .request = {.subject = path.data,
            .max_bytes = POM_NOTE_ANSWER,
            .most_attempts = POM_NOTE_ATTEMPTS,
            .even_cancelled = true}};
    enum pom_status status = pom_client_run(s3->client, &request.request, msg);
    pom_request_clean_up(&request.request);
    pom_buffer_clean_up(&path);
    return status;
}
