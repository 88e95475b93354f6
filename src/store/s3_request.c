/* How a request to S3 is written down and signed, and what its answer means. */
#include "base/memory.h"
#include "store/s3.h"
#include "store/s3_xml.h"
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

enum { ALL_HEADERS = POM_S3_HEADERS + 6, HOST_BYTES = 400 };

static const char empty_sha256[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

void pom_s3_parameter(struct pom_s3_request *request, const char *name, const char *value) {
    if (value && request->n_parameters < POM_S3_PARAMETERS)
        request->parameters[request->n_parameters++] = (struct pom_pair){name, value};
}

void pom_s3_header(struct pom_s3_request *request, const char *name, const char *value) {
    if (value && request->n_headers < POM_S3_HEADERS)
        request->headers[request->n_headers++] = (struct pom_pair){name, value};
}

void pom_s3_region(struct pom_s3 *s3, char out[POM_S3_REGION]) {
    pthread_mutex_lock(&s3->mutex);
    memcpy(out, s3->region, POM_S3_REGION);
    pthread_mutex_unlock(&s3->mutex);
}

static void host_of(const struct pom_s3 *s3, char out[HOST_BYTES]) {
    const char *bucket = s3->config.virtual_host ? s3->uri.bucket : "", *dot = *bucket ? "." : "";
    if (s3->config.host)
        snprintf(out, HOST_BYTES, "%s%s%s", bucket, dot, s3->config.host);
    else
        snprintf(out, HOST_BYTES, "%s%ss3.%s.amazonaws.com%s", bucket, dot, s3->region,
            strncmp(s3->region, "cn-", 3) == 0 ? ".cn" : "");
}

static bool write_path(struct pom_s3 *s3, const struct pom_s3_request *request) {
    struct pom_buffer *path = &s3->path;
    path->size = 0;
    bool good = pom_buffer_text(path, "/");
    if (!s3->config.virtual_host)
        good = good && pom_buffer_printf(path, "%s/", s3->uri.bucket);
    return good && (!request->key || pom_uri_encode(path, request->key, "/"));
}

/* The headers in order of name, as the signature wants them. */
struct headers {
    struct pom_pair list[ALL_HEADERS];
    size_t n;
};

static void add(struct headers *headers, const char *name, const char *value) {
    size_t at = headers->n;
    if (!value)
        return;
    headers->n++;
    for (; at > 0 && strcmp(headers->list[at - 1].name, name) > 0; at--)
        headers->list[at] = headers->list[at - 1];
    headers->list[at] = (struct pom_pair){name, value};
}

static enum pom_status sign(struct pom_s3 *s3, const struct pom_s3_request *request, const struct headers *headers,
    const char *time, struct pom_message *msg) {
    const struct pom_sigv4_scope scope = {s3->credentials.access_key, s3->credentials.secret_key, s3->region, "s3"};
    const struct pom_sigv4_request wanted = {
        .method = request->method,
        .path = s3->path.data,
        .query = s3->query.data,
        .headers = headers->list,
        .n_headers = headers->n,
        .payload_sha256 = request->body_sha256 ? request->body_sha256 : empty_sha256,
    };
    return pom_sigv4_sign(&s3->cache, &scope, &wanted, time, &s3->authorization, msg);
}

static bool write_transfer(const struct pom_s3 *s3, const struct pom_s3_request *request, const char *host,
    const struct headers *headers, struct pom_http_transfer *transfer) {
    const char *const url[] = {s3->config.scheme ? s3->config.scheme : "https", "://", host, s3->path.data,
        s3->query.size ? "?" : "", s3->query.data, NULL};
    bool good = pom_buffer_texts(&transfer->url, url);
    for (size_t i = 0; i < headers->n && good; i++)
        if (strcmp(headers->list[i].name, "host") != 0)
            good = pom_http_add_header(transfer, headers->list[i].name, headers->list[i].value);
    if (s3->authorization.size)
        good = good && pom_http_add_header(transfer, "authorization", s3->authorization.data);
    transfer->method = request->method;
    transfer->body = request->body;
    transfer->body_size = request->body_size;
    /* Neither a form nor a question beforehand. */
    bool plain = strcmp(request->method, "PUT") != 0 && strcmp(request->method, "POST") != 0;
    return good && (plain || (pom_buffer_append(&transfer->headers, "Expect:", 8) &&
                                 pom_buffer_append(&transfer->headers, "Content-Type:", 14)));
}

static enum pom_status prepare(
    void *store, struct pom_request *base, struct pom_http_transfer *transfer, struct pom_message *msg) {
    struct pom_s3 *s3 = store;
    struct pom_s3_request *request = (struct pom_s3_request *)base;
    bool anonymous = pom_identity_is_anonymous(s3->identity);
    char host[HOST_BYTES], now[POM_SIGV4_TIME];
    struct headers headers = {0};
    s3->query.size = s3->authorization.size = 0;
    if (!pom_identity_get(s3->identity, &s3->credentials, &s3->generation) || !write_path(s3, request) ||
        !pom_sigv4_query(request->parameters, request->n_parameters, &s3->query))
        return pom_fail_memory(msg, "a request");
    host_of(s3, host);
    memcpy(request->region, s3->region, sizeof request->region);
    request->clock_offset = s3->clock_offset;
    pom_sigv4_time(time(NULL) + s3->clock_offset, now);
    add(&headers, "host", host);
    for (size_t i = 0; i < request->n_headers; i++)
        add(&headers, request->headers[i].name, request->headers[i].value);
    add(&headers, "x-amz-request-payer", s3->config.request_payer ? "requester" : NULL);
    if (!anonymous) {
        add(&headers, "x-amz-content-sha256", request->body_sha256 ? request->body_sha256 : empty_sha256);
        add(&headers, "x-amz-date", now);
        add(&headers, "x-amz-security-token", s3->credentials.token);
        POM_TRY(sign(s3, request, &headers, now, msg));
    }
    return write_transfer(s3, request, host, &headers, transfer) ? POM_OK : pom_fail_memory(msg, "a request");
}

/* The bucket is elsewhere: the answer says where. Of many requests under way the first one changes the region. */
static bool learn_region(struct pom_s3 *s3, const struct pom_s3_request *request,
    const struct pom_http_transfer *transfer, const struct pom_s3_error *error) {
    char region[POM_S3_REGION];
    pom_http_header(transfer, "x-amz-bucket-region", region, sizeof region);
    if (!*region)
        snprintf(region, sizeof region, "%s", error->region);
    if (!*region || strcmp(region, request->region) == 0 ||
        strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(region))
        return false;
    pthread_mutex_lock(&s3->mutex);
    memcpy(s3->region, region, sizeof region);
    pthread_mutex_unlock(&s3->mutex);
    return true;
}

/* Our clock is wrong, or the server's: what it says counts. False where the request was signed with that time. */
static bool learn_clock(
    struct pom_s3 *s3, const struct pom_s3_request *request, const struct pom_http_transfer *transfer) {
    char date[64];
    pom_http_header(transfer, "date", date, sizeof date);
    time_t theirs = curl_getdate(date, NULL);
    if (theirs < 0)
        return false;
    s3->clock_offset = theirs - time(NULL);
    time_t change = s3->clock_offset - request->clock_offset;
    return change > 1 || change < -1;
}

static bool is_one_of(const char *code, const char *const *codes, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(code, codes[i]) == 0)
            return true;
    return false;
}

