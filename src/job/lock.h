/* The lock of a destination: whoever writes there has it to itself. Private to the programs of this project. */
#ifndef POM_JOB_LOCK_H
#define POM_JOB_LOCK_H

#include "base/status.h"
#include "store/store.h"

/* Locks the destination (flock on `lock` in its staging folder, which is made where it is gone) until the descriptor is
 * closed; the kernel does so however the process ends. POM_ERR_CONFLICT: in use. */
enum pom_status pom_lock_take(const struct pom_store *destination, int *lock, struct pom_message *msg);

/* By the holder, before it closes the lock: removes the staging folder if nothing but the lock is in it. Returns
 * whether it is gone. */
bool pom_lock_discard(const struct pom_store *destination);

#endif
