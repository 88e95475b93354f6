/* The spool: finished features on disk, appended as they come, so that a killed job loses nothing that it had
 * committed. A record is d floats; which image it belongs to stands in the manifest, which names a record only after a
 * sync. What a kill left past the manifest's last record is cut off by opening. */
#ifndef POM_JOB_SPOOL_H
#define POM_JOB_SPOOL_H

#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pom_spool;

/* Opens or makes the file at path for records of d floats and keeps its first `records`, or fewer where it has fewer:
 * pom_spool_records tells. */
enum pom_status pom_spool_open(
    const char *path, size_t d, int64_t records, struct pom_spool **out, struct pom_message *msg);
void pom_spool_close(struct pom_spool *spool);

int64_t pom_spool_records(const struct pom_spool *spool);

/* Appends n records and tells the number of the first; the others follow. Thread-safe with itself and pom_spool_sync.
 */
enum pom_status pom_spool_append(
    struct pom_spool *spool, const float *features, size_t n, int64_t *first, struct pom_message *msg);

/* All records appended before the call are on the disk after it. */
enum pom_status pom_spool_sync(struct pom_spool *spool, struct pom_message *msg);

enum pom_status pom_spool_read(const struct pom_spool *spool, int64_t record, float *features, struct pom_message *msg);

#endif
