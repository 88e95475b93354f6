/* Takes the moments of rows in a thread of its own, while the caller goes on making them. Private to the room. */
#ifndef POM_JOB_MOMENTS_TAKER_H
#define POM_JOB_MOMENTS_TAKER_H

#include "job/work.h"
#include <pomona/stats.h>

struct pom_moments_taker;

/* For rows of d features. The thread's time is added to clock. */
enum pom_status pom_moments_taker_start(
    size_t d, struct pom_work_clock *clock, struct pom_moments_taker **out, struct pom_message *msg);

/* The next row, which is copied. Rows are folded in the order in which they come: the moments are those that
 * pom_moments_add would give. */
void pom_moments_taker_add(struct pom_moments_taker *taker, const float *row);

/* Waits for the rows so far, which are all; the moments live as long as the taker. Called once. */
enum pom_status pom_moments_taker_finish(
    struct pom_moments_taker *taker, const struct pom_moments **out, struct pom_message *msg);

/* Also where it is not finished. */
void pom_moments_taker_free(struct pom_moments_taker *taker);

#endif
