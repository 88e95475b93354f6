/* What a features job shows while it runs and when it ends, all on stderr: one line that is renewed on a terminal, a
 * line every ten seconds elsewhere, nothing when quiet. */
#ifndef POM_CLI_PROGRESS_H
#define POM_CLI_PROGRESS_H

#include "job/features_job.h"
#include <pthread.h>

/* Use pom_progress_init. Thread-safe. */
struct pom_progress {
    pthread_mutex_t mutex;
    bool quiet, terminal;
    bool shown;       /* a line stands on the terminal */
    double begun_s;   /* when the first images were seen */
    double printed_s; /* when the last line was printed */
};

void pom_progress_init(struct pom_progress *progress, bool quiet);
void pom_progress_clean_up(struct pom_progress *progress);

/* Its `user` is progress. */
struct pom_features_events pom_progress_events(struct pom_progress *progress);

/* The end: rows, labels, errors, speed and where. Warnings of things that the user should look at come even when quiet.
 */
void pom_progress_summary(struct pom_progress *progress, const struct pom_features_options *options,
    const struct pom_features_report *report);

/* 1234567 as "1,234,567". */
enum { POM_COUNT_BYTES = 32 };
const char *pom_print_count(uint64_t count, char out[POM_COUNT_BYTES]);

#endif
