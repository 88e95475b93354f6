/* The lease of a destination in a bucket or in HDFS: an object `.pomona/lock` that says who writes there, so that jobs
 * on two machines do not meet. It is renewed while the job runs; one that is not is free after POM_LEASE_EXPIRES_S
 * seconds by the store's clock (C. Gray and D. Cheriton, "Leases", SOSP 1989). Private to the room. */
#ifndef POM_JOB_LEASE_H
#define POM_JOB_LEASE_H

#include "base/status.h"
#include "store/store.h"

enum { POM_LEASE_EXPIRES_S = 120, POM_LEASE_RENEWAL_S = 20 };

struct pom_lease;

/* By the holder of the local lock, which keeps those apart who share the staging folder: a lease from there is one of a
 * run that has ended. *out is NULL where the store has no notes. POM_ERR_CONFLICT: another has it; the message says
 * who. */
enum pom_status pom_lease_take(struct pom_store *store, struct pom_lease **out, struct pom_message *msg);

/* False where the store writes without looking what is there: two jobs that begin at the same moment both get it. */
bool pom_lease_is_firm(const struct pom_lease *lease);

/* POM_ERR_CONFLICT: another job has taken it. Asks nobody; thread-safe. */
enum pom_status pom_lease_check(struct pom_lease *lease, struct pom_message *msg);

/* Renews the lease now, before what must not meet another's: a failure to do so is a failure. */
enum pom_status pom_lease_renew(struct pom_lease *lease, struct pom_message *msg);

/* Gives the lease back; NULL is fine. */
void pom_lease_end(struct pom_lease *lease);

#endif
