/* Reading ahead of the workers, where images come over a network: hundreds of reads are under way at once, and wait as
 * bytes in memory for a worker. Bounded by the budget's ahead_bytes. Private to the room. */
#ifndef POM_JOB_READER_H
#define POM_JOB_READER_H

#include "job/job.h"

/* Whether a source reads ahead, so that the stage is needed. */
bool pom_reader_is_needed(const struct pom_job *job);

/* The stage: takes items from `listed`, and puts them in `todo` with their bytes; what is better read by the worker
 * itself, without. */
void pom_reader_run(struct pom_job *job);

/* A worker is done with the item's bytes: frees them, so that more can be read. Thread-safe. */
void pom_reader_release(struct pom_job *job, struct pom_item *item);

#endif
