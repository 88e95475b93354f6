/* What is worth knowing of a bucket at Google before a job runs on it. */
#include "store/examine.h"
#include "store/gs.h"
#include <jansson.h>
#include <string.h>

enum { MAX_ANSWER = 1 << 16, ATTEMPTS = 2 };

enum pom_status pom_gs_region(struct pom_store *store, struct pom_buffer *out, struct pom_message *msg) {
    struct pom_gs *gs = (struct pom_gs *)store;
    struct pom_call call = {
        .method = "GET", .request = {.subject = store->prefix, .max_bytes = MAX_ANSWER, .most_attempts = ATTEMPTS}};
    bool good = pom_buffer_printf(&call.url, "%s/storage/v1/b/%s?fields=location", gs->endpoint, gs->uri.bucket);
    enum pom_status status = good ? pom_remote_run(&gs->remote, &call, msg) : pom_fail_memory(msg, "a request");
    json_t *answer = NULL;
    if (status == POM_OK)
        answer = json_loadb(call.request.answer->answer.data, call.request.answer->answer.size, 0, NULL);
    const char *location = json_string_value(json_object_get(answer, "location"));
    out->size = 0;
    if (status == POM_OK && !location)
        status = pom_fail(msg, POM_ERR_UNSUPPORTED, "%s: the server does not tell where the bucket is", store->prefix);
    if (status == POM_OK && !pom_buffer_text(out, location))
        status = pom_fail_memory(msg, "a region");
    json_decref(answer);
    pom_call_clean_up(&call);
    return status;
}

void pom_gs_examine(struct pom_store *store, bool write, const struct pom_examiner *examiner) {
    struct pom_gs *gs = (struct pom_gs *)store;
    struct pom_buffer region = {0};
    struct pom_message msg = {0};
    char identity[256];
    pom_gs_identity_describe(gs->identity, identity, sizeof identity);
    pom_examiner_tell(examiner, POM_FINDING_GOOD, "identity", "%s", identity);
    if (pom_gs_region(store, &region, &msg) == POM_OK)
        pom_examiner_tell(examiner, POM_FINDING_GOOD, "region", "%s", region.data);
    else
        pom_examiner_tell(examiner, POM_FINDING_NOTE, "region", "it cannot be told: %s", msg.text);
    if (write)
        pom_examiner_tell(examiner, POM_FINDING_GOOD, "encryption",
            "Google encrypts all that is written, with the bucket's key if it has one");
    pom_buffer_clean_up(&region);
}
