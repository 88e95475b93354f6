#include "job/queue.h"

#include "base/memory.h"
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct pom_queue {
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t filled, drained;
    bool closed;
    size_t head, size, capacity;
    void *items[];
};

struct pom_queue *pom_queue_new(size_t capacity) {
    struct pom_queue *queue = pom_calloc(1, sizeof *queue + capacity * sizeof *queue->items);
    if (!queue)
        return NULL;
    queue->capacity = capacity;
    pthread_mutex_init(&queue->mutex, NULL);
    pthread_cond_init(&queue->filled, NULL);
    pthread_cond_init(&queue->drained, NULL);
    return queue;
}

void pom_queue_free(struct pom_queue *queue) {
    if (!queue)
        return;
    pthread_cond_destroy(&queue->drained);
    pthread_cond_destroy(&queue->filled);
    pthread_mutex_destroy(&queue->mutex);
    free(queue);
}

bool pom_queue_push(struct pom_queue *queue, void *item) {
    pthread_mutex_lock(&queue->mutex);
    while (queue->size == queue->capacity && !queue->closed)
        pthread_cond_wait(&queue->drained, &queue->mutex);
    bool open = !queue->closed;
    if (open) {
        queue->items[(queue->head + queue->size++) % queue->capacity] = item;
        pthread_cond_signal(&queue->filled);
    }
    pthread_mutex_unlock(&queue->mutex);
    return open;
}

size_t pom_queue_pop(struct pom_queue *queue, void **items, size_t most, size_t sharers) {
    size_t n = 0;
    pthread_mutex_lock(&queue->mutex);
    while (queue->size == 0 && !queue->closed)
        pthread_cond_wait(&queue->filled, &queue->mutex);
    size_t share = (queue->size + sharers - 1) / sharers;
    for (; n < most && n < share; n++, queue->size--) {
        items[n] = queue->items[queue->head];
        queue->head = (queue->head + 1) % queue->capacity;
    }
    if (n > 0)
        pthread_cond_broadcast(&queue->drained);
    pthread_mutex_unlock(&queue->mutex);
    return n;
}

bool pom_queue_wait(struct pom_queue *queue, int ms) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += ms * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    bool in_time = true;
    pthread_mutex_lock(&queue->mutex);
    while (queue->size == 0 && !queue->closed && in_time)
        in_time = pthread_cond_timedwait(&queue->filled, &queue->mutex, &until) == 0;
    pthread_mutex_unlock(&queue->mutex);
    return in_time;
}

void pom_queue_close(struct pom_queue *queue) {
    pthread_mutex_lock(&queue->mutex);
    queue->closed = true;
    pthread_cond_broadcast(&queue->filled);
    pthread_cond_broadcast(&queue->drained);
    pthread_mutex_unlock(&queue->mutex);
}
