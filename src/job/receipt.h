/* The receipt of a run, run.json: what was done, with what, how fast and on which machine. Private to the room. */
#ifndef POM_JOB_RECEIPT_H
#define POM_JOB_RECEIPT_H

#include "job/destination.h"
#include <time.h>

/* Writes run.json in the staging folder. started: the wall clock at the job's start. */
enum pom_status pom_receipt_write(const struct pom_job *job, const struct pom_destination *destination,
    const struct pom_features_report *report, time_t started, struct pom_message *msg);

#endif
