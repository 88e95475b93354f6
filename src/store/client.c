#include "store/client.h"

#include "base/memory.h"
#include "base/resources.h"
#include "store/throttle.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    USUAL_URL = 250,
    USUAL_HEADERS = 700,
    MOST_ASKED_AGAIN = 4,
    LOOK_MS = 50,
    LEAST_DEADLINE_MS = 1000,
    LEAST_BYTES_PER_MS = 64
};

static const uint64_t ms = 1000000;

struct pom_client {
    const struct pom_protocol *protocol;
    void *store;
    const atomic_bool *cancel;
    atomic_bool cancelled;
    _Atomic uint64_t sent;
    struct pom_http *http;

    pthread_mutex_t mutex; /* guards what others submit */
    struct pom_request *first, **last;
    struct pom_http_call arrived;

    struct pom_request *ready, **ready_last; /* of the engine's thread, as the rest: those that wait for their turn */
    struct pom_request *all;                 /* from arrival to done */
    int under_way;                           /* transfers */
    struct pom_throttle throttle;
    struct pom_retry_quota quota;
    struct pom_timer look; /* whether to cancel */
    uint64_t random;
};

/* xorshift64* (S. Vigna, 2016): spreads retries, no more. */
static uint64_t next_random(struct pom_client *client) {
    client->random ^= client->random >> 12;
    client->random ^= client->random << 25;
    client->random ^= client->random >> 27;
    return client->random * 0x2545F4914F6CDD1DU;
}

static bool is_cancelled(const struct pom_client *client) {
    return atomic_load(&client->cancelled) || (client->cancel && atomic_load(client->cancel));
}

static void enlist(struct pom_client *client, struct pom_request *request) {
    request->before = NULL;
    request->after = client->all;
    if (client->all)
        client->all->before = request;
    client->all = request;
}

static void delist(struct pom_client *client, struct pom_request *request) {
    if (request->before)
        request->before->after = request->after;
    else
        client->all = request->after;
    if (request->after)
        request->after->before = request->before;
}

static bool is_under_way(const struct pom_http_transfer *transfer) {
    return transfer->slot || transfer->failed.place;
}

static void abort_transfer(struct pom_client *client, struct pom_http_transfer *transfer) {
    if (!is_under_way(transfer))
        return;
    pom_http_abort(client->http, transfer);
    client->under_way--;
}

/* Hands the request back. */
static void finish(struct pom_request *request, enum pom_status status) {
    struct pom_client *client = request->client;
    struct pom_timers *timers = pom_http_timers(client->http);
    pom_timers_stop(timers, &request->wait);
    pom_timers_stop(timers, &request->second);
    abort_transfer(client, &request->transfers[0]);
    abort_transfer(client, &request->transfers[1]);
    delist(client, request);
    if (!client->all)
        pom_timers_stop(timers, &client->look);
    request->status = status;
    request->done(request);
}

static void finish_cancelled(struct pom_request *request) {
    finish(request, pom_fail(&request->message, POM_ERR_CANCELLED, "%s: stopped", request->subject));
}

static void queue(struct pom_client *client, struct pom_request *request) {
    struct pom_request **place = request->urgent ? &client->ready : client->ready_last;
    request->next = *place;
    *place = request;
    if (!request->next)
        client->ready_last = &request->next;
}

static void explain_end(const struct pom_request *request, const struct pom_http_transfer *transfer, double seconds,
    struct pom_message *msg) {
    const char *url = transfer->url.data;
    int host = (int)(strcspn(strstr(url, "://") + 3, "/") + (size_t)(strstr(url, "://") + 3 - url));
    if (transfer->end == POM_HTTP_UNTRUSTED)
        pom_fail(msg, POM_ERR_NETWORK,
            "%s: the certificate of %.*s is not trusted (%s): name your authority's file with --ca-file",
            request->subject, host, url, transfer->reason);
    else
        pom_fail(msg, POM_ERR_NETWORK,
            "%s: no good answer from %.*s in %d attempts over %.0f s (%s): check the network%s", request->subject, host,
            url, request->attempts, seconds, transfer->reason,
            transfer->end == POM_HTTP_REFUSED ? ", the endpoint and the proxy" : "; the same command continues");
}

static void give_up(struct pom_request *request, const struct pom_http_transfer *transfer) {
    const struct pom_client *client = request->client;
    enum pom_status status = POM_ERR_NETWORK;
    double seconds = (double)(pom_now_ns() - request->submitted_ns) * 1e-9;
    if (transfer->end == POM_HTTP_ANSWERED)
        status = client->protocol->explain(client->store, request, transfer, &request->message);
    else if (transfer->end == POM_HTTP_TOO_BIG)
        status = pom_fail(
            &request->message, POM_ERR_LIMIT, "%s has more than %zu bytes", request->subject, request->max_bytes);
    else if (transfer->end == POM_HTTP_FAILED)
        status = pom_fail(&request->message, POM_ERR_MEMORY, "%s: %s", request->subject, transfer->reason);
    else
        explain_end(request, transfer, seconds, &request->message);
    finish(request, status);
}

