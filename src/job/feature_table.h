/* A table of features, read in blocks of rows: `path` and `label` where it has them, and one list column. */
#ifndef POM_JOB_FEATURE_TABLE_H
#define POM_JOB_FEATURE_TABLE_H

#include "base/buffer.h"
#include "base/status.h"
#include "table/table.h"

enum { POM_FEATURE_NAMES = 2 }; /* path, label */

/* The footer's key of the SHA-256 of the network's file, in every table that its features are behind. */
#define POM_MODEL_HASH_KEY "pomona.model.sha256"

/* The texts of a block of rows. Zero-initialise; the next block overwrites it. */
struct pom_row_names {
    struct pom_buffer text;
    size_t *ends; /* POM_FEATURE_NAMES a row: where each text ends */
    size_t capacity;
};

struct pom_feature_table {
    struct pom_table_reader *reader;
    const char *path, *column;            /* borrowed */
    const char *names[POM_FEATURE_NAMES]; /* the text columns that the table has, in order */
    int n_names;
    size_t d;    /* features of a row */
    uint64_t at; /* the next row */
};

/* path: a table or a folder of part files; column: of the features. Both must outlive the table. POM_ERR_ARGUMENT: it
 * has no rows, or rows without features. Released by pom_feature_table_close, also after a failure. */
enum pom_status pom_feature_table_open(
    struct pom_feature_table *table, const char *path, const char *column, struct pom_message *msg);
void pom_feature_table_close(struct pom_feature_table *table);

/* The first row is next. */
enum pom_status pom_feature_table_rewind(struct pom_feature_table *table, struct pom_message *msg);

/* Up to max_rows rows of d features; *n is 0 past the last. names may be NULL. POM_ERR_FORMAT where a row has another
 * number of features than the first. */
enum pom_status pom_feature_table_next(struct pom_feature_table *table, float *features, size_t max_rows,
    struct pom_row_names *names, size_t *n, struct pom_message *msg);

/* The texts of row i of the block, one for each of the table's names. */
void pom_row_names_get(const struct pom_row_names *names, int n_names, size_t i, struct pom_cell *cells);
void pom_row_names_clean_up(struct pom_row_names *names);

#endif
