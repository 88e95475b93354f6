#include "table/writer.h"

#include "table/utf8.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct pom_writer_ops *const ops_of[] = {
    [POM_FORMAT_PARQUET] = &pom_parquet_writer_ops,
    [POM_FORMAT_JSON] = &pom_json_writer_ops,
    [POM_FORMAT_CSV] = &pom_csv_writer_ops,
};

static enum pom_status copy_columns(
    struct pom_table_writer *writer, const struct pom_column *columns, int n, struct pom_message *msg) {
    if (n < 1 || n > POM_TABLE_MAX_COLUMNS)
        return pom_fail(msg, POM_ERR_ARGUMENT, "a table has 1 to %d columns, not %d", POM_TABLE_MAX_COLUMNS, n);
    for (int i = 0; i < n; i++) {
        char *name = pom_arena_strdup(&writer->arena, columns[i].name);
        if (!name)
            return pom_fail_memory(msg, "a table's columns");
        writer->columns[i] = (struct pom_column){name, columns[i].type};
    }
    writer->n_columns = n;
    return POM_OK;
}

static enum pom_status begin(struct pom_table_writer *writer, const char *path, const struct pom_column *columns,
    int n_columns, struct pom_message *msg) {
    POM_TRY(copy_columns(writer, columns, n_columns, msg));
    writer->path = strdup(path);
    if (!writer->path)
        return pom_fail_memory(msg, path);
    writer->file = fopen(path, "wbe");
    if (!writer->file)
        return pom_fail_errno(msg, errno == ENOENT ? POM_ERR_NOT_FOUND : POM_ERR_IO, "cannot create %s", path);
    enum pom_status status = writer->ops->begin(writer, msg);
    return status == POM_OK ? POM_OK : pom_fail_in(msg, status, "%s", path);
}

enum pom_status pom_table_create(const char *path, enum pom_format format, const struct pom_column *columns,
    int n_columns, struct pom_table_writer **out, struct pom_message *msg) {
    *out = NULL;
    struct pom_table_writer *writer = pom_calloc(1, sizeof *writer);
    if (!writer)
        return pom_fail_memory(msg, path);
    writer->ops = ops_of[format];
    enum pom_status status = begin(writer, path, columns, n_columns, msg);
    if (status != POM_OK) {
        pom_table_abandon(writer);
        return status;
    }
    *out = writer;
    return POM_OK;
}

/* Makes the row's texts valid UTF-8, in copies where they are not. */
static bool repair_texts(struct pom_table_writer *writer, const struct pom_cell *cells, struct pom_cell *out) {
    for (int i = 0; i < writer->n_columns; i++) {
        out[i] = cells[i];
        if (writer->columns[i].type != POM_COLUMN_STRING || pom_utf8_valid(cells[i].text.data, cells[i].text.size))
            continue;
        struct pom_buffer *text = &writer->repaired[i];
        text->size = 0;
        if (!pom_utf8_repair(cells[i].text.data, cells[i].text.size, text))
            return false;
        out[i].text.data = text->data;
        out[i].text.size = text->size;
    }
    return true;
}

enum pom_status pom_table_write(
    struct pom_table_writer *writer, const struct pom_cell *cells, struct pom_message *msg) {
    struct pom_cell row[POM_TABLE_MAX_COLUMNS];
    if (!repair_texts(writer, cells, row))
        return pom_fail_memory(msg, writer->path);
    enum pom_status status = writer->ops->write(writer, row, msg);
    if (status != POM_OK)
        return pom_fail_in(msg, status, "%s, row %" PRIu64, writer->path, writer->rows + 1);
    writer->rows++;
    return POM_OK;
}

static void release(struct pom_table_writer *writer) {
    writer->ops->clean_up(writer->state);
    if (writer->file)
        fclose(writer->file);
    for (int i = 0; i < POM_TABLE_MAX_COLUMNS; i++)
        pom_buffer_clean_up(&writer->repaired[i]);
    pom_arena_clean_up(&writer->arena);
    free(writer->path);
    free(writer);
}

void pom_table_abandon(struct pom_table_writer *writer) {
    if (!writer)
        return;
    if (writer->file)
        unlink(writer->path);
    release(writer);
}

enum pom_status pom_table_finish(
    struct pom_table_writer *writer, const struct pom_metadata *metadata, int n_metadata, struct pom_message *msg) {
    enum pom_status status = writer->ops->finish(writer, metadata, n_metadata, msg);
    if (status == POM_OK)
        status = fflush(writer->file) == 0 ? POM_OK : pom_fail_errno(msg, POM_ERR_IO, "cannot write the file");
    if (status != POM_OK) {
        pom_fail_in(msg, status, "%s", writer->path);
        pom_table_abandon(writer);
        return status;
    }
    release(writer);
    return POM_OK;
}
