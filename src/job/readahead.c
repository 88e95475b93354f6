#include "job/readahead.h"

#include "base/memory.h"
#include "job/reader.h"
#include <stdlib.h>

struct pom_readahead_slot {
    struct pom_store_read read;
    struct pom_ahead *ahead; /* guards the next */
    bool under_way;
    uint64_t size; /* that it counts for */
};

enum pom_status pom_readahead_open(
    struct pom_job *job, size_t n_slots, struct pom_readahead *out, struct pom_message *msg) {
    *out = (struct pom_readahead){.job = job, .n_slots = n_slots};
    out->slots = pom_calloc(n_slots, sizeof *out->slots);
    return out->slots ? POM_OK : pom_fail_memory(msg, "images read ahead");
}

/* On the store's thread. */
static void on_read(struct pom_store_read *read) {
    struct pom_readahead_slot *slot = (struct pom_readahead_slot *)read;
    struct pom_ahead *ahead = slot->ahead;
    pthread_mutex_lock(&ahead->mutex);
    slot->under_way = false;
    pthread_cond_signal(&ahead->changed);
    pthread_mutex_unlock(&ahead->mutex);
}

bool pom_readahead_begin(struct pom_readahead *self, struct pom_store *source, const char *path, uint64_t size) {
    struct pom_ahead *ahead = &self->job->ahead;
    bool passed_over = !pom_reader_takes(self->job, source, size);
    bool alone = self->begun == self->taken;
    if (self->begun - self->taken == self->n_slots ||
        (!passed_over && !alone && ahead->bytes + size > self->job->budget.ahead_bytes))
        return false;
    struct pom_readahead_slot *slot = &self->slots[self->begun++ % self->n_slots];
    *slot = (struct pom_readahead_slot){.ahead = ahead, .under_way = !passed_over, .size = passed_over ? 0 : size};
    if (passed_over)
        return true;
    slot->read.entry = (struct pom_store_entry){path, 0, ""};
    slot->read.max_bytes = pom_reader_most_bytes(self->job);
    slot->read.done = on_read;
    ahead->bytes += size;
    pom_store_read_start(source, &slot->read);
    return true;
}

enum pom_status pom_readahead_take(struct pom_readahead *self, struct pom_buffer *out, struct pom_message *msg) {
    struct pom_readahead_slot *slot = &self->slots[self->taken++ % self->n_slots];
    struct pom_ahead *ahead = &self->job->ahead;
    pthread_mutex_lock(&ahead->mutex);
    while (slot->under_way)
        pthread_cond_wait(&ahead->changed, &ahead->mutex);
    pthread_mutex_unlock(&ahead->mutex);
    ahead->bytes -= slot->size;
    pom_buffer_clean_up(out);
    *out = slot->read.bytes;
    if (slot->read.status != POM_OK && msg)
        *msg = slot->read.message;
    return slot->read.status;
}

void pom_readahead_close(struct pom_readahead *self) {
    struct pom_buffer bytes = {0};
    if (self->taken < self->begun)
        pom_reader_cancel(self->job);
    while (self->taken < self->begun)
        pom_readahead_take(self, &bytes, NULL);
    pom_buffer_clean_up(&bytes);
    free(self->slots);
}
