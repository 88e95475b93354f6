/* A bounded first-in-first-out queue of pointers between threads: what keeps a fast stage from running away from a slow
 * one. Every function is thread-safe but free. */
#ifndef POM_JOB_QUEUE_H
#define POM_JOB_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

struct pom_queue;

/* NULL on no memory. */
struct pom_queue *pom_queue_new(size_t capacity);

/* The items left inside are the caller's to take first. */
void pom_queue_free(struct pom_queue *queue);

/* Waits while the queue is full. False once it is closed: then the item stays the caller's. */
bool pom_queue_push(struct pom_queue *queue, void *item);

/* Waits for at least one item and takes up to `most`, in order, but one at least and no more than this thread's share
 * of what is inside, where `sharers` threads take. 0: closed and empty. */
size_t pom_queue_pop(struct pom_queue *queue, void **items, size_t most, size_t sharers);

/* Waits for an item or the end, but no longer than so many milliseconds. False: that time is over. */
bool pom_queue_wait(struct pom_queue *queue, int ms);

/* No more items: pushes fail from now on, what is inside can still be taken. */
void pom_queue_close(struct pom_queue *queue);

#endif
