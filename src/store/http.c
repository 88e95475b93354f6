#include "store/http.h"

#include "base/memory.h"
#include "base/resources.h"
#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MAX_HEADERS = 24,
    MAX_HEAD = 64 << 10,
    USUAL_HEAD = 1000,
    EVENTS = 64,
    CONNECT_MS = 10000,
    STALL_SECONDS = 10,
    KEPT_CONNECTIONS = 1024,
    LONGEST_WAIT_MS = 1000
};

/* Of a descriptor. */
enum {
    WATCH_EVENTS = EPOLLIN | EPOLLOUT,
    WATCH_IDLE = 64,       /* libcurl does not wait for it now */
    WATCH_CONNECTION = 128 /* libcurl tells us when it closes it */
};

/* A libcurl handle, kept with its buffers from one transfer to the next. */
struct pom_http_slot {
    CURL *easy;
    struct pom_http_transfer *transfer;
    struct curl_slist headers[MAX_HEADERS];
    char reason[CURL_ERROR_SIZE];
    bool too_big;
    struct pom_http_slot *next; /* of those that are idle */
};

struct pom_http {
    pthread_t thread;
    int epoll, wake; /* descriptors; wake: an eventfd */
    CURLM *multi;
    const char *authorities; /* file of certificates; NULL: the system's */
    uint64_t curl_at_ns;     /* when libcurl wants to be called; UINT64_MAX: never */
    struct pom_timers timers;
    uint8_t *watches; /* by descriptor: the events that it is registered for with epoll, and the marks WATCH_... */
    size_t n_watches;
    struct pom_http_slot *idle;
    struct pom_http_slot **slots; /* all */
    size_t n_slots, slots_capacity;
    atomic_bool stop;

    pthread_mutex_t mutex; /* guards the rest */
    struct pom_http_call *first, **last;
};

bool pom_http_add_header(struct pom_http_transfer *transfer, const char *name, const char *value) {
    struct pom_buffer *headers = &transfer->headers;
    return pom_buffer_texts(headers, (const char *const[]){name, ": ", value, NULL}) &&
           pom_buffer_append(headers, "", 1);
}

void pom_http_header(const struct pom_http_transfer *transfer, const char *name, char *out, size_t size) {
    size_t n = strlen(name);
    *out = '\0';
    for (const char *line = transfer->head.data, *end; line && *line; line = end ? end + 1 : NULL) {
        end = strchr(line, '\n');
        if (strncasecmp(line, name, n) != 0 || line[n] != ':')
            continue;
        const char *value = line + n + 1 + strspn(line + n + 1, " \t");
        snprintf(out, size, "%.*s", (int)strcspn(value, "\r\n"), value);
        return;
    }
}

void pom_http_transfer_clean_up(struct pom_http_transfer *transfer) {
    pom_buffer_clean_up(&transfer->url);
    pom_buffer_clean_up(&transfer->headers);
    pom_buffer_clean_up(&transfer->head);
    pom_buffer_clean_up(&transfer->answer);
}

/* Header lines of the last answer: a "100 Continue" before it is dropped. */
static size_t on_head(char *data, size_t size, size_t n, void *user) {
    struct pom_http_slot *slot = user;
    struct pom_http_transfer *transfer = slot->transfer;
    size_t bytes = size * n;
    if (!transfer->first_byte_ns)
        transfer->first_byte_ns = pom_now_ns();
    if (bytes > 5 && memcmp(data, "HTTP/", 5) == 0)
        transfer->head.size = 0;
    if (bytes > MAX_HEAD - transfer->head.size || memchr(data, '\0', bytes))
        return 0;
    return pom_buffer_append(&transfer->head, data, bytes) ? bytes : 0;
}

