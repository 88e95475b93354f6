#include "store/renewal.h"

enum { MARGIN_S = 300, RETRY_S = 5, MOST_FAILURES = 4, NEVER_S = 3600 /* then it is looked at again */ };

/* Well before the old one expires, and not all the time. */
static time_t next_time(const struct pom_renewal *renewal, time_t now) {
    time_t left = renewal->expires - now, margin = left / 4 < MARGIN_S ? left / 4 : MARGIN_S;
    if (renewal->failures)
        return now + RETRY_S;
    if (!renewal->expires)
        return now + NEVER_S;
    return now + (left - margin > 1 ? left - margin : 1);
}

/* Caller holds the mutex. */
static void wait_until_due(struct pom_renewal *renewal) {
    const struct timespec until = {next_time(renewal, time(NULL)), 0};
    bool over = false;
    while (!over && !renewal->wanted && !atomic_load(&renewal->ending))
        over = pthread_cond_timedwait(&renewal->changed, &renewal->mutex, &until) != 0;
}

/* Caller holds the mutex. */
static bool is_due(const struct pom_renewal *renewal) {
    return renewal->wanted || renewal->failures || renewal->expires;
}

static void *run(void *user) {
    struct pom_renewal *renewal = user;
    pthread_mutex_lock(&renewal->mutex);
    for (;;) {
        wait_until_due(renewal);
        if (atomic_load(&renewal->ending))
            break;
        if (!is_due(renewal))
            continue;
        pthread_mutex_unlock(&renewal->mutex);
        time_t expires = 0;
        enum pom_status status = renewal->renew(renewal->user, &renewal->ending, &expires);
        pthread_mutex_lock(&renewal->mutex);
        renewal->failures = status == POM_OK ? 0 : renewal->failures + 1;
        renewal->wanted = false;
        if (status == POM_OK)
            renewal->expires = expires;
    }
    pthread_mutex_unlock(&renewal->mutex);
    return NULL;
}

enum pom_status pom_renewal_start(struct pom_renewal *renewal, time_t expires, struct pom_message *msg) {
    pthread_mutex_init(&renewal->mutex, NULL);
    pthread_cond_init(&renewal->changed, NULL);
    renewal->expires = expires;
    renewal->runs = pthread_create(&renewal->thread, NULL, run, renewal) == 0;
    if (renewal->runs)
        return POM_OK;
    pthread_cond_destroy(&renewal->changed);
    pthread_mutex_destroy(&renewal->mutex);
    return pom_fail(msg, POM_ERR_LIMIT, "the system gives no more threads");
}

void pom_renewal_stop(struct pom_renewal *renewal) {
    if (!renewal->runs)
        return;
    pthread_mutex_lock(&renewal->mutex);
    atomic_store(&renewal->ending, true);
    pthread_cond_signal(&renewal->changed);
    pthread_mutex_unlock(&renewal->mutex);
    pthread_join(renewal->thread, NULL);
    pthread_cond_destroy(&renewal->changed);
    pthread_mutex_destroy(&renewal->mutex);
    renewal->runs = false;
}

bool pom_renewal_want(struct pom_renewal *renewal) {
    if (!renewal->runs)
        return false;
    pthread_mutex_lock(&renewal->mutex);
    bool hope = renewal->wanted || renewal->failures < MOST_FAILURES;
    if (hope) {
        renewal->wanted = true;
        pthread_cond_signal(&renewal->changed);
    }
    pthread_mutex_unlock(&renewal->mutex);
    return hope;
}
