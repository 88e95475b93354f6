/* A sample of the job's images, as the pixels that the network takes. Private to the room. */
#ifndef POM_JOB_SAMPLE_H
#define POM_JOB_SAMPLE_H

#include "job/job.h"

/* Two sets of pictures as pom_session_run takes them. Zero-initialise. */
struct pom_sample {
    uint8_t *calibrate, *check; /* of one image both are the same */
    int n_calibrate, n_check;
    uint64_t listed; /* images that were looked at for it */
    uint8_t *pixels; /* that both are in */
};

/* Takes up to `half` images for each set, which get every other one: evenly spread over the first 4,096 that the
 * sources list, in order of path, so that the listing of millions is not waited for, and folders of one kind each have
 * their part. Images that fail are passed over. Tells of progress. */
enum pom_status pom_sample_take(struct pom_job *job, int half, struct pom_sample *out, struct pom_message *msg);
void pom_sample_clean_up(struct pom_sample *sample);

#endif
