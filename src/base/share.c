#include "base/share.h"

#include "base/resources.h"
#include <pthread.h>
#include <stdatomic.h>

enum { MAX_THREADS = 16 };

struct share {
    void (*run)(void *context, int part);
    void *context;
    int parts;
    atomic_int next;
};

static int cpus; /* asked for once: the answer stands in some ten files */

static void count_cpus(void) {
    cpus = pom_cpu_count();
}

static void *work(void *argument) {
    struct share *share = argument;
    for (int part; (part = atomic_fetch_add(&share->next, 1)) < share->parts;)
        share->run(share->context, part);
    return NULL;
}

static int helpers_for(int parts) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, count_cpus);
    int threads = parts < cpus ? parts : cpus;
    return (threads < MAX_THREADS ? threads : MAX_THREADS) - 1;
}

void pom_share(int parts, void (*run)(void *context, int part), void *context) {
    struct share share = {.run = run, .context = context, .parts = parts};
    pthread_t threads[MAX_THREADS];
    int started = 0, wanted = helpers_for(parts);
    while (started < wanted && pthread_create(&threads[started], NULL, work, &share) == 0)
        started++;
    work(&share);
    while (started > 0)
        pthread_join(threads[--started], NULL);
}
