/* Tables: rows of typed columns, written and read as Parquet, JSON Lines or CSV. Streaming: memory is bounded by a
 * block of rows (Parquet: a row group of 16 MiB and what zstd needs; a reader far less), whatever the length of the
 * table. A writer or reader serves one thread at a time; different ones are independent. */
#ifndef POM_TABLE_TABLE_H
#define POM_TABLE_TABLE_H

#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pom_format { POM_FORMAT_PARQUET = 0, POM_FORMAT_JSON, POM_FORMAT_CSV };

/* "parquet", "json", "csv"; the suffix of a file is the same word. */
enum pom_status pom_format_parse(const char *name, enum pom_format *out, struct pom_message *msg);
const char *pom_format_name(enum pom_format format);
enum pom_status pom_format_of_path(const char *path, enum pom_format *out, struct pom_message *msg);

enum pom_column_type {
    POM_COLUMN_STRING, /* UTF-8; bytes that are not UTF-8 are written as U+FFFD */
    POM_COLUMN_INT64,
    POM_COLUMN_DOUBLE,
    POM_COLUMN_FLOAT_LIST,  /* list<float>, 3-level, elements required */
    POM_COLUMN_DOUBLE_LIST, /* list<double> */
    POM_COLUMN_SPARK_VECTOR /* Spark MLlib's VectorUDT (dense), from floats; Parquet only: JSON and CSV write a list */
};

enum { POM_TABLE_MAX_COLUMNS = 16 }; /* of a table written, or wanted from one read */

struct pom_column {
    const char *name;
    enum pom_column_type type;
};

/* A value of a row; the member is the column's type. What it points to is borrowed for the call when written, and valid
 * until the next read when read. */
struct pom_cell {
    union {
        struct {
            const char *data;
            size_t size;
        } text;
        int64_t integer;
        double number;
        struct {
            const float *data;
            size_t size;
        } floats; /* FLOAT_LIST and SPARK_VECTOR */
        struct {
            const double *data;
            size_t size;
        } doubles;
    };
};

struct pom_metadata {
    const char *key, *value;
};

struct pom_table_writer;

/* Creates path (a temporary name of the caller's: publishing it is the caller's work) and begins the table. columns are
 * copied. */
enum pom_status pom_table_create(const char *path, enum pom_format format, const struct pom_column *columns,
    int n_columns, struct pom_table_writer **out, struct pom_message *msg);

/* cells: one per column, in order. After a failure only pom_table_abandon is of use. JSON and CSV have no NaN and no
 * infinity: POM_ERR_FORMAT. */
enum pom_status pom_table_write(struct pom_table_writer *writer, const struct pom_cell *cells, struct pom_message *msg);

/* Finishes the file (metadata goes to the Parquet footer; JSON and CSV leave it out) and frees the writer. On failure
 * the writer is freed too, and the file removed. */
enum pom_status pom_table_finish(
    struct pom_table_writer *writer, const struct pom_metadata *metadata, int n_metadata, struct pom_message *msg);

/* Frees the writer and removes the unfinished file. */
void pom_table_abandon(struct pom_table_writer *writer);

struct pom_table_reader;

/* Opens a table, its format told by the suffix, and finds the wanted columns by name (others are skipped; a Parquet
 * column may be list<float>, list<double>, a fixed-size list or a Spark vector, dense or sparse, where a list is asked
 * for). A folder is read as Spark writes one: its .parquet, .json and .csv files in the order of their names. Any
 * writer's Parquet, not only ours: dictionary or plain, any codec that carquet has. A text that is null is empty; any
 * other null is POM_ERR_FORMAT, as are hostile files. A missing column is POM_ERR_NOT_FOUND, one of another type
 * POM_ERR_UNSUPPORTED. */
enum pom_status pom_table_open(const char *path, const struct pom_column *wanted, int n_wanted,
    struct pom_table_reader **out, struct pom_message *msg);

/* The next row; past the last one *done is true and cells are untouched. After a failure only pom_table_close is of
 * use. */
enum pom_status pom_table_read(
    struct pom_table_reader *reader, struct pom_cell *cells, bool *done, struct pom_message *msg);

/* Begins again at the first row. */
enum pom_status pom_table_rewind(struct pom_table_reader *reader, struct pom_message *msg);

/* The footer's value of key (a folder: of its first file), or NULL (always NULL for JSON and CSV). Valid as long as the
 * reader. */
const char *pom_table_metadata(const struct pom_table_reader *reader, const char *key);

void pom_table_close(struct pom_table_reader *reader);

#endif
