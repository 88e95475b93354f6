/* The manifest: what became of every image, in an SQLite file that survives a kill. Rows are in byte order of path.
 * What is put is durable after the next commit. One process at a time (the destination is locked); threads may share
 * it, each with a cursor of its own. */
#ifndef POM_JOB_MANIFEST_H
#define POM_JOB_MANIFEST_H

#include "base/buffer.h"
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

/* Where an image failed; what stands in the errors table. */
enum pom_stage { POM_STAGE_NONE = 0, POM_STAGE_LIST, POM_STAGE_READ, POM_STAGE_DECODE, POM_STAGE_INFER };
const char *pom_stage_name(enum pom_stage stage);

/* Where the features of a row are. */
enum pom_place {
    POM_PLACE_NONE = 0, /* nowhere: the image failed */
    POM_PLACE_SPOOL,    /* record of the spool */
    POM_PLACE_TABLE     /* row of the published features table */
};

struct pom_manifest_row {
    const char *path;
    uint64_t size; /* of the image, and its version: both unchanged means that it need not be read again */
    const char *version;
    enum pom_stage failed;
    const char *cause; /* "" where failed is POM_STAGE_NONE */
    enum pom_place place;
    int64_t record;
};

struct pom_manifest;

/* Opens or makes the file. A file that is not a manifest is POM_ERR_FORMAT. */
enum pom_status pom_manifest_open(const char *path, struct pom_manifest **out, struct pom_message *msg);

/* What is not committed is lost. */
void pom_manifest_close(struct pom_manifest *manifest);

/* Inserts the row or replaces the one of the same path. */
enum pom_status pom_manifest_put(
    struct pom_manifest *manifest, const struct pom_manifest_row *row, struct pom_message *msg);

/* Notes that the image is no longer there; the row stays until pom_manifest_purge. */
enum pom_status pom_manifest_miss(struct pom_manifest *manifest, const char *path, struct pom_message *msg);
enum pom_status pom_manifest_purge(struct pom_manifest *manifest, struct pom_message *msg);

/* All rows are now in the features table, in order: their place becomes its row number. */
enum pom_status pom_manifest_settle(struct pom_manifest *manifest, struct pom_message *msg);

/* Drops the rows whose features are gone: those of the table if table is true, and the spool's from record `records`
 * on. */
enum pom_status pom_manifest_drop(struct pom_manifest *manifest, bool table, int64_t records, struct pom_message *msg);

enum pom_status pom_manifest_commit(struct pom_manifest *manifest, struct pom_message *msg);

/* Writes what is in the manifest now to another file, which replaces what is there. */
enum pom_status pom_manifest_copy(struct pom_manifest *manifest, const char *path, struct pom_message *msg);

/* A named value beside the rows, text or bytes; empty where there is none. value is replaced. */
enum pom_status pom_manifest_get(
    struct pom_manifest *manifest, const char *name, struct pom_buffer *value, struct pom_message *msg);
enum pom_status pom_manifest_set(
    struct pom_manifest *manifest, const char *name, const char *value, struct pom_message *msg);
enum pom_status pom_manifest_set_bytes(
    struct pom_manifest *manifest, const char *name, const void *bytes, size_t n, struct pom_message *msg);

struct pom_manifest_counts {
    uint64_t rows, errors;
    int64_t records; /* of the spool: one past the last that a row names */
};
enum pom_status pom_manifest_count(
    struct pom_manifest *manifest, struct pom_manifest_counts *out, struct pom_message *msg);

/* A walk over the rows in order of path. Meanwhile rows may be put before the one at hand. */
struct pom_manifest_cursor;
enum pom_status pom_manifest_cursor_new(
    struct pom_manifest *manifest, struct pom_manifest_cursor **out, struct pom_message *msg);
void pom_manifest_cursor_free(struct pom_manifest_cursor *cursor);

/* The row at hand, NULL past the last; valid until the next call. The first call gives the first row. */
enum pom_status pom_manifest_cursor_next(
    struct pom_manifest_cursor *cursor, const struct pom_manifest_row **out, struct pom_message *msg);

#endif
