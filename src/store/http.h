/* HTTP by libcurl: one thread with one multi handle, on which any number of exchanges are under way, over connections
 * that stay open. Certificates are verified (own authorities: AWS_CA_BUNDLE, CURL_CA_BUNDLE or SSL_CERT_FILE), proxies
 * taken from the environment as libcurl does. No redirect is followed and nothing is tried twice here: see client.h. */
#ifndef POM_STORE_HTTP_H
#define POM_STORE_HTTP_H

#include "base/buffer.h"
#include "base/status.h"
#include "store/timers.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pom_http;

/* How an exchange ended. */
enum pom_http_end {
    POM_HTTP_ANSWERED,  /* with any status */
    POM_HTTP_REFUSED,   /* no connection: refused, no such host, or timed out */
    POM_HTTP_BROKEN,    /* the connection broke, also in the middle of the body */
    POM_HTTP_STALLED,   /* over the deadline, or nothing came for long */
    POM_HTTP_TOO_BIG,   /* a body over max_bytes */
    POM_HTTP_UNTRUSTED, /* the certificate is not good */
    POM_HTTP_FAILED,    /* here: no memory, a bad URL */
    POM_HTTP_CANCELLED
};

/* One exchange. The caller keeps it, and all that it points to, until done. Zero-initialise; may be used again. */
struct pom_http_transfer {
    const char *method;
    struct pom_buffer url;
    struct pom_buffer headers; /* "Name: value" one after the other, each with its NUL */
    const void *body;          /* sent with PUT and POST */
    size_t body_size;
    size_t max_bytes;                                 /* of the answer's body */
    int deadline_ms;                                  /* of the whole exchange */
    bool direct;                                      /* not over a proxy */
    void (*done)(struct pom_http_transfer *transfer); /* on the engine's thread; must not wait */
    void *user;

    enum pom_http_end end;
    int status;             /* of an answer: 200 */
    struct pom_buffer head; /* the answer's header lines, each ended by CR LF */
    struct pom_buffer answer;
    char reason[256];                   /* libcurl's words where end is not POM_HTTP_ANSWERED */
    uint64_t started_ns, first_byte_ns; /* monotonic; first_byte_ns is 0 where none came */

    struct pom_http_slot *slot; /* the engine's; NULL unless under way */
    struct pom_timer failed;    /* the engine's */
};

/* False on no memory. */
bool pom_http_add_header(struct pom_http_transfer *transfer, const char *name, const char *value);

/* Copies the value of the answer's header to out, cut to its size; "" where there is none. The name's case does not
 * matter. */
void pom_http_header(const struct pom_http_transfer *transfer, const char *name, char *out, size_t size);

/* Frees the buffers. */
void pom_http_transfer_clean_up(struct pom_http_transfer *transfer);

/* Starts the thread. */
enum pom_status pom_http_new(struct pom_http **out, struct pom_message *msg);

/* Cancels what is under way, and ends the thread. */
void pom_http_free(struct pom_http *http);

/* Starts the exchange; done is called in every case, but never before this returns. On the engine's thread only. */
void pom_http_start(struct pom_http *http, struct pom_http_transfer *transfer);

/* Ends the exchange now, without calling done; one that is not under way is left alone. On the engine's thread only. */
void pom_http_abort(struct pom_http *http, struct pom_http_transfer *transfer);

/* The timers that the engine's thread calls; on that thread only. */
struct pom_timers *pom_http_timers(struct pom_http *http);

/* Has the engine's thread call this, soon and once however often it is posted before: how others reach what belongs to
 * that thread. Thread-safe. Zero-initialise but for the first two. */
struct pom_http_call {
    void (*call)(void *user);
    void *user;
    bool waiting; /* the engine's, as the rest */
    struct pom_http_call *next;
};
void pom_http_post(struct pom_http *http, struct pom_http_call *call);

#endif