static size_t on_body(char *data, size_t size, size_t n, void *user) {
    struct pom_http_slot *slot = user;
    struct pom_http_transfer *transfer = slot->transfer;
    struct pom_buffer *answer = &transfer->answer;
    size_t bytes = size * n;
    curl_off_t length = 0;
    if (answer->size == 0)
        curl_easy_getinfo(slot->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    slot->too_big =
        bytes > transfer->max_bytes - answer->size || (length > 0 && (uint64_t)length > transfer->max_bytes);
    if (slot->too_big || (length > 0 && !pom_buffer_reserve(answer, (size_t)length)))
        return 0;
    return pom_buffer_append(answer, data, bytes) ? bytes : 0;
}

/* What is known of the descriptor; NULL on no memory. */
static uint8_t *find_watch(struct pom_http *http, curl_socket_t fd) {
    void *watches = http->watches;
    size_t known = http->n_watches;
    if (!pom_grow(&watches, &http->n_watches, (size_t)fd + 1, 1))
        return NULL;
    http->watches = watches;
    memset(http->watches + known, 0, http->n_watches - known);
    return &http->watches[fd];
}

static int unwatch(struct pom_http *http, curl_socket_t fd, uint8_t *watch) {
    struct epoll_event none = {0};
    if (*watch & WATCH_EVENTS)
        epoll_ctl(http->epoll, EPOLL_CTL_DEL, fd, &none);
    *watch &= WATCH_CONNECTION;
    return 0;
}

/* A connection that waits for its next request stays registered, as that request is often the next thing to happen. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *known) {
    (void)easy;
    (void)known;
    struct pom_http *http = user;
    uint8_t *watch = find_watch(http, fd);
    uint8_t wanted = (uint8_t)((what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0));
    if (!watch)
        return -1;
    if (what == CURL_POLL_REMOVE)
        return *watch & WATCH_CONNECTION ? (*watch |= WATCH_IDLE, 0) : unwatch(http, fd, watch);
    uint8_t before = *watch & WATCH_EVENTS;
    *watch = (*watch & WATCH_CONNECTION) | wanted;
    struct epoll_event event = {.events = wanted, .data.fd = fd};
    return before == wanted ? 0 : epoll_ctl(http->epoll, before ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
}

static curl_socket_t on_open(void *user, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)purpose;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    uint8_t *watch = fd >= 0 ? find_watch(user, fd) : NULL;
    if (watch)
        *watch = WATCH_CONNECTION;
    return fd;
}

static int on_close(void *user, curl_socket_t fd) {
    struct pom_http *http = user;
    http->watches[fd] = 0; /* closing takes it out of the epoll */
    return close(fd);
}

static int on_timer(CURLM *multi, long timeout_ms, void *user) {
    (void)multi;
    struct pom_http *http = user;
    http->curl_at_ns = timeout_ms < 0 ? UINT64_MAX : pom_now_ns() + (uint64_t)timeout_ms * 1000000;
    return 0;
}

static bool set_up(struct pom_http *http, struct pom_http_slot *slot) {
    CURL *easy = slot->easy;
    bool good = curl_easy_setopt(easy, CURLOPT_PRIVATE, slot) == CURLE_OK;
    good &= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, slot->reason) == CURLE_OK;
    good &= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head) == CURLE_OK;
    good &= curl_easy_setopt(easy, CURLOPT_HEADERDATA, slot) == CURLE_OK;
    good &= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK;
    good &= curl_easy_setopt(easy, CURLOPT_WRITEDATA, slot) == CURLE_OK;
    good &= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open) == CURLE_OK;
    good &= curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, http) == CURLE_OK;
    good &= curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close) == CURLE_OK;
    good &= curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, http) == CURLE_OK;
    good &= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
    good &= curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK;
    good &= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
    good &= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK;
    good &= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS) == CURLE_OK;
    good &= curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK;
    good &= curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)STALL_SECONDS) == CURLE_OK;
    good &= curl_easy_setopt(easy, CURLOPT_USERAGENT, "pomona/" POM_VERSION) == CURLE_OK;
    return good && (!http->authorities || curl_easy_setopt(easy, CURLOPT_CAINFO, http->authorities) == CURLE_OK);
}

