/* How a request to Google Cloud Storage is written down, what its answer means, and its failures in words. */
#include "store/gs.h"
#include "store/gs_json.h"
#include <stdio.h>
#include <string.h>

enum { IDENTITY_BYTES = 200 };

static enum pom_status prepare(
    void *store, struct pom_request *base, struct pom_http_transfer *transfer, struct pom_message *msg) {
    struct pom_gs *gs = store;
    struct pom_call *call = (struct pom_call *)base;
    const char *project = pom_gs_identity_project(gs->identity);
    if (call->write)
        return call->write(call, transfer) ? POM_OK : pom_fail_memory(msg, base->subject);
    bool good = pom_gs_identity_get(gs->identity, &gs->token, &gs->generation) &&
                pom_call_write(call, &call->url, true, transfer);
    if (gs->token.size)
        good = good && pom_buffer_printf(&transfer->headers, "Authorization: Bearer %s", gs->token.data) &&
               pom_buffer_append(&transfer->headers, "", 1);
    if (project)
        good = good && pom_http_add_header(transfer, "x-goog-user-project", project);
    return good ? POM_OK : pom_fail_memory(msg, base->subject);
}

/* An object that is stored compressed comes unpacked, and then its size is another than the listed one. */
static bool is_whole(const struct pom_call *call, const struct pom_http_transfer *transfer) {
    char encoding[32];
    pom_http_header(transfer, "x-goog-stored-content-encoding", encoding, sizeof encoding);
    return !call->expected_bytes || transfer->answer.size == call->expected_bytes || strcmp(encoding, "gzip") == 0;
}

static enum pom_verdict judge_error(struct pom_gs *gs, const struct pom_http_transfer *transfer) {
    struct pom_gs_error error;
    if (transfer->status == 401)
        return pom_gs_identity_renew(gs->identity, gs->generation) ? POM_VERDICT_RETRY : POM_VERDICT_FAIL;
    pom_gs_error_parse(transfer->answer.data, transfer->answer.size, &error);
    if (strcmp(error.reason, "rateLimitExceeded") == 0 || strcmp(error.reason, "userRateLimitExceeded") == 0)
        return POM_VERDICT_SLOW_DOWN;
    return pom_retry_judge_status(transfer->status);
}

static enum pom_verdict judge(void *store, struct pom_request *base, const struct pom_http_transfer *transfer) {
    struct pom_call *call = (struct pom_call *)base;
    if (call->accept && transfer->status < 400)
        return call->accept(call, transfer);
    if (transfer->status >= 200 && transfer->status < 300)
        return is_whole(call, transfer) ? POM_VERDICT_DONE : POM_VERDICT_RETRY;
    if (transfer->status == 404 && call->missing_is_fine)
        return POM_VERDICT_DONE;
    return judge_error(store, transfer);
}

/* What a row of advice is for; POM_ERR_NETWORK where the next object would fare no better. */
static const struct {
    int status;
    enum pom_status meaning;
    const char *text;
} all_advice[] = {
    {401, POM_ERR_NETWORK,
        "the credentials are not accepted: sign in anew (gcloud auth application-default login), or set "
        "GOOGLE_APPLICATION_CREDENTIALS to a service account's file that is still valid"},
    {403, POM_ERR_IO, POM_ACCESS_DENIED},
    {404, POM_ERR_NOT_FOUND, "it is not there: check the names of bucket and object"},
    {412, POM_ERR_CONFLICT, "it has changed since it was listed: run the same command again"},
};

/* The permission that a request needs. */
static const char *permission_of(const struct pom_call *call) {
    if (strcmp(call->method, "DELETE") == 0)
        return "storage.objects.delete";
    if (strcmp(call->method, "GET") != 0)
        return "storage.objects.create";
    if (strstr(call->url.data, "/o/"))
        return "storage.objects.get";
    return strstr(call->url.data, "/o?") ? "storage.objects.list" : "storage.buckets.get";
}

static enum pom_status explain(
    void *store, const struct pom_request *base, const struct pom_http_transfer *transfer, struct pom_message *msg) {
    const struct pom_gs *gs = store;
    const struct pom_call *call = (const struct pom_call *)base;
    struct pom_gs_error error;
    char identity[IDENTITY_BYTES];
    if (transfer->status >= 200 && transfer->status < 300 && !call->expected_bytes)
        return pom_fail(msg, POM_ERR_NETWORK,
            "%.200s: what answers for %.80s is not the store (%d attempts): check what stands between, such as a "
            "network's page to sign in",
            base->subject, gs->endpoint, base->attempts);
    if (transfer->status >= 200 && transfer->status < 300)
        return pom_fail(msg, POM_ERR_NETWORK,
            "%.200s: %zu bytes came from %.80s where %llu are listed (%d attempts): check what stands between",
            base->subject, transfer->answer.size, gs->endpoint, (unsigned long long)call->expected_bytes,
            base->attempts);
    pom_gs_error_parse(transfer->answer.data, transfer->answer.size, &error);
    pom_gs_identity_describe(gs->identity, identity, sizeof identity);
    for (size_t i = 0; i < sizeof all_advice / sizeof *all_advice; i++)
        if (transfer->status == all_advice[i].status)
            return pom_fail(msg, all_advice[i].meaning, "%.160s: %s (%s as %s): %.100s", base->subject,
                all_advice[i].text, permission_of(call), identity, error.message);
    return pom_fail(msg, POM_ERR_NETWORK, "%.160s: %s is refused with status %d: %.100s (as %s, after %d attempts)",
        base->subject, permission_of(call), transfer->status, error.message, identity, base->attempts);
}

const struct pom_protocol pom_gs_protocol = {.prepare = prepare, .judge = judge, .explain = explain};
