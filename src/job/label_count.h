/* How many rows each label has: what a user checks first. */
#ifndef POM_JOB_LABEL_COUNT_H
#define POM_JOB_LABEL_COUNT_H

#include "job/features_job.h"
#include <stdbool.h>

/* Zero-initialise. */
struct pom_label_counter {
    void *tree; /* of struct pom_label_count by label */
    size_t n;
};

/* False on no memory. */
bool pom_label_counter_add(struct pom_label_counter *counter, const char *label, size_t size);

/* Hands out the counts, most frequent first, equals by name, and empties the counter; free() each label and the list.
 * NULL with *n 0 where there are none or no memory. */
struct pom_label_count *pom_label_counter_take(struct pom_label_counter *counter, size_t *n);

#endif
