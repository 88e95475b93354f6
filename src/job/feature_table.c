#include "job/feature_table.h"

#include "base/memory.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Whether the table has the text column. */
static enum pom_status probe(struct pom_feature_table *table, const char *name, struct pom_message *msg) {
    struct pom_table_reader *reader;
    const struct pom_column column = {name, POM_COLUMN_STRING};
    enum pom_status status = pom_table_open(table->path, &column, 1, &reader, msg);
    if (status == POM_ERR_NOT_FOUND)
        return POM_OK;
    if (status != POM_OK)
        return status;
    pom_table_close(reader);
    table->names[table->n_names++] = name;
    return POM_OK;
}

static enum pom_status read_row(
    struct pom_feature_table *table, struct pom_cell *cells, bool *done, struct pom_message *msg) {
    POM_TRY(pom_table_read(table->reader, cells, done, msg));
    if (*done)
        return POM_OK;
    size_t d = cells[table->n_names].floats.size;
    if (table->d && d != table->d)
        return pom_fail(msg, POM_ERR_FORMAT, "%s: row %" PRIu64 " has %zu values in \"%s\" and the first row has %zu",
            table->path, table->at, d, table->column, table->d);
    table->d = d;
    table->at++;
    return POM_OK;
}

static enum pom_status open_reader(struct pom_feature_table *table, struct pom_message *msg) {
    struct pom_column wanted[POM_FEATURE_NAMES + 1];
    for (int i = 0; i < table->n_names; i++)
        wanted[i] = (struct pom_column){table->names[i], POM_COLUMN_STRING};
    wanted[table->n_names] = (struct pom_column){table->column, POM_COLUMN_FLOAT_LIST};
    return pom_table_open(table->path, wanted, table->n_names + 1, &table->reader, msg);
}

enum pom_status pom_feature_table_open(
    struct pom_feature_table *table, const char *path, const char *column, struct pom_message *msg) {
    struct pom_cell cells[POM_FEATURE_NAMES + 1];
    bool done = false;
    *table = (struct pom_feature_table){.path = path, .column = column};
    POM_TRY(probe(table, "path", msg));
    POM_TRY(probe(table, "label", msg));
    POM_TRY(open_reader(table, msg));
    POM_TRY(read_row(table, cells, &done, msg));
    if (done || table->d == 0)
        return pom_fail(msg, POM_ERR_ARGUMENT, "%s has no %s", path, done ? "rows" : "features in its first row");
    return pom_feature_table_rewind(table, msg);
}

void pom_feature_table_close(struct pom_feature_table *table) {
    if (table->reader)
        pom_table_close(table->reader);
    *table = (struct pom_feature_table){0};
}

enum pom_status pom_feature_table_rewind(struct pom_feature_table *table, struct pom_message *msg) {
    table->at = 0;
    return pom_table_rewind(table->reader, msg);
}

static enum pom_status keep_names(const struct pom_feature_table *table, size_t row, const struct pom_cell *cells,
    struct pom_row_names *names, struct pom_message *msg) {
    void *ends = names->ends;
    bool kept = pom_grow(&ends, &names->capacity, (row + 1) * POM_FEATURE_NAMES, sizeof *names->ends);
    names->ends = ends;
    for (int i = 0; kept && i < table->n_names; i++) {
        kept = pom_buffer_append(&names->text, cells[i].text.data, cells[i].text.size);
        names->ends[row * POM_FEATURE_NAMES + (size_t)i] = names->text.size;
    }
    return kept ? POM_OK : pom_fail_memory(msg, "the paths of a block of rows");
}

enum pom_status pom_feature_table_next(struct pom_feature_table *table, float *features, size_t max_rows,
    struct pom_row_names *names, size_t *n, struct pom_message *msg) {
    struct pom_cell cells[POM_FEATURE_NAMES + 1];
    if (names)
        names->text.size = 0;
    for (*n = 0; *n < max_rows; ++*n) {
        bool done = false;
        POM_TRY(read_row(table, cells, &done, msg));
        if (done)
            break;
        memcpy(features + *n * table->d, cells[table->n_names].floats.data, table->d * sizeof *features);
        if (names)
            POM_TRY(keep_names(table, *n, cells, names, msg));
    }
    return POM_OK;
}

void pom_row_names_get(const struct pom_row_names *names, int n_names, size_t i, struct pom_cell *cells) {
    size_t begin = 0;
    if (i > 0 && n_names > 0)
        begin = names->ends[(i - 1) * POM_FEATURE_NAMES + (size_t)n_names - 1];
    for (int c = 0; c < n_names; c++) {
        size_t end = names->ends[i * POM_FEATURE_NAMES + (size_t)c];
        cells[c].text.data = names->text.data ? names->text.data + begin : "";
        cells[c].text.size = end - begin;
        begin = end;
    }
}

void pom_row_names_clean_up(struct pom_row_names *names) {
    pom_buffer_clean_up(&names->text);
    free(names->ends);
    *names = (struct pom_row_names){0};
}
