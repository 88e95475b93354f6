/* How many requests to have under way: as many as shorten the job. Grows while latency stays near its floor, as the
 * requests then do not wait for one another (L. Brakmo, L. Peterson, "TCP Vegas", 1995), shrinks where they queue, and
 * by half where the server says "slow down". And when a request takes so long that a second one is worth its cost (J.
 * Dean, L. Barroso, "The Tail at Scale", 2013). Not thread-safe. */
#ifndef POM_STORE_THROTTLE_H
#define POM_STORE_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

enum { POM_THROTTLE_LEAST = 16, POM_THROTTLE_START = 64, POM_THROTTLE_MOST = 512, POM_THROTTLE_BUCKETS = 160 };

struct pom_throttle {
    double limit;
    bool queueing;                         /* has been seen: the limit grows with care */
    uint64_t floor_ns, mean_ns;            /* latency: the least of late, and an average */
    uint64_t floor_age;                    /* answers since the floor was looked for anew */
    uint64_t slowed_ns;                    /* when the limit was last halved */
    uint32_t counts[POM_THROTTLE_BUCKETS]; /* of latencies, by their logarithm; halved now and then */
    uint32_t counted;
    double hedges; /* that may be sent */
};

void pom_throttle_init(struct pom_throttle *throttle);

/* How many may be under way. */
int pom_throttle_limit(const struct pom_throttle *throttle);

/* A good answer after so long, with so many under way. */
void pom_throttle_answered(struct pom_throttle *throttle, uint64_t latency_ns, int under_way);

/* The server asked for fewer. */
void pom_throttle_slow_down(struct pom_throttle *throttle, uint64_t now_ns);

/* After how long a second request is worth it; 0: not known yet. */
uint64_t pom_throttle_hedge_ns(const struct pom_throttle *throttle);

/* Whether a second request may be sent: at most one in twenty answers. */
bool pom_throttle_take_hedge(struct pom_throttle *throttle);

#endif