static void pump(struct pom_client *client);

static void go_on(struct pom_timer *timer) {
    struct pom_request *request = timer->user;
    queue(request->client, request);
    pump(request->client);
}

static void wait_for(struct pom_request *request, uint64_t ns) {
    if (!pom_timers_set(pom_http_timers(request->client->http), &request->wait, pom_now_ns() + ns))
        finish(request, pom_fail_memory(&request->message, request->subject));
}

/* The same request once more, unless it has had its attempts or the job its retries. */
static void retry(struct pom_request *request, const struct pom_http_transfer *transfer) {
    struct pom_client *client = request->client;
    int most = request->most_attempts ? request->most_attempts : POM_RETRY_ATTEMPTS;
    if (request->attempts < most && pom_retry_quota_take(&client->quota))
        wait_for(request, pom_retry_delay_ns(request->attempts, next_random(client)));
    else
        give_up(request, transfer);
}

static void succeed(struct pom_request *request, struct pom_http_transfer *transfer) {
    struct pom_client *client = request->client;
    pom_retry_quota_refill(&client->quota);
    request->answer = transfer;
    finish(request, POM_OK);
}

static void decide(struct pom_request *request, struct pom_http_transfer *transfer, enum pom_verdict verdict) {
    struct pom_client *client = request->client;
    struct pom_http_transfer *other = &request->transfers[transfer == request->transfers];
    if (verdict == POM_VERDICT_SLOW_DOWN)
        pom_throttle_slow_down(&client->throttle, pom_now_ns());
    if (verdict == POM_VERDICT_DONE)
        succeed(request, transfer);
    else if (verdict == POM_VERDICT_FAIL)
        give_up(request, transfer);
    else if (is_under_way(other))
        return; /* that one may still succeed */
    else if (verdict == POM_VERDICT_AGAIN && request->asked_again++ < MOST_ASKED_AGAIN)
        wait_for(request, 0);
    else
        retry(request, transfer);
}

static void on_done(struct pom_http_transfer *transfer) {
    struct pom_request *request = transfer->user;
    struct pom_client *client = request->client;
    enum pom_verdict verdict = pom_retry_judge_end(transfer->end);
    client->under_way--;
    if (transfer->end == POM_HTTP_ANSWERED)
        verdict = client->protocol->judge(client->store, request, transfer);
    if (verdict == POM_VERDICT_DONE)
        pom_throttle_answered(&client->throttle, pom_now_ns() - transfer->started_ns, client->under_way + 1);
    decide(request, transfer, verdict);
    pump(client);
}

/* Where it is known how long answers take, one that takes twenty times as long is given up for another; twice as long
 * with each attempt, as it may be the server that has become slow. */
static int deadline_ms(const struct pom_request *request) {
    int most = request->deadline_ms ? request->deadline_ms : POM_CLIENT_DEADLINE_MS;
    uint64_t hedge = pom_throttle_hedge_ns(&request->client->throttle);
    if (!request->hedge || !hedge)
        return most;
    uint64_t usual = 10 * hedge / ms + request->max_bytes / LEAST_BYTES_PER_MS;
    usual = (usual < LEAST_DEADLINE_MS ? LEAST_DEADLINE_MS : usual) << request->attempts;
    return usual < (uint64_t)most ? (int)usual : most;
}

static void start(struct pom_request *request, struct pom_http_transfer *transfer) {
    struct pom_client *client = request->client;
    transfer->url.size = transfer->headers.size = 0;
    transfer->done = on_done;
    transfer->user = request;
    transfer->max_bytes = request->max_bytes;
    transfer->deadline_ms = deadline_ms(request);
    enum pom_status status = POM_OK;
    if (!pom_buffer_reserve(&transfer->url, USUAL_URL) || !pom_buffer_reserve(&transfer->headers, USUAL_HEADERS))
        status = pom_fail_memory(&request->message, request->subject);
    if (status == POM_OK)
        status = client->protocol->prepare(client->store, request, transfer, &request->message);
    if (status != POM_OK) {
        finish(request, status);
        return;
    }
    client->under_way++;
    atomic_fetch_add_explicit(&client->sent, 1, memory_order_relaxed);
    pom_http_start(client->http, transfer);
}

/* The first attempt lags behind: a second one may overtake it. */
static void start_second(struct pom_timer *timer) {
    struct pom_request *request = timer->user;
    struct pom_client *client = request->client;
    if (is_under_way(&request->transfers[0]) && !is_under_way(&request->transfers[1]) &&
        client->under_way < POM_THROTTLE_MOST && pom_throttle_take_hedge(&client->throttle))
        start(request, &request->transfers[1]);
}

static void start_first(struct pom_client *client, struct pom_request *request) {
    request->attempts++;
    uint64_t hedge = request->hedge ? pom_throttle_hedge_ns(&client->throttle) : 0;
    if (hedge)
        pom_timers_set(pom_http_timers(client->http), &request->second, pom_now_ns() + hedge);
    start(request, &request->transfers[0]);
}

