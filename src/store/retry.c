#include "store/retry.h"

enum { QUOTA = 10000, RETRY_COST = 5 };

static const uint64_t base_ns = 100000000, cap_ns = 20000000000;

enum pom_verdict pom_retry_judge_end(enum pom_http_end end) {
    switch (end) {
    case POM_HTTP_ANSWERED:
        return POM_VERDICT_DONE;
    case POM_HTTP_REFUSED:
    case POM_HTTP_BROKEN:
    case POM_HTTP_STALLED:
        return POM_VERDICT_RETRY;
    default:
        return POM_VERDICT_FAIL;
    }
}

enum pom_verdict pom_retry_judge_status(int status) {
    if (status >= 200 && status < 300)
        return POM_VERDICT_DONE;
    if (status == 429 || status == 503)
        return POM_VERDICT_SLOW_DOWN;
    if (status == 408 || status == 500 || status == 502 || status == 504)
        return POM_VERDICT_RETRY;
    return POM_VERDICT_FAIL;
}

uint64_t pom_retry_delay_ns(int attempt, uint64_t random) {
    uint64_t most = attempt < 9 ? base_ns << (attempt - 1) : cap_ns;
    return random % ((most < cap_ns ? most : cap_ns) + 1);
}

bool pom_retry_quota_take(struct pom_retry_quota *quota) {
    if (quota->used + RETRY_COST > QUOTA)
        return false;
    quota->used += RETRY_COST;
    return true;
}

void pom_retry_quota_refill(struct pom_retry_quota *quota) {
    if (quota->used > 0)
        quota->used--;
}
