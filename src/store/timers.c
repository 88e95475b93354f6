#include "store/timers.h"

#include "base/memory.h"
#include <stdlib.h>

static void put(struct pom_timers *timers, size_t place, struct pom_timer *timer) {
    timers->heap[place - 1] = timer;
    timer->place = place;
}

static void sift_up(struct pom_timers *timers, size_t place, struct pom_timer *timer) {
    while (place > 1 && timers->heap[place / 2 - 1]->at_ns > timer->at_ns) {
        put(timers, place, timers->heap[place / 2 - 1]);
        place /= 2;
    }
    put(timers, place, timer);
}

static void sift_down(struct pom_timers *timers, size_t place, struct pom_timer *timer) {
    for (size_t child; (child = 2 * place) <= timers->n; place = child) {
        if (child < timers->n && timers->heap[child]->at_ns < timers->heap[child - 1]->at_ns)
            child++;
        if (timers->heap[child - 1]->at_ns >= timer->at_ns)
            break;
        put(timers, place, timers->heap[child - 1]);
    }
    put(timers, place, timer);
}

bool pom_timers_set(struct pom_timers *timers, struct pom_timer *timer, uint64_t at_ns) {
    pom_timers_stop(timers, timer);
    void *heap = timers->heap;
    if (!pom_grow(&heap, &timers->capacity, timers->n + 1, sizeof(struct pom_timer *)))
        return false;
    timers->heap = heap;
    timer->at_ns = at_ns;
    sift_up(timers, ++timers->n, timer);
    return true;
}

void pom_timers_stop(struct pom_timers *timers, struct pom_timer *timer) {
    size_t place = timer->place;
    if (!place)
        return;
    timer->place = 0;
    struct pom_timer *last = timers->heap[--timers->n];
    if (last == timer)
        return;
    if (place > 1 && timers->heap[place / 2 - 1]->at_ns > last->at_ns)
        sift_up(timers, place, last);
    else
        sift_down(timers, place, last);
}

uint64_t pom_timers_next(const struct pom_timers *timers) {
    return timers->n ? timers->heap[0]->at_ns : UINT64_MAX;
}

void pom_timers_run(struct pom_timers *timers, uint64_t now_ns) {
    while (timers->n && timers->heap[0]->at_ns <= now_ns) {
        struct pom_timer *timer = timers->heap[0];
        pom_timers_stop(timers, timer);
        timer->call(timer);
    }
}

void pom_timers_clean_up(struct pom_timers *timers) {
    free(timers->heap);
    *timers = (struct pom_timers){0};
}
