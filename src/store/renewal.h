/* A thread that renews what expires: in time, or when it is asked to. */
#ifndef POM_STORE_RENEWAL_H
#define POM_STORE_RENEWAL_H

#include "base/status.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>

/* Zero-initialise but for the first two; kept until pom_renewal_stop. */
struct pom_renewal {
    /* Fetches a new one, and says when that one expires. On the thread; ends soon once cancel is set. */
    enum pom_status (*renew)(void *user, const atomic_bool *cancel, time_t *expires);
    void *user;

    pthread_t thread;
    bool runs;
    atomic_bool ending;
    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t changed;
    time_t expires; /* 0: never */
    bool wanted;    /* now */
    int failures;   /* of the last tries, one after the other */
};

/* expires: of what there is; 0: never. POM_ERR_LIMIT: the system gives no more threads. */
enum pom_status pom_renewal_start(struct pom_renewal *renewal, time_t expires, struct pom_message *msg);

/* One that was not started is fine. */
void pom_renewal_stop(struct pom_renewal *renewal);

/* Asks for a new one now. False where there is no thread, or its last tries have all failed. Thread-safe. */
bool pom_renewal_want(struct pom_renewal *renewal);

#endif