/* An answer to HEAD has no body to say why: expired credentials are refused like this, too. Asked once. */
static bool may_have_expired(struct pom_s3_request *request, const struct pom_http_transfer *transfer) {
    bool silent = strcmp(request->method, "HEAD") == 0 && (transfer->status == 400 || transfer->status == 403);
    bool may = silent && !request->renewed;
    request->renewed |= silent;
    return may;
}

static enum pom_verdict judge_error(
    struct pom_s3 *s3, struct pom_s3_request *request, const struct pom_http_transfer *transfer) {
    static const char *const expired[] = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"};
    static const char *const passing[] = {
        "RequestTimeout", "InternalError", "OperationAborted", "ConditionalRequestConflict", "TemporaryRedirect"};
    static const char *const elsewhere[] = {
        "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"};
    struct pom_s3_error error;
    pom_s3_error_parse(transfer->answer.data, transfer->answer.size, &error);
    bool moved = transfer->status == 301 || transfer->status == 307 || transfer->status == 400 ||
                 is_one_of(error.code, elsewhere, sizeof elsewhere / sizeof *elsewhere);
    if (moved && learn_region(s3, request, transfer, &error))
        return POM_VERDICT_AGAIN;
    if (strcmp(error.code, "RequestTimeTooSkewed") == 0 && learn_clock(s3, request, transfer))
        return POM_VERDICT_AGAIN;
    if (is_one_of(error.code, expired, sizeof expired / sizeof *expired) || may_have_expired(request, transfer))
        return pom_identity_renew(s3->identity, s3->generation) ? POM_VERDICT_RETRY : POM_VERDICT_FAIL;
    if (strcmp(error.code, "SlowDown") == 0 || strcmp(error.code, "RequestLimitExceeded") == 0)
        return POM_VERDICT_SLOW_DOWN;
    if (transfer->status == 307 || is_one_of(error.code, passing, sizeof passing / sizeof *passing))
        return POM_VERDICT_RETRY;
    return pom_retry_judge_status(transfer->status);
}

bool pom_s3_has_etag(struct pom_s3_request *request, const struct pom_http_transfer *transfer) {
    (void)request;
    char etag[8];
    pom_http_header(transfer, "etag", etag, sizeof etag);
    return *etag;
}

static bool is_whole(struct pom_s3_request *request, const struct pom_http_transfer *transfer) {
    if (request->expected_bytes && transfer->answer.size != request->expected_bytes)
        return false;
    return !request->accept || request->accept(request, transfer);
}

static enum pom_verdict judge(void *store, struct pom_request *base, const struct pom_http_transfer *transfer) {
    struct pom_s3_request *request = (struct pom_s3_request *)base;
    if (transfer->status >= 200 && transfer->status < 300)
        return is_whole(request, transfer) ? POM_VERDICT_DONE : POM_VERDICT_RETRY;
    if (transfer->status == 404 && request->missing_is_fine)
        return POM_VERDICT_DONE;
    return judge_error(store, request, transfer);
}

const struct pom_protocol pom_s3_protocol = {.prepare = prepare, .judge = judge, .explain = pom_s3_explain};