static struct pom_http_slot *new_slot(struct pom_http *http) {
    void *slots = http->slots;
    if (!pom_grow(&slots, &http->slots_capacity, http->n_slots + 1, sizeof(struct pom_http_slot *)))
        return NULL;
    http->slots = slots;
    struct pom_http_slot *slot = pom_calloc(1, sizeof *slot);
    if (slot && (slot->easy = curl_easy_init()) && set_up(http, slot))
        return http->slots[http->n_slots++] = slot;
    if (slot)
        curl_easy_cleanup(slot->easy);
    free(slot);
    return NULL;
}

static struct pom_http_slot *take_slot(struct pom_http *http) {
    struct pom_http_slot *slot = http->idle;
    if (!slot)
        return new_slot(http);
    http->idle = slot->next;
    return slot;
}

static bool set_headers(struct pom_http_slot *slot, struct pom_buffer *headers) {
    size_t n = 0;
    for (size_t at = 0; at < headers->size; at += strlen(headers->data + at) + 1) {
        if (n == MAX_HEADERS)
            return false;
        slot->headers[n] = (struct curl_slist){headers->data + at, NULL};
        if (n > 0)
            slot->headers[n - 1].next = &slot->headers[n];
        n++;
    }
    return curl_easy_setopt(slot->easy, CURLOPT_HTTPHEADER, n ? slot->headers : NULL) == CURLE_OK;
}

static bool set_method(CURL *easy, const struct pom_http_transfer *transfer) {
    const char *method = transfer->method;
    bool get = strcmp(method, "GET") == 0, head = strcmp(method, "HEAD") == 0;
    bool good = curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L) == CURLE_OK;
    if (strcmp(method, "PUT") == 0 || strcmp(method, "POST") == 0) {
        good &= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)transfer->body_size) == CURLE_OK;
        good &= curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer->body ? transfer->body : "") == CURLE_OK;
    }
    good &= curl_easy_setopt(easy, CURLOPT_NOBODY, (long)head) == CURLE_OK;
    return good && curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, get || head ? NULL : method) == CURLE_OK;
}

static bool prepare(struct pom_http_slot *slot, struct pom_http_transfer *transfer) {
    CURL *easy = slot->easy;
    bool good = set_method(easy, transfer) && set_headers(slot, &transfer->headers);
    good = good && curl_easy_setopt(easy, CURLOPT_URL, transfer->url.data) == CURLE_OK;
    good = good && curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)transfer->deadline_ms) == CURLE_OK;
    return good && curl_easy_setopt(easy, CURLOPT_NOPROXY, transfer->direct ? "*" : NULL) == CURLE_OK;
}

static void release(struct pom_http *http, struct pom_http_slot *slot) {
    slot->transfer->slot = NULL;
    slot->transfer = NULL;
    slot->next = http->idle;
    http->idle = slot;
}

static enum pom_http_end end_of(CURLcode code, const struct pom_http_slot *slot) {
    switch (code) {
    case CURLE_OK:
        return POM_HTTP_ANSWERED;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
        return POM_HTTP_REFUSED;
    case CURLE_OPERATION_TIMEDOUT:
        return POM_HTTP_STALLED;
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL: /* an answer that is not HTTP/1 */
        return POM_HTTP_BROKEN;
    case CURLE_WRITE_ERROR:
        return slot->too_big ? POM_HTTP_TOO_BIG : POM_HTTP_FAILED;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return POM_HTTP_UNTRUSTED;
    default:
        return POM_HTTP_FAILED;
    }
}

static void finish(struct pom_http *http, struct pom_http_slot *slot, CURLcode code) {
    struct pom_http_transfer *transfer = slot->transfer;
    long status = 0;
    transfer->end = end_of(code, slot);
    curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status);
    transfer->status = (int)status;
    if (code != CURLE_OK)
        snprintf(
            transfer->reason, sizeof transfer->reason, "%s", *slot->reason ? slot->reason : curl_easy_strerror(code));
    curl_multi_remove_handle(http->multi, slot->easy);
    release(http, slot);
    transfer->done(transfer);
}

