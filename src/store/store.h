/* Stores: where images come from and tables go to. One vtable per kind (local files now; s3, gs and hdfs later).
 *
 * A location is a URI or a local path. An entry's path is canonical: what stands in the `path` column. */
#ifndef POM_STORE_STORE_H
#define POM_STORE_STORE_H

#include "base/buffer.h"
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pom_store_entry {
    const char *path;    /* canonical: SRC as given joined with the rest; valid during the callback */
    uint64_t size;       /* bytes */
    const char *version; /* changes when the content does: etag, or mtime in nanoseconds; valid during the callback */
};

/* Takes one listed entry; any status but POM_OK stops the listing and is returned by it. */
typedef enum pom_status (*pom_store_visit)(void *user, const struct pom_store_entry *entry, struct pom_message *msg);

/* What could not be listed (a folder without permission, say): reported, not fatal. */
typedef enum pom_status (*pom_store_refuse)(void *user, const char *path, const char *cause, struct pom_message *msg);

struct pom_store;

/* Picks the store for the location and checks that it can be reached. */
enum pom_status pom_store_open(const char *location, struct pom_store **out, struct pom_message *msg);
void pom_store_close(struct pom_store *store);

/* Visits every object at or below the location, in ascending byte order of path, as it is found. Hidden names (.x, _x)
 * and symbolic links to folders already on the way are left out. */
enum pom_status pom_store_list(
    struct pom_store *store, pom_store_visit visit, pom_store_refuse refuse, void *user, struct pom_message *msg);

/* Reads a listed object whole into out (replaced). Thread-safe. */
enum pom_status pom_store_read(
    struct pom_store *store, const char *path, size_t max_bytes, struct pom_buffer *out, struct pom_message *msg);

/* Makes the finished local file the object `name` below the location, whole or not at all; the file is gone afterwards.
 */
enum pom_status pom_store_publish(struct pom_store *store, const char *file, const char *name, struct pom_message *msg);

/* A local folder for the store's unfinished files: within a local DEST, so that publishing is a rename. */
const char *pom_store_staging(const struct pom_store *store);

#endif