static void pump(struct pom_client *client) {
    while (client->ready && client->under_way < pom_throttle_limit(&client->throttle)) {
        struct pom_request *request = client->ready;
        client->ready = request->next;
        if (!client->ready)
            client->ready_last = &client->ready;
        start_first(client, request);
    }
}

/* Takes the requests to cancel out of the queue. */
static void thin_queue(struct pom_client *client, bool all) {
    struct pom_request *request = client->ready;
    client->ready = NULL;
    client->ready_last = &client->ready;
    while (request) {
        struct pom_request *next = request->next;
        if (!all && request->even_cancelled)
            queue(client, request);
        request = next;
    }
}

static void cancel_requests(struct pom_client *client, bool all) {
    thin_queue(client, all);
    for (struct pom_request *request = client->all, *next; request; request = next) {
        next = request->after;
        if (all || !request->even_cancelled)
            finish_cancelled(request);
    }
}

static void look(struct pom_timer *timer) {
    struct pom_client *client = timer->user;
    if (is_cancelled(client))
        cancel_requests(client, false);
    if (client->all)
        pom_timers_set(pom_http_timers(client->http), timer, pom_now_ns() + LOOK_MS * ms);
}

/* Takes over what others submitted. */
static void arrive(void *user) {
    struct pom_client *client = user;
    pthread_mutex_lock(&client->mutex);
    struct pom_request *request = client->first;
    client->first = NULL;
    client->last = &client->first;
    pthread_mutex_unlock(&client->mutex);
    while (request) {
        struct pom_request *next = request->next;
        enlist(client, request);
        queue(client, request);
        request = next;
    }
    if (client->all && !client->look.place)
        look(&client->look);
    pump(client);
}

void pom_client_submit(struct pom_client *client, struct pom_request *request) {
    request->client = client;
    request->status = POM_OK;
    request->answer = NULL;
    request->attempts = request->asked_again = 0;
    request->submitted_ns = pom_now_ns();
    request->next = NULL;
    request->wait = (struct pom_timer){.call = go_on, .user = request};
    request->second = (struct pom_timer){.call = start_second, .user = request};
    pthread_mutex_lock(&client->mutex);
    *client->last = request;
    client->last = &request->next;
    pthread_mutex_unlock(&client->mutex);
    pom_http_post(client->http, &client->arrived);
}

struct waiting {
    pthread_mutex_t mutex;
    pthread_cond_t over;
    bool done;
};

static void wake(struct pom_request *request) {
    struct waiting *waiting = request->user;
    pthread_mutex_lock(&waiting->mutex);
    waiting->done = true;
    pthread_cond_signal(&waiting->over);
    pthread_mutex_unlock(&waiting->mutex);
}

enum pom_status pom_client_run(struct pom_client *client, struct pom_request *request, struct pom_message *msg) {
    struct waiting waiting = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    request->done = wake;
    request->user = &waiting;
    pom_client_submit(client, request);
    pthread_mutex_lock(&waiting.mutex);
    while (!waiting.done)
        pthread_cond_wait(&waiting.over, &waiting.mutex);
    pthread_mutex_unlock(&waiting.mutex);
    pthread_cond_destroy(&waiting.over);
    pthread_mutex_destroy(&waiting.mutex);
    if (request->status != POM_OK && msg)
        *msg = request->message;
    return request->status;
}

void pom_client_cancel(struct pom_client *client) {
    atomic_store(&client->cancelled, true);
    pom_http_post(client->http, &client->arrived);
}

uint64_t pom_client_sent(const struct pom_client *client) {
    return atomic_load_explicit(&client->sent, memory_order_relaxed);
}

enum pom_status pom_client_new(const struct pom_protocol *protocol, void *store, const atomic_bool *cancel,
    struct pom_client **out, struct pom_message *msg) {
    struct pom_client *client = pom_calloc(1, sizeof *client);
    if (!client)
        return pom_fail_memory(msg, "the network");
    client->protocol = protocol;
    client->store = store;
    client->cancel = cancel;
    client->last = &client->first;
    client->ready_last = &client->ready;
    client->arrived = (struct pom_http_call){.call = arrive, .user = client};
    client->look = (struct pom_timer){.call = look, .user = client};
    client->random = pom_now_ns() | 1;
    pom_throttle_init(&client->throttle);
    pthread_mutex_init(&client->mutex, NULL);
    enum pom_status status = pom_http_new(&client->http, msg);
    if (status == POM_OK) {
        *out = client;
    } else {
        pthread_mutex_destroy(&client->mutex);
        free(client);
    }
    return status;
}

static void end(void *user) {
    struct pom_client *client = user;
    arrive(client);
    cancel_requests(client, true);
    atomic_store(&client->cancelled, true);
}

void pom_client_free(struct pom_client *client) {
    if (!client)
        return;
    struct pom_http_call last = {.call = end, .user = client};
    pom_http_post(client->http, &last);
    pom_http_free(client->http);
    pthread_mutex_destroy(&client->mutex);
    free(client);
}

void pom_request_clean_up(struct pom_request *request) {
    pom_http_transfer_clean_up(&request->transfers[0]);
    pom_http_transfer_clean_up(&request->transfers[1]);
}
