/* Reading ahead of one thread that takes images in their order, where they come over a network: as many reads are under
 * way as the budget's ahead_bytes hold. Private to the room. */
#ifndef POM_JOB_READAHEAD_H
#define POM_JOB_READAHEAD_H

#include "job/job.h"

struct pom_readahead_slot;

struct pom_readahead {
    struct pom_job *job;
    struct pom_readahead_slot *slots; /* a ring */
    size_t n_slots;
    size_t begun, taken; /* images */
};

/* n_slots: images that may be under way or wait at once. */
enum pom_status pom_readahead_open(
    struct pom_job *job, size_t n_slots, struct pom_readahead *out, struct pom_message *msg);

/* Begins to read the next image; false: there is no room until one is taken. One that is better read by the thread
 * itself is passed over. path must stay until it is taken. */
bool pom_readahead_begin(struct pom_readahead *self, struct pom_store *source, const char *path, uint64_t size);

/* Waits for the first image that was begun and not taken. Its bytes replace those in out; none where it was passed
 * over. */
enum pom_status pom_readahead_take(struct pom_readahead *self, struct pom_buffer *out, struct pom_message *msg);

/* Cancels what is still under way, and with it the job's sources. */
void pom_readahead_close(struct pom_readahead *self);

#endif
