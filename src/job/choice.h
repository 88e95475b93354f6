/* Choosing the precision of a job. Private to the room. */
#ifndef POM_JOB_CHOICE_H
#define POM_JOB_CHOICE_H

#include "job/job.h"

/* For a job in another precision than exact whose destination is open and whose model is exact. Takes a sample of the
 * images, and of int8 and bf16, or the one that is asked for, the first whose features are close enough to the exact
 * ones, else exact; loads the job's model in it. The manifest keeps what was chosen for the runs that continue this
 * one: as long as it has rows, they get the same numbers. */
enum pom_status pom_choice_make(struct pom_job *job, struct pom_choice *out, struct pom_message *msg);

/* What the manifest keeps of it. *found is false where no row was computed with what is noted. */
enum pom_status pom_choice_write(struct pom_manifest *manifest, const struct pom_choice *choice,
    const struct pom_buffer *calibration, struct pom_message *msg);
enum pom_status pom_choice_read(struct pom_manifest *manifest, struct pom_choice *out, struct pom_buffer *calibration,
    bool *found, struct pom_message *msg);

#endif
