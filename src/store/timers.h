/* Calls at their time: a heap. Not thread-safe. */
#ifndef POM_STORE_TIMERS_H
#define POM_STORE_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialise; the caller keeps it until it was called or stopped. */
struct pom_timer {
    uint64_t at_ns; /* on the monotonic clock */
    void (*call)(struct pom_timer *timer);
    void *user;
    size_t place; /* in the heap, from 1; 0: not set */
};

/* Zero-initialise. */
struct pom_timers {
    struct pom_timer **heap;
    size_t n, capacity;
};

/* Sets the timer to this time, also when it is set already. False on no memory, and then it is not set. */
bool pom_timers_set(struct pom_timers *timers, struct pom_timer *timer, uint64_t at_ns);
void pom_timers_stop(struct pom_timers *timers, struct pom_timer *timer);

/* When the next is due; UINT64_MAX for never. */
uint64_t pom_timers_next(const struct pom_timers *timers);

/* Calls those that are due; a call may set and stop any. */
void pom_timers_run(struct pom_timers *timers, uint64_t now_ns);

void pom_timers_clean_up(struct pom_timers *timers);

#endif
