#include "store/fetch.h"

#include "store/http.h"
#include "store/retry.h"
#include <openssl/crypto.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

enum { MAX_ANSWER = 1 << 20, LOOK_MS = 100 };

struct exchange {
    struct pom_http_call call; /* still posted where it was cancelled at once: it lives until the engine ends */
    struct pom_http *http;
    struct pom_http_transfer transfer;
    pthread_mutex_t mutex;
    pthread_cond_t over;
    bool done;
};

static void on_done(struct pom_http_transfer *transfer) {
    struct exchange *exchange = transfer->user;
    pthread_mutex_lock(&exchange->mutex);
    exchange->done = true;
    pthread_cond_signal(&exchange->over);
    pthread_mutex_unlock(&exchange->mutex);
}

static void start(void *user) {
    struct exchange *exchange = user;
    pom_http_start(exchange->http, &exchange->transfer);
}

static void sleep_until_look(struct exchange *exchange) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += LOOK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&exchange->over, &exchange->mutex, &until);
}

/* False where it was cancelled meanwhile. */
static bool run_once(struct exchange *exchange, const atomic_bool *cancel) {
    exchange->done = false;
    pom_http_post(exchange->http, &exchange->call);
    pthread_mutex_lock(&exchange->mutex);
    while (!exchange->done && !(cancel && atomic_load(cancel)))
        sleep_until_look(exchange);
    bool done = exchange->done;
    pthread_mutex_unlock(&exchange->mutex);
    return done;
}

static bool write_down(const struct pom_fetch *fetch, struct exchange *exchange) {
    struct pom_http_transfer *transfer = &exchange->transfer;
    transfer->method = fetch->method;
    transfer->body = fetch->body;
    transfer->body_size = fetch->body ? strlen(fetch->body) : 0;
    transfer->max_bytes = MAX_ANSWER;
    transfer->deadline_ms = fetch->deadline_ms;
    transfer->direct = fetch->direct;
    transfer->done = on_done;
    transfer->user = exchange;
    bool good = pom_buffer_text(&transfer->url, fetch->url);
    for (size_t i = 0; i < sizeof fetch->headers / sizeof *fetch->headers && fetch->headers[i].name && good; i++)
        good = pom_http_add_header(transfer, fetch->headers[i].name, fetch->headers[i].value);
    return good;
}

static void pause_after(int attempt) {
    uint64_t ns = pom_retry_delay_ns(attempt, UINT64_MAX / 2);
    const struct timespec pause = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    nanosleep(&pause, NULL);
}

static enum pom_status run(const struct pom_fetch *fetch, struct exchange *exchange, struct pom_message *msg) {
    const struct pom_http_transfer *transfer = &exchange->transfer;
    for (int attempt = 1;; attempt++) {
        if (!run_once(exchange, fetch->cancel))
            return pom_fail(msg, POM_ERR_CANCELLED, "stopped");
        bool answered = transfer->end == POM_HTTP_ANSWERED;
        if (answered && (transfer->status < 500 || attempt >= fetch->attempts))
            return POM_OK;
        if (attempt >= fetch->attempts)
            return pom_fail(msg, POM_ERR_NETWORK, "no answer from %.120s: %s", fetch->url, transfer->reason);
        pause_after(attempt);
    }
}

enum pom_status pom_fetch(
    const struct pom_fetch *fetch, int *http_status, struct pom_buffer *out, struct pom_message *msg) {
    struct exchange exchange = {.mutex = PTHREAD_MUTEX_INITIALIZER, .over = PTHREAD_COND_INITIALIZER};
    exchange.call = (struct pom_http_call){.call = start, .user = &exchange};
    POM_TRY(pom_http_new(&exchange.http, msg));
    enum pom_status status =
        write_down(fetch, &exchange) ? run(fetch, &exchange, msg) : pom_fail_memory(msg, "a request");
    pom_http_free(exchange.http);
    *http_status = exchange.transfer.status;
    pom_buffer_clean_up(out);
    if (status == POM_OK) {
        *out = exchange.transfer.answer;
        exchange.transfer.answer = (struct pom_buffer){0};
    }
    if (exchange.transfer.headers.data) /* tokens */
        OPENSSL_cleanse(exchange.transfer.headers.data, exchange.transfer.headers.capacity);
    pom_http_transfer_clean_up(&exchange.transfer);
    return status;
}
