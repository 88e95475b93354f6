/* One leaf column of a Parquet file as a stream of rows: a window slides over its values and levels, page by page.
 * Levels: Dremel (Melnik et al., VLDB 2010), as in the Parquet format's README, "Nested Encoding". */
#ifndef POM_TABLE_PARQUET_LEAF_H
#define POM_TABLE_PARQUET_LEAF_H

#include "table/parquet.h"

/* Zero-initialise. */
struct pom_parquet_leaf {
    int32_t index;
    carquet_physical_type_t type;
    size_t value_bytes;
    bool repeated;   /* a list (of one level) */
    int16_t present; /* definition level of a value that is there */
    int16_t entry;   /* of a list's entry, be it null or not */
    carquet_column_reader_t *column;
    int16_t *definition, *repetition;
    unsigned char *values;                   /* of the window: those that are there, without gaps */
    size_t capacity;                         /* of all three */
    size_t level, n_levels, value, n_values; /* the next row's first, and how many the window holds */
};

/* The values of a leaf in one row. */
struct pom_leaf_row {
    const void *values; /* valid until the next row */
    size_t n;
    bool null;       /* the value, the list or something around it */
    bool null_entry; /* a list's entry */
};

/* Takes the leaf of this index in the schema; POM_ERR_UNSUPPORTED when lists lie in lists. */
enum pom_status pom_leaf_init(
    struct pom_parquet_leaf *leaf, const carquet_schema_t *schema, int32_t index, struct pom_message *msg);

/* Goes to the beginning of a row group. */
enum pom_status pom_leaf_open(
    struct pom_parquet_leaf *leaf, carquet_reader_t *reader, int32_t group, struct pom_message *msg);

/* POM_ERR_FORMAT past the last row of the group. */
enum pom_status pom_leaf_next(struct pom_parquet_leaf *leaf, struct pom_leaf_row *out, struct pom_message *msg);

void pom_leaf_clean_up(struct pom_parquet_leaf *leaf);

/* An error of carquet's reader as a status of ours. */
enum pom_status pom_parquet_fail(struct pom_message *msg, const carquet_error_t *error);

#endif
