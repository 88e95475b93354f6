/* How a request to WebHDFS is written down, what its answer means, and its failures in words. */
#include "store/hdfs.h"
#include "store/hdfs_json.h"
#include <stdio.h>
#include <string.h>

enum { LOCATION_BYTES = 64 << 10 };

/* A body goes only where the NameNode sends us. */
static enum pom_status prepare(
    void *store, struct pom_request *base, struct pom_http_transfer *transfer, struct pom_message *msg) {
    (void)store;
    struct pom_call *call = (struct pom_call *)base;
    bool led = call->redirect.size > 0;
    bool good = pom_call_write(call, led ? &call->redirect : &call->url, led, transfer);
    call->redirect.size = 0; /* another attempt asks the NameNode again, which then names another place */
    return good ? POM_OK : pom_fail_memory(msg, base->subject);
}

/* Where the answer leads to; a way out of TLS is not taken. */
static bool take_redirect(
    const struct pom_hdfs *hdfs, struct pom_call *call, const struct pom_http_transfer *transfer) {
    char location[LOCATION_BYTES];
    pom_http_header(transfer, "location", location, sizeof location);
    bool safe = strncmp(location, "https://", 8) == 0 || (!hdfs->tls && strncmp(location, "http://", 7) == 0);
    return safe && pom_buffer_text(&call->redirect, location);
}

static enum pom_verdict judge_error(const struct pom_call *call, const struct pom_http_transfer *transfer) {
    static const char *const passing[] = {"SafeModeException", "RetriableException", "StandbyException"};
    struct pom_hdfs_error error;
    pom_hdfs_error_parse(transfer->answer.data, transfer->answer.size, &error);
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
        if (strcmp(error.exception, passing[i]) == 0)
            return POM_VERDICT_RETRY;
    /* A 404 without Hadoop's words comes from something else. */
    if (call->missing_is_fine && strcmp(error.exception, "FileNotFoundException") == 0)
        return POM_VERDICT_DONE;
    return pom_retry_judge_status(transfer->status);
}

static enum pom_verdict judge(void *store, struct pom_request *base, const struct pom_http_transfer *transfer) {
    struct pom_call *call = (struct pom_call *)base;
    if (transfer->status == 307)
        return take_redirect(store, call, transfer) ? POM_VERDICT_AGAIN : POM_VERDICT_FAIL;
    if (transfer->status >= 200 && transfer->status < 300)
        return !call->expected_bytes || transfer->answer.size == call->expected_bytes ? POM_VERDICT_DONE
                                                                                      : POM_VERDICT_FAIL;
    return judge_error(call, transfer);
}

/* What a row of advice is for: an exception of Hadoop, or (NULL) a status; POM_ERR_NETWORK where the next file would
 * fare no better. */
static const struct advice {
    const char *exception;
    int status;
    enum pom_status meaning;
    const char *text;
} all_advice[] = {
    {"AccessControlException", 0, POM_ERR_IO, POM_ACCESS_DENIED},
    {"FileNotFoundException", 0, POM_ERR_NOT_FOUND, "it is not there"},
    {"SafeModeException", 0, POM_ERR_NETWORK, "the NameNode is in safe mode, in which nothing is written"},
    {"StandbyException", 0, POM_ERR_NETWORK, "this NameNode is on standby: name the active one"},
    {"InvalidToken", 0, POM_ERR_NETWORK, "the delegation token has expired or is not this cluster's: get a new one"},
    {"DSQuotaExceededException", 0, POM_ERR_NETWORK, "the folder's quota of space is used up"},
    {"NSQuotaExceededException", 0, POM_ERR_NETWORK, "the folder's quota of names is used up"},
    {NULL, 307, POM_ERR_NETWORK, "the NameNode leads to a place without TLS: set dfs.http.policy to HTTPS_ONLY there"},
    {NULL, 400, POM_ERR_UNSUPPORTED, "the server does not know this operation"},
    {NULL, 401, POM_ERR_NETWORK,
        "the cluster wants to know who asks: set HADOOP_DELEGATION_TOKEN, as the manual's page on buckets says"},
    {NULL, 404, POM_ERR_NETWORK,
        "this is not WebHDFS: the port must be the NameNode's web port (dfs.namenode.http-address, usually 9870), not "
        "that of fs.defaultFS"},
};

static const struct advice *find_advice(const char *exception, int status) {
    for (size_t i = 0; i < sizeof all_advice / sizeof *all_advice; i++) {
        const struct advice *advice = &all_advice[i];
        if (advice->exception ? strcmp(advice->exception, exception) == 0 : advice->status == status)
            return advice;
    }
    return NULL;
}

/* "OPEN": never more of the URL, as it may carry a token. */
static int operation_of(const struct pom_call *call, const char **op) {
    *op = strstr(call->url.data, "?op=") + 4;
    return (int)strcspn(*op, "&");
}

static enum pom_status explain(
    void *store, const struct pom_request *base, const struct pom_http_transfer *transfer, struct pom_message *msg) {
    const struct pom_hdfs *hdfs = store;
    const struct pom_call *call = (const struct pom_call *)base;
    struct pom_hdfs_error error;
    const char *op;
    int n = operation_of(call, &op);
    if (transfer->status >= 200 && transfer->status < 300)
        return pom_fail(msg, POM_ERR_CONFLICT,
            "%.200s has %zu bytes, not the %llu that were listed: it has changed; run the same command again",
            base->subject, transfer->answer.size, (unsigned long long)call->expected_bytes);
    pom_hdfs_error_parse(transfer->answer.data, transfer->answer.size, &error);
    const struct advice *advice = find_advice(error.exception, transfer->status);
    if (advice)
        return pom_fail(msg, advice->meaning, "%.160s: %s (%.*s as %.64s at %.80s): %.100s", base->subject,
            advice->text, n, op, hdfs->user, hdfs->host, error.message);
    return pom_fail(msg, POM_ERR_NETWORK,
        "%.160s: %.*s as %.64s at %.80s fails with status %d %s: %.120s (%d attempts)", base->subject, n, op,
        hdfs->user, hdfs->host, transfer->status, error.exception, error.message, base->attempts);
}

const struct pom_protocol pom_hdfs_protocol = {.prepare = prepare, .judge = judge, .explain = explain};
