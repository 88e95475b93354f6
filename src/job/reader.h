/* Reading ahead of the workers, where images come over a network: hundreds of reads are under way at once, and wait as
 * bytes in memory for a worker. Bounded by the budget's ahead_bytes. Private to the room. */
#ifndef POM_JOB_READER_H
#define POM_JOB_READER_H

#include "job/job.h"

/* Whether an image of so many bytes is read ahead of who decodes it; what is large, or lies on this machine, is better
 * read by that one itself. */
bool pom_reader_takes(const struct pom_job *job, const struct pom_store *source, uint64_t size);

/* The most of a read ahead: half of what its worker may hold. */
size_t pom_reader_most_bytes(const struct pom_job *job);

/* Ends what is under way or comes later, of all sources. */
void pom_reader_cancel(struct pom_job *job);

/* Whether a source reads ahead, so that the stage is needed. */
bool pom_reader_is_needed(const struct pom_job *job);

/* The stage: takes items from `listed`, and puts them in `todo` with their bytes; what is better read by the worker
 * itself, without. */
void pom_reader_run(struct pom_job *job);

/* A worker is done with the item's bytes: frees them, so that more can be read. Thread-safe. */
void pom_reader_release(struct pom_job *job, struct pom_item *item);

#endif
