/* What a format brings to be read: reader.c walks the files of a table, a format reads the rows of one. */
#ifndef POM_TABLE_READER_H
#define POM_TABLE_READER_H

#include "base/memory.h"
#include "table/table.h"
#include <stdio.h>

enum { POM_TABLE_MAX_LIST = 1 << 26 }; /* elements of one list that a reader takes */

/* One file of a table. */
struct pom_table_part {
    const struct pom_reader_ops *ops;
    void *state;
    const char *path;
    FILE *file;
    const struct pom_column *wanted;
    int n_wanted;
    uint64_t rows; /* read so far */
};

/* Messages need not name the file: reader.c puts its path and the row in front. */
struct pom_reader_ops {
    enum pom_status (*begin)(struct pom_table_part *part, struct pom_message *msg);
    enum pom_status (*read)(struct pom_table_part *part, struct pom_cell *cells, bool *done, struct pom_message *msg);
    /* The i-th entry of the footer, its texts valid until clean_up; false past the last. NULL for a format without. */
    bool (*metadata)(const struct pom_table_part *part, int i, struct pom_metadata *out);
    /* Frees state, which is NULL when begin did not come that far. */
    void (*clean_up)(void *state);
};

extern const struct pom_reader_ops pom_parquet_reader_ops, pom_json_reader_ops, pom_csv_reader_ops;

/* "column features is null", for a value that must be there. */
enum pom_status pom_table_null(struct pom_message *msg, const struct pom_column *column);

/* What a column of this type is called in messages: "list of floats". */
const char *pom_column_type_name(enum pom_column_type type);

#endif
