/* The manifest of a destination that is not on this machine: kept in the local staging folder while a job runs, and
 * published beside the tables, so that another machine can continue from there. Private to the room. */
#ifndef POM_JOB_STATE_H
#define POM_JOB_STATE_H

#include "job/destination.h"

/* Before the manifest is opened: takes the published one where this machine's does not follow from it, as another
 * machine has written since, or has none; and drops this machine's where the destination has none any more. Nothing for
 * a local destination. */
enum pom_status pom_state_pull(struct pom_job *job, const struct pom_destination *self, struct pom_message *msg);

/* A local copy of the manifest that a destination elsewhere has beside its tables: its path, "" where there is none.
 * The caller removes it. */
enum pom_status pom_state_fetch(struct pom_store *store, struct pom_buffer *path, struct pom_message *msg);

/* After the tables are published: publishes a copy of the manifest. */
enum pom_status pom_state_push(struct pom_job *job, const struct pom_destination *self, struct pom_message *msg);

#endif
