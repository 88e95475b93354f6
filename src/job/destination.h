/* The destination of a features job: its lock, the state that a killed or finished run left in it, and publishing.
 * Private to the room. */
#ifndef POM_JOB_DESTINATION_H
#define POM_JOB_DESTINATION_H

#include "job/job.h"
#include "job/lease.h"

/* Zero-initialise. */
struct pom_destination {
    struct pom_store *store;
    int lock;                /* descriptor; 0: none */
    struct pom_lease *lease; /* NULL: none */
    char *manifest, *spool;  /* paths */
    char features[32];       /* name of the features table: "features.parquet" */
    bool made;               /* nothing of it was there before */
    bool complete;           /* an earlier run published all that the manifest says, and all is there unchanged */
};

/* Opens and locks the destination, checks that it was made with the job's settings, brings the manifest in line with
 * the features table and the spool that are there, and gives the job its manifest and spool. POM_ERR_CONFLICT: other
 * settings, tables of something else, or in use. */
enum pom_status pom_destination_open(struct pom_job *job, struct pom_destination *out, struct pom_message *msg);
void pom_destination_close(struct pom_destination *destination);

/* For a run that found no image, once its manifest and spool are closed: removes the folder if opening made it. */
void pom_destination_discard(struct pom_destination *destination);

/* Removes manifest and spool. */
enum pom_status pom_destination_remove_state(const struct pom_destination *self, struct pom_message *msg);

/* The path of a file in the staging folder, in out. */
enum pom_status pom_destination_stage(
    const struct pom_destination *destination, const char *name, struct pom_buffer *out, struct pom_message *msg);

/* Makes the staged files of these names the destination's, run.json (not among the names, and staged too) last; files
 * that earlier runs published and that are not among them are removed, others stay. A kill on the way is made good by
 * the next run. */
enum pom_status pom_destination_publish(
    struct pom_job *job, struct pom_destination *destination, const char *const *names, int n, struct pom_message *msg);

/* Removes the spool once no row of the manifest is in it. */
enum pom_status pom_destination_drop_spool(const struct pom_destination *destination, struct pom_message *msg);

/* Refuses a destination whose manifest notes other settings; notes them where nothing is recorded or published yet. */
enum pom_status pom_settings_check(struct pom_job *job, struct pom_message *msg);

#endif
