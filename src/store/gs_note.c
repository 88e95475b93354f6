/* A note in a bucket that changes in one step: preconditions on an object's generation,
 * https://cloud.google.com/storage/docs/request-preconditions */
#include "store/gs.h"
#include "store/gs_json.h"
#include "store/note.h"
#include <string.h>

enum { MAX_GENERATION = 32 };

/* An answer without a generation is not the store's, but of something that stands between. */
static enum pom_verdict accept_note(struct pom_call *call, const struct pom_http_transfer *transfer) {
    (void)call;
    char generation[MAX_GENERATION];
    pom_http_header(transfer, "x-goog-generation", generation, sizeof generation);
    return *generation ? POM_VERDICT_DONE : POM_VERDICT_RETRY;
}

static enum pom_status take_note(
    const struct pom_http_transfer *answer, struct pom_store_note *note, struct pom_message *msg) {
    char generation[MAX_GENERATION];
    pom_http_header(answer, "x-goog-generation", generation, sizeof generation);
    note->age_s = pom_note_answer_age_s(answer);
    bool good = pom_buffer_append(&note->text, answer->answer.data, answer->answer.size) &&
                pom_buffer_text(&note->version, generation);
    return good ? POM_OK : pom_fail_memory(msg, "a note");
}

enum pom_status pom_gs_note_read(
    struct pom_store *store, const char *name, struct pom_store_note *note, struct pom_message *msg) {
    struct pom_gs *gs = (struct pom_gs *)store;
    struct pom_buffer path = {0};
    struct pom_call call = {.method = "GET",
        .missing_is_fine = true,
        .accept = accept_note,
        .request = {.max_bytes = POM_STORE_NOTE_BYTES, .most_attempts = POM_NOTE_ATTEMPTS}};
    note->text.size = note->version.size = 0;
    bool good = pom_buffer_printf(&path, "%s%s", store->prefix, name) &&
                pom_gs_url(gs, pom_gs_name(gs, path.data), &call.url) && pom_buffer_text(&call.url, "?alt=media");
    call.request.subject = path.data;
    enum pom_status status = good ? pom_remote_run(&gs->remote, &call, msg) : pom_fail_memory(msg, name);
    if (status == POM_OK && call.request.answer->status != 404)
        status = take_note(call.request.answer, note, msg);
    pom_call_clean_up(&call);
    pom_buffer_clean_up(&path);
    return status;
}

/* Generation 0: where none is. */
static bool write_url(
    const struct pom_gs *gs, const char *path, const struct pom_buffer *version, struct pom_buffer *out) {
    bool good =
        pom_buffer_printf(out, "%s/upload/storage/v1/b/%s/o?uploadType=media&name=", gs->endpoint, gs->uri.bucket) &&
        pom_uri_encode(out, pom_gs_name(gs, path), "");
    return good && (!version || pom_buffer_printf(out, "&ifGenerationMatch=%s", version->size ? version->data : "0"));
}

static enum pom_status take_version(
    const struct pom_http_transfer *answer, struct pom_buffer *version, struct pom_message *msg) {
    struct pom_remote_object object = {0};
    POM_TRY(pom_gs_object_parse(answer->answer.data, answer->answer.size, &object, msg));
    version->size = 0;
    return pom_buffer_text(version, object.version) ? POM_OK : pom_fail_memory(msg, "a note");
}

enum pom_status pom_gs_note_write(
    struct pom_store *store, const char *name, const char *text, struct pom_buffer *version, struct pom_message *msg) {
    struct pom_gs *gs = (struct pom_gs *)store;
    struct pom_buffer path = {0};
    struct pom_call call = {.method = "POST",
        .body = text,
        .body_size = strlen(text),
        .request = {.max_bytes = POM_NOTE_ANSWER, .most_attempts = POM_NOTE_ATTEMPTS}};
    bool good = pom_buffer_printf(&path, "%s%s", store->prefix, name) && write_url(gs, path.data, version, &call.url) &&
                pom_call_header(&call, "Content-Type", "application/json");
    call.request.subject = path.data;
    enum pom_status status = good ? pom_remote_run(&gs->remote, &call, msg) : pom_fail_memory(msg, name);
    if (status == POM_OK && version)
        status = take_version(call.request.answer, version, msg);
    pom_call_clean_up(&call);
    pom_buffer_clean_up(&path);
    return status;
}