static void fail_later(struct pom_timer *timer) {
    struct pom_http_transfer *transfer = timer->user;
    transfer->done(transfer);
}

void pom_http_start(struct pom_http *http, struct pom_http_transfer *transfer) {
    transfer->head.size = transfer->answer.size = 0;
    transfer->first_byte_ns = 0;
    transfer->status = 0;
    transfer->end = POM_HTTP_FAILED;
    transfer->started_ns = pom_now_ns();
    *transfer->reason = '\0';
    struct pom_http_slot *slot = pom_buffer_reserve(&transfer->head, USUAL_HEAD) ? take_slot(http) : NULL;
    if (slot) {
        slot->transfer = transfer;
        slot->too_big = false;
        *slot->reason = '\0';
        transfer->slot = slot;
        if (prepare(slot, transfer) && curl_multi_add_handle(http->multi, slot->easy) == CURLM_OK)
            return;
        release(http, slot);
    }
    snprintf(transfer->reason, sizeof transfer->reason, "out of memory, or a bad URL");
    transfer->failed = (struct pom_timer){.call = fail_later, .user = transfer};
    pom_timers_set(&http->timers, &transfer->failed, transfer->started_ns);
}

void pom_http_abort(struct pom_http *http, struct pom_http_transfer *transfer) {
    pom_timers_stop(&http->timers, &transfer->failed);
    if (!transfer->slot)
        return;
    curl_multi_remove_handle(http->multi, transfer->slot->easy);
    release(http, transfer->slot);
}

struct pom_timers *pom_http_timers(struct pom_http *http) {
    return &http->timers;
}

void pom_http_post(struct pom_http *http, struct pom_http_call *call) {
    pthread_mutex_lock(&http->mutex);
    bool first = !http->first && !pthread_equal(pthread_self(), http->thread);
    if (!call->waiting) {
        call->waiting = true;
        call->next = NULL;
        *http->last = call;
        http->last = &call->next;
    }
    pthread_mutex_unlock(&http->mutex);
    const uint64_t one = 1;
    if (first && write(http->wake, &one, sizeof one) < 0)
        return; /* the counter is full: it wakes the thread as well */
}

static struct pom_http_call *take_call(struct pom_http *http) {
    pthread_mutex_lock(&http->mutex);
    struct pom_http_call *call = http->first;
    if (call) {
        http->first = call->next;
        if (!http->first)
            http->last = &http->first;
        call->waiting = false;
    }
    pthread_mutex_unlock(&http->mutex);
    return call;
}

static int wait_ms(struct pom_http *http) {
    uint64_t now = pom_now_ns(), at = pom_timers_next(&http->timers);
    if (http->curl_at_ns < at)
        at = http->curl_at_ns;
    if (at <= now)
        return 0;
    uint64_t ms = (at - now + 999999) / 1000000;
    return ms < LONGEST_WAIT_MS ? (int)ms : LONGEST_WAIT_MS;
}

