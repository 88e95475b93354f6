/* The walk over a local folder, in byte order of path. */
#ifndef POM_STORE_FILE_WALK_H
#define POM_STORE_FILE_WALK_H

#include "store/store.h"
#include <sys/stat.h>

/* The walk holds the names of one folder per level. prefix: the folder, with its slash. */
enum pom_status pom_file_walk(const char *prefix, const struct pom_store_visitor *visitor, struct pom_message *msg);

/* Visits the one file at path. */
enum pom_status pom_file_visit(const char *path, const struct pom_store_visitor *visitor, struct pom_message *msg);

/* A file's version: its mtime, in nanoseconds. */
enum { POM_FILE_VERSION_BYTES = 64 };
void pom_file_version(const struct stat *st, char out[POM_FILE_VERSION_BYTES]);

#endif
