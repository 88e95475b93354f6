#include "job/reader.h"

#include "base/memory.h"
#include "job/work.h"
#include <stdlib.h>

enum { MOST_AHEAD = 4096 /* items */, LOOK_MS = 100 };

/* A read under way. */
struct reading {
    struct pom_store_read read;
    struct pom_job *job;
    struct pom_item *item;
};

bool pom_reader_is_needed(const struct pom_job *job) {
    for (int i = 0; i < job->n_sources; i++)
        if (pom_store_reads_ahead(job->sources[i]))
            return true;
    return false;
}

/* Caller holds the mutex. Until something changes, or it is time to look whether the job has stopped. */
static void wait_a_little(struct pom_ahead *ahead) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += LOOK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&ahead->changed, &ahead->mutex, &until);
}

/* Caller holds the mutex; notes whether it is full. What was full is filled again when a quarter is free: reads in
 * bursts cost less than one now and then. */
static bool find_room(struct pom_job *job, uint64_t bytes) {
    struct pom_ahead *ahead = &job->ahead;
    uint64_t most_bytes = job->budget.ahead_bytes;
    int most_items = MOST_AHEAD;
    if (ahead->full) {
        most_bytes -= most_bytes / 4;
        most_items -= most_items / 4;
    }
    ahead->full = ahead->items > 0 && (ahead->bytes + bytes > most_bytes || ahead->items >= most_items);
    return !ahead->full;
}

/* Waits for room, looking now and then whether the job has stopped. False: it has. */
static bool wait_for_room(struct pom_job *job, uint64_t bytes) {
    struct pom_ahead *ahead = &job->ahead;
    pthread_mutex_lock(&ahead->mutex);
    while (!atomic_load(&job->stop) && !find_room(job, bytes))
        wait_a_little(ahead);
    ahead->bytes += bytes;
    ahead->items++;
    ahead->reading++;
    pthread_mutex_unlock(&ahead->mutex);
    return !atomic_load(&job->stop);
}

static void give_room(struct pom_job *job, uint64_t bytes) {
    struct pom_ahead *ahead = &job->ahead;
    pthread_mutex_lock(&ahead->mutex);
    ahead->bytes -= bytes;
    ahead->items--;
    if (ahead->full && find_room(job, 0))
        pthread_cond_signal(&ahead->changed);
    pthread_mutex_unlock(&ahead->mutex);
}

void pom_reader_release(struct pom_job *job, struct pom_item *item) {
    if (!item->ahead)
        return;
    pom_buffer_clean_up(&item->bytes);
    item->ahead = false;
    give_room(job, item->size);
}

static void end_reading(struct pom_job *job) {
    pthread_mutex_lock(&job->ahead.mutex);
    job->ahead.reading--;
    pthread_cond_signal(&job->ahead.changed);
    pthread_mutex_unlock(&job->ahead.mutex);
}

static void hand_on(struct pom_job *job, struct pom_item *item) {
    if (pom_queue_push(job->todo, item))
        return;
    pom_reader_release(job, item);
    pom_item_free(item);
}

/* On the store's thread. */
static void on_read(struct pom_store_read *read) {
    struct reading *reading = (struct reading *)read;
    struct pom_job *job = reading->job;
    struct pom_item *item = reading->item;
    item->bytes = read->bytes;
    if (read->status == POM_ERR_NETWORK)
        pom_job_fail(job, read->status, &read->message);
    else if (read->status != POM_OK && read->status != POM_ERR_CANCELLED)
        pom_item_fail(item, POM_STAGE_READ, read->message.text);
    hand_on(job, item);
    free(reading);
    end_reading(job);
}

static void start_reading(struct pom_job *job, struct pom_item *item) {
    struct reading *reading = pom_calloc(1, sizeof *reading);
    item->ahead = true;
    if (!wait_for_room(job, item->size) || !reading) {
        pom_reader_release(job, item);
        end_reading(job);
        hand_on(job, item); /* the worker reads it, if the job goes on */
        free(reading);
        return;
    }
    reading->job = job;
    reading->item = item;
    reading->read.entry = (struct pom_store_entry){item->path, item->size, item->version};
    reading->read.max_bytes = (size_t)item->size;
    reading->read.done = on_read;
    pom_store_read_start(item->source, &reading->read);
}

size_t pom_reader_most_bytes(const struct pom_job *job) {
    return job->budget.image_bytes / 2;
}

bool pom_reader_takes(const struct pom_job *job, const struct pom_store *source, uint64_t size) {
    return pom_store_reads_ahead(source) && size <= pom_reader_most_bytes(job) && size <= job->budget.ahead_bytes;
}

void pom_reader_cancel(struct pom_job *job) {
    for (int i = 0; i < job->n_sources; i++)
        pom_store_cancel(job->sources[i]);
}

/* What is under way when the job stops is not waited for. */
static void wait_for_end(struct pom_job *job) {
    bool cancelled = false;
    pthread_mutex_lock(&job->ahead.mutex);
    while (job->ahead.reading > 0) {
        if (atomic_load(&job->stop) && !cancelled) {
            cancelled = true;
            pthread_mutex_unlock(&job->ahead.mutex);
            pom_reader_cancel(job);
            pthread_mutex_lock(&job->ahead.mutex);
        } else {
            wait_a_little(&job->ahead);
        }
    }
    pthread_mutex_unlock(&job->ahead.mutex);
}

void pom_reader_run(struct pom_job *job) {
    struct pom_item *item;
    while (pom_queue_pop(job->listed, (void **)&item, 1, 1) > 0) {
        if (!pom_reader_takes(job, item->source, item->size) || atomic_load(&job->stop))
            hand_on(job, item);
        else
            start_reading(job, item);
    }
    wait_for_end(job);
    pom_queue_close(job->todo);
}
