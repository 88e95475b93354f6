/* Requests on a store: attempts with retries and backoff, as many under way as the throttle lets, a second GET where
 * one lags behind. What a kind of store adds is its protocol: how a request is written down and what an answer means.
 */
#ifndef POM_STORE_CLIENT_H
#define POM_STORE_CLIENT_H

#include "store/http.h"
#include "store/retry.h"
#include <stdatomic.h>

struct pom_client;

/* One request, from its submission to done. A kind of store puts it at the head of a struct of its own. The caller
 * keeps it until done; zero-initialise, release with pom_request_clean_up. */
struct pom_request {
    const char *subject;                       /* what messages name: "s3://bucket/key"; borrowed */
    size_t max_bytes;                          /* of an answer's body */
    int deadline_ms;                           /* of one attempt; 0: POM_CLIENT_DEADLINE_MS */
    int most_attempts;                         /* 0: POM_RETRY_ATTEMPTS */
    bool hedge;                                /* it may be sent twice at once */
    bool urgent;                               /* it goes before those that wait for their turn */
    bool even_cancelled;                       /* it is sent where the others are cancelled: what must be given up */
    void (*done)(struct pom_request *request); /* on the engine's thread; must not wait for another request */
    void *user;

    enum pom_status status;
    struct pom_message message;       /* where status is not POM_OK */
    struct pom_http_transfer *answer; /* where status is POM_OK; its parts may be taken over */

    struct pom_http_transfer transfers[2]; /* the client's, as the rest; [1] is the second one */
    struct pom_client *client;
    struct pom_request *next, *before, *after; /* of the queue; of all */
    struct pom_timer wait, second;
    int attempts, asked_again;
    uint64_t submitted_ns;
};

struct pom_protocol {
    /* Writes method, URL, headers and body of an attempt to the transfer, whose buffers are empty. */
    enum pom_status (*prepare)(
        void *store, struct pom_request *request, struct pom_http_transfer *transfer, struct pom_message *msg);
    /* What an answer means; POM_VERDICT_DONE hands it to the caller, whatever its status. */
    enum pom_verdict (*judge)(void *store, struct pom_request *request, const struct pom_http_transfer *transfer);
    /* Says why the answer is a failure, and what to do. */
    enum pom_status (*explain)(void *store, const struct pom_request *request, const struct pom_http_transfer *transfer,
        struct pom_message *msg);
};

enum { POM_CLIENT_DEADLINE_MS = 30000 };

/* protocol and store: borrowed. cancel (may be NULL): every request ends soon with POM_ERR_CANCELLED once it is set. */
enum pom_status pom_client_new(const struct pom_protocol *protocol, void *store, const atomic_bool *cancel,
    struct pom_client **out, struct pom_message *msg);

/* Cancels the requests that are under way, and waits for their end. */
void pom_client_free(struct pom_client *client);

/* Thread-safe. done is called in every case. */
void pom_client_submit(struct pom_client *client, struct pom_request *request);

/* Submits the request and waits for its end; returns its status, with its message. Uses done and user. Not on the
 * engine's thread. */
enum pom_status pom_client_run(struct pom_client *client, struct pom_request *request, struct pom_message *msg);

/* Ends all requests with POM_ERR_CANCELLED, those that come later too. Thread-safe. */
void pom_client_cancel(struct pom_client *client);

/* HTTP requests sent so far, each attempt counted. Thread-safe. */
uint64_t pom_client_sent(const struct pom_client *client);

void pom_request_clean_up(struct pom_request *request);

#endif
