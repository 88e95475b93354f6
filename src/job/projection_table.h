/* The projection table: projection.parquet, .json or .csv. See docs/tables.md for its columns. */
#ifndef POM_JOB_PROJECTION_TABLE_H
#define POM_JOB_PROJECTION_TABLE_H

#include "base/hash.h"
#include "base/status.h"
#include "table/table.h"
#include <pomona/stats.h>

/* Writes to path, which publishing renames; nothing is left there on failure. */
enum pom_status pom_projection_table_write(const char *path, enum pom_format format,
    const struct pom_projection *projection, const struct pom_metadata *metadata, int n_metadata,
    struct pom_message *msg);

/* Reads what was written, from any of the three formats; *out is released by pom_projection_free. model, which may be
 * NULL, gets the SHA-256 of the network behind the features that it was fitted on, "" where the footer has none.
 * POM_ERR_FORMAT: not such a table, or one whose rows contradict each other. */
enum pom_status pom_projection_table_read(
    const char *path, struct pom_projection **out, char model[POM_SHA256_HEX], struct pom_message *msg);

#endif
