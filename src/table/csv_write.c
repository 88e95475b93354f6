/* CSV (RFC 4180, lines ending in \n): a header of names, then the rows; a list is a JSON array in quotes. */
#include "table/text.h"
#include "table/writer.h"
#include <string.h>

/* An empty text is quoted too: alone in its row it would be a blank line. */
static bool needs_quotes(const char *text, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strchr("\",\r\n", text[i]))
            return true;
    return n == 0;
}

static bool put_text(struct pom_buffer *out, const char *text, size_t n) {
    if (!needs_quotes(text, n))
        return pom_buffer_append(out, text, n);
    bool ok = pom_buffer_append(out, "\"", 1);
    size_t begin = 0;
    for (size_t i = 0; ok && i < n; i++) {
        if (text[i] != '"')
            continue;
        ok = pom_buffer_append(out, text + begin, i + 1 - begin) && pom_buffer_append(out, "\"", 1);
        begin = i + 1;
    }
    return ok && pom_buffer_append(out, text + begin, n - begin) && pom_buffer_append(out, "\"", 1);
}

static enum pom_status begin(struct pom_table_writer *writer, struct pom_message *msg) {
    struct pom_buffer *out = pom_calloc(1, sizeof *out);
    writer->state = out;
    bool ok = out != NULL;
    for (int i = 0; ok && i < writer->n_columns; i++) {
        const char *name = writer->columns[i].name;
        ok = pom_buffer_text(out, i == 0 ? "" : ",") && put_text(out, name, strlen(name));
    }
    if (!ok || !pom_buffer_text(out, "\n"))
        return pom_fail_memory(msg, "a CSV writer");
    return pom_text_flush(out, writer->file, msg);
}

static enum pom_status put_cell(
    struct pom_buffer *out, const struct pom_column *column, const struct pom_cell *cell, struct pom_message *msg) {
    const bool list = column->type >= POM_COLUMN_FLOAT_LIST;
    if (column->type == POM_COLUMN_STRING)
        return put_text(out, cell->text.data, cell->text.size) ? POM_OK : pom_fail_memory(msg, "a row of a table");
    if (list && !pom_buffer_text(out, "\""))
        return pom_fail_memory(msg, "a row of a table");
    POM_TRY(pom_text_put(out, column, cell, msg));
    if (list && !pom_buffer_text(out, "\""))
        return pom_fail_memory(msg, "a row of a table");
    return POM_OK;
}

static enum pom_status write_row(
    struct pom_table_writer *writer, const struct pom_cell *cells, struct pom_message *msg) {
    struct pom_buffer *out = writer->state;
    for (int i = 0; i < writer->n_columns; i++) {
        if (i > 0 && !pom_buffer_text(out, ","))
            return pom_fail_memory(msg, "a row of a table");
        POM_TRY(put_cell(out, &writer->columns[i], &cells[i], msg));
    }
    if (!pom_buffer_text(out, "\n"))
        return pom_fail_memory(msg, "a row of a table");
    return pom_text_flush(out, writer->file, msg);
}

const struct pom_writer_ops pom_csv_writer_ops = {begin, write_row, pom_text_finish, pom_text_clean_up};
