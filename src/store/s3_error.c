/* Failures of S3 in words: what was asked of which object, as whom, and what to do. */
#include "store/s3.h"
#include "store/s3_xml.h"
#include <stdio.h>
#include <string.h>

enum { IDENTITY_BYTES = 160 };

/* What a row of advice is for. */
struct advice {
    const char *code; /* of the error; NULL: of an answer without one, as HEAD's is */
    int status;       /* HTTP, where code is NULL */
    enum pom_status meaning;
    const char *text;
};

/* POM_ERR_NETWORK where the next object would fare no better. */
static const struct advice all_advice[] = {
    {"NoSuchBucket", 0, POM_ERR_NOT_FOUND, "there is no such bucket: check its name and the endpoint"},
    {"NoSuchKey", 0, POM_ERR_NOT_FOUND, "there is no such object"},
    {"InvalidAccessKeyId", 0, POM_ERR_NETWORK,
        "the store does not know this access key: check which credentials are used, and the endpoint"},
    {"XAdminUserNotFound", 0, POM_ERR_NETWORK,
        "the store does not know this access key: check which credentials are used, and the endpoint"},
    {"SignatureDoesNotMatch", 0, POM_ERR_NETWORK,
        "the signature is wrong: the secret key does not belong to this access key"},
    {"ExpiredToken", 0, POM_ERR_NETWORK, "the credentials have expired: get new ones, and run the same command again"},
    {"ExpiredTokenException", 0, POM_ERR_NETWORK,
        "the credentials have expired: get new ones, and run the same command again"},
    {"InvalidToken", 0, POM_ERR_NETWORK,
        "the session token is wrong: AWS_SESSION_TOKEN must come with its own access key"},
    {"AuthorizationHeaderMalformed", 0, POM_ERR_NETWORK, "the bucket is in another region: set AWS_REGION to its own"},
    {"PermanentRedirect", 0, POM_ERR_NETWORK,
        "the bucket is in another region or at another endpoint: set AWS_REGION to its own"},
    {"RequestPayerRequired", 0, POM_ERR_NETWORK, "who reads pays: give --request-payer if that is fine with you"},
    {"NotImplemented", 0, POM_ERR_UNSUPPORTED, "the store does not know this kind of request"},
    {"InvalidObjectState", 0, POM_ERR_IO, "the object is archived: restore it first"},
    {"AccessDenied", 0, POM_ERR_IO, POM_ACCESS_DENIED},
    {NULL, 301, POM_ERR_NETWORK, "the bucket is in another region: set AWS_REGION to its own"},
    {NULL, 400, POM_ERR_NETWORK,
        "the store does not say why: credentials that have expired are refused like this, and requests for another "
        "region; get new credentials, or set AWS_REGION"},
    {NULL, 403, POM_ERR_IO,
        "access is denied: the identity lacks the permission, its credentials have expired, or the object is not "
        "there"},
    {NULL, 404, POM_ERR_NOT_FOUND, "it is not there"},
    {NULL, 412, POM_ERR_CONFLICT, "it has changed since it was listed: run the same command again"},
};

static const struct advice *find_advice(const char *code, int status) {
    for (size_t i = 0; i < sizeof all_advice / sizeof *all_advice; i++) {
        const struct advice *advice = &all_advice[i];
        if (advice->code ? strcmp(advice->code, code) == 0 : advice->status == status && (!*code || status == 412))
            return advice;
    }
    return NULL;
}

/* The permission that a request needs. */
static const char *action_of(const struct pom_s3_request *request) {
    if (!request->key)
        return "s3:ListBucket";
    if (strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0)
        return "s3:GetObject";
    return strcmp(request->method, "DELETE") == 0 ? "s3:DeleteObject" : "s3:PutObject";
}

/* The store's time was taken over, and refused all the same: a clock that jumps, or something between that delays. */
static enum pom_status explain_clock(
    const struct pom_s3 *s3, const char *subject, const char *identity, struct pom_message *msg) {
    long long offset = (long long)s3->clock_offset;
    return pom_fail(msg, POM_ERR_NETWORK,
        "%.200s: this machine's clock is %lld s %s the store's, which refuses the request for it: set the clock (as "
        "%s)",
        subject, offset < 0 ? -offset : offset, offset < 0 ? "ahead of" : "behind", identity);
}

enum pom_status pom_s3_explain(
    void *store, const struct pom_request *base, const struct pom_http_transfer *transfer, struct pom_message *msg) {
    struct pom_s3 *s3 = store;
    const struct pom_s3_request *request = (const struct pom_s3_request *)base;
    struct pom_s3_error error;
    char identity[IDENTITY_BYTES];
    pom_s3_error_parse(transfer->answer.data, transfer->answer.size, &error);
    if (transfer->status >= 200 && transfer->status < 300)
        return pom_fail(msg, POM_ERR_NETWORK,
            "%.200s: the answer is not what S3 sends, or not whole (%zu bytes; %d attempts): check the endpoint and "
            "what "
            "stands between",
            base->subject, transfer->answer.size, base->attempts);
    pom_identity_describe(s3->identity, identity, sizeof identity);
    if (strcmp(error.code, "RequestTimeTooSkewed") == 0)
        return explain_clock(s3, base->subject, identity, msg);
    const struct advice *advice = find_advice(error.code, transfer->status);
    if (advice)
        return pom_fail(msg, advice->meaning, "%.200s: %s (%s as %s, region %s)", base->subject, advice->text,
            action_of(request), identity, s3->region);
    return pom_fail(msg, POM_ERR_NETWORK, "%.200s: %s is refused with status %d %s: %.100s (as %s, after %d attempts)",
        base->subject, action_of(request), transfer->status, error.code, error.message, identity, base->attempts);
}