static void take_event(struct pom_http *http, const struct epoll_event *event) {
    int running, fd = event->data.fd;
    uint32_t what = event->events;
    uint64_t count;
    if (fd == http->wake) {
        if (read(http->wake, &count, sizeof count) < 0)
            return;
    } else if (http->watches[fd] & WATCH_IDLE) { /* the server ends it: libcurl will see that before it uses it */
        unwatch(http, fd, &http->watches[fd]);
    } else {
        int mask = (what & (EPOLLIN | EPOLLHUP) ? CURL_CSELECT_IN : 0) | (what & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                   (what & EPOLLERR ? CURL_CSELECT_ERR : 0);
        curl_multi_socket_action(http->multi, fd, mask, &running);
    }
}

static void take_finished(struct pom_http *http) {
    int left;
    for (CURLMsg *done; (done = curl_multi_info_read(http->multi, &left));) {
        struct pom_http_slot *slot = NULL;
        if (done->msg == CURLMSG_DONE && curl_easy_getinfo(done->easy_handle, CURLINFO_PRIVATE, &slot) == CURLE_OK)
            finish(http, slot, done->data.result);
    }
}

static void *run(void *user) {
    struct pom_http *http = user;
    struct epoll_event events[EVENTS];
    int running;
    for (;;) {
        for (struct pom_http_call *call; (call = take_call(http));)
            call->call(call->user);
        if (atomic_load(&http->stop))
            break;
        if (http->curl_at_ns <= pom_now_ns()) {
            http->curl_at_ns = UINT64_MAX;
            curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
        }
        take_finished(http);
        int n = epoll_wait(http->epoll, events, EVENTS, wait_ms(http));
        for (int i = 0; i < n; i++)
            take_event(http, &events[i]);
        take_finished(http);
        pom_timers_run(&http->timers, pom_now_ns());
    }
    for (size_t i = 0; i < http->n_slots; i++) {
        struct pom_http_transfer *transfer = http->slots[i]->transfer;
        if (transfer) {
            pom_http_abort(http, transfer);
            transfer->end = POM_HTTP_CANCELLED;
            transfer->done(transfer);
        }
    }
    return NULL;
}

/* Where distributions keep the authorities: for a libcurl that was not built for this one, and so has no place of its
 * own. */
static const char *usual_authorities(void) {
    static const char *const files[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"}; /* Debian; Red Hat and Amazon; SUSE; Alpine */
    const curl_version_info_data *curl = curl_version_info(CURLVERSION_NOW);
    for (size_t i = 0; i < sizeof files / sizeof *files && !curl->cainfo && !curl->capath; i++)
        if (access(files[i], R_OK) == 0)
            return files[i];
    return NULL;
}

/* The names that the AWS tools, curl and OpenSSL know. */
static const char *own_authorities(void) {
    static const char *const names[] = {"AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value && *value)
            return value;
    }
    return usual_authorities();
}

static bool open_engine(struct pom_http *http) {
    struct epoll_event event = {.events = EPOLLIN};
    http->multi = curl_multi_init();
    http->epoll = epoll_create1(EPOLL_CLOEXEC);
    http->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    event.data.fd = http->wake;
    bool good = http->multi && http->epoll >= 0 && http->wake >= 0;
    good = good && epoll_ctl(http->epoll, EPOLL_CTL_ADD, http->wake, &event) == 0;
    good = good && curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK;
    good = good && curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http) == CURLM_OK;
    good = good && curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK;
    good = good && curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http) == CURLM_OK;
    return good && curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)KEPT_CONNECTIONS) == CURLM_OK;
}

static void close_engine(struct pom_http *http) {
    for (size_t i = 0; i < http->n_slots; i++) {
        curl_easy_cleanup(http->slots[i]->easy);
        free(http->slots[i]);
    }
    free(http->slots);
    curl_multi_cleanup(http->multi);
    free(http->watches);
    pom_timers_clean_up(&http->timers);
    if (http->epoll >= 0)
        close(http->epoll);
    if (http->wake >= 0)
        close(http->wake);
    pthread_mutex_destroy(&http->mutex);
    free(http);
}

enum pom_status pom_http_new(struct pom_http **out, struct pom_message *msg) {
    struct pom_http *http = pom_calloc(1, sizeof *http);
    if (!http)
        return pom_fail_memory(msg, "the network");
    http->epoll = http->wake = -1;
    http->curl_at_ns = UINT64_MAX;
    http->last = &http->first;
    http->authorities = own_authorities();
    pthread_mutex_init(&http->mutex, NULL);
    if (open_engine(http) && pthread_create(&http->thread, NULL, run, http) == 0) {
        *out = http;
        return POM_OK;
    }
    close_engine(http);
    return pom_fail_errno(msg, POM_ERR_LIMIT, "the system gives no more threads or descriptors");
}

void pom_http_free(struct pom_http *http) {
    if (!http)
        return;
    const uint64_t one = 1;
    atomic_store(&http->stop, true);
    if (write(http->wake, &one, sizeof one) >= 0 || errno == EAGAIN)
        pthread_join(http->thread, NULL);
    close_engine(http);
}
