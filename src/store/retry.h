/* What becomes of a request whose attempt did not succeed: which faults pass, how long to wait, and how many retries a
 * job may make. Backoff is exponential with full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture
 * Blog, 2015). */
#ifndef POM_STORE_RETRY_H
#define POM_STORE_RETRY_H

#include "store/http.h"

enum pom_verdict {
    POM_VERDICT_DONE,      /* the answer is the caller's */
    POM_VERDICT_RETRY,     /* it may pass */
    POM_VERDICT_SLOW_DOWN, /* it may pass, with fewer requests at once */
    POM_VERDICT_AGAIN,     /* at once: the answer told how it must be asked (region, clock) */
    POM_VERDICT_FAIL
};

enum { POM_RETRY_ATTEMPTS = 10 }; /* of one request */

/* Of an exchange without an answer. */
enum pom_verdict pom_retry_judge_end(enum pom_http_end end);

/* Of an answer's status, by HTTP alone. */
enum pom_verdict pom_retry_judge_status(int status);

/* How long to wait after attempt 1, 2, ...: between 0 and min(20 s, 100 ms * 2^(attempt-1)). random: uniform. */
uint64_t pom_retry_delay_ns(int attempt, uint64_t random);

/* What may be retried altogether: full at first, refilled by successes. A network that is gone ends a job soon; one
 * that loses a few per cent of its requests does not. Zero-initialise. */
struct pom_retry_quota {
    uint32_t used;
};

/* False where the quota is used up. */
bool pom_retry_quota_take(struct pom_retry_quota *quota);
void pom_retry_quota_refill(struct pom_retry_quota *quota);

#endif
