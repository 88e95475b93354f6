/* What a format brings to be written: writer.c owns the file and checks the rows, a format turns them into bytes. */
#ifndef POM_TABLE_WRITER_H
#define POM_TABLE_WRITER_H

#include "base/buffer.h"
#include "base/memory.h"
#include "table/table.h"
#include <stdio.h>

/* Messages need not name the file: writer.c puts its path in front. */
struct pom_writer_ops {
    enum pom_status (*begin)(struct pom_table_writer *writer, struct pom_message *msg);
    /* Text is valid UTF-8 by now. */
    enum pom_status (*write)(struct pom_table_writer *writer, const struct pom_cell *cells, struct pom_message *msg);
    /* Writes what is left; the file stays open. */
    enum pom_status (*finish)(
        struct pom_table_writer *writer, const struct pom_metadata *metadata, int n_metadata, struct pom_message *msg);
    /* Frees state, which is NULL when begin did not come that far. */
    void (*clean_up)(void *state);
};

extern const struct pom_writer_ops pom_parquet_writer_ops, pom_json_writer_ops, pom_csv_writer_ops;

struct pom_table_writer {
    const struct pom_writer_ops *ops;
    void *state;
    char *path;
    FILE *file;
    struct pom_arena arena; /* the columns' names */
    struct pom_column columns[POM_TABLE_MAX_COLUMNS];
    int n_columns;
    uint64_t rows;                                     /* written so far */
    struct pom_buffer repaired[POM_TABLE_MAX_COLUMNS]; /* texts of the current row that were not UTF-8 */
};

#endif
