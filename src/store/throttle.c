#include "store/throttle.h"

#include <string.h>

enum {
    QUEUED_FEW = 24,    /* requests waiting at the server, besides a third of all: below, the limit grows */
    QUEUED_MANY = 64,   /* besides half of all: above, it shrinks */
    FLOOR_AGE = 20000,  /* answers after which the floor is looked for anew */
    LEAST_COUNTED = 100 /* before a percentile is told */
};

static const uint64_t slow_every_ns = 500000000, least_hedge_ns = 50000000;
static const double first_rate = 5500e-9; /* answers a nanosecond, as S3 gives at least, that the limit is to allow */
static const double hedge_share = 0.05, most_hedges = 20;

void pom_throttle_init(struct pom_throttle *throttle) {
    memset(throttle, 0, sizeof *throttle);
    throttle->limit = POM_THROTTLE_START;
    throttle->floor_ns = UINT64_MAX;
}

int pom_throttle_limit(const struct pom_throttle *throttle) {
    return (int)throttle->limit;
}

/* Eight buckets to a doubling, from 1 us on. */
static int bucket_of(uint64_t ns) {
    uint64_t us = ns / 1000 + 1;
    int high = 63 - __builtin_clzll(us);
    int eighth = high >= 3 ? (int)(us >> (high - 3)) & 7 : 0;
    int bucket = high * 8 + eighth;
    return bucket < POM_THROTTLE_BUCKETS ? bucket : POM_THROTTLE_BUCKETS - 1;
}

static uint64_t bucket_top_ns(int bucket) {
    return (((uint64_t)1 << (bucket / 8)) * (uint64_t)(9 + bucket % 8) / 8) * 1000;
}

static void count(struct pom_throttle *throttle, uint64_t latency_ns) {
    throttle->counts[bucket_of(latency_ns)]++;
    if (++throttle->counted < 100 * LEAST_COUNTED)
        return;
    throttle->counted = 0;
    for (int i = 0; i < POM_THROTTLE_BUCKETS; i++)
        throttle->counted += throttle->counts[i] /= 2;
}

static void keep_within_bounds(struct pom_throttle *throttle) {
    if (throttle->limit < POM_THROTTLE_LEAST)
        throttle->limit = POM_THROTTLE_LEAST;
    if (throttle->limit > POM_THROTTLE_MOST)
        throttle->limit = POM_THROTTLE_MOST;
}

/* Few requests at once do for a server that is near, many are needed to keep a distant one busy. */
static void begin(struct pom_throttle *throttle, uint64_t latency_ns) {
    double wanted = (double)latency_ns * first_rate;
    if (wanted > throttle->limit)
        throttle->limit = wanted < POM_THROTTLE_MOST ? wanted : POM_THROTTLE_MOST;
}

void pom_throttle_answered(struct pom_throttle *throttle, uint64_t latency_ns, int under_way) {
    if (!throttle->mean_ns && !throttle->queueing)
        begin(throttle, latency_ns);
    if (latency_ns < throttle->floor_ns || ++throttle->floor_age > FLOOR_AGE) {
        throttle->floor_ns = latency_ns;
        throttle->floor_age = 0;
    }
    throttle->mean_ns = throttle->mean_ns ? (throttle->mean_ns * 15 + latency_ns) / 16 : latency_ns;
    count(throttle, latency_ns);
    throttle->hedges += throttle->hedges < most_hedges ? hedge_share : 0;
    double queued = under_way * (1 - (double)throttle->floor_ns / (double)(throttle->mean_ns + 1));
    bool full = under_way >= (int)throttle->limit - 1, few = queued < QUEUED_FEW + under_way / 3.0;
    throttle->queueing |= !few;
    if (full && few)
        throttle->limit += throttle->queueing ? 1 : 3; /* an answer: doubled, or at first times four, a round trip */
    else if (queued > QUEUED_MANY + under_way / 2.0 && throttle->limit > POM_THROTTLE_START)
        throttle->limit -= 1 / throttle->limit;
    keep_within_bounds(throttle);
}

void pom_throttle_slow_down(struct pom_throttle *throttle, uint64_t now_ns) {
    if (now_ns - throttle->slowed_ns < slow_every_ns)
        return;
    throttle->slowed_ns = now_ns;
    throttle->queueing = true;
    throttle->limit /= 2;
    keep_within_bounds(throttle);
}

uint64_t pom_throttle_hedge_ns(const struct pom_throttle *throttle) {
    if (throttle->counted < LEAST_COUNTED)
        return 0;
    uint32_t above = throttle->counted / 20, seen = 0;
    int bucket = POM_THROTTLE_BUCKETS - 1;
    for (; bucket > 0 && seen + throttle->counts[bucket] <= above; bucket--)
        seen += throttle->counts[bucket];
    uint64_t p95 = bucket_top_ns(bucket), wait = 2 * p95;
    return wait > least_hedge_ns ? wait : least_hedge_ns;
}

bool pom_throttle_take_hedge(struct pom_throttle *throttle) {
    if (throttle->hedges < 1)
        return false;
    throttle->hedges -= 1;
    return true;
}
