/* JSON Lines: an object a row, the columns in their order (jsonlines.org, RFC 8259). */
#include "table/text.h"
#include "table/writer.h"
#include <string.h>

static bool put_text(struct pom_buffer *out, const char *text, size_t n) {
    bool ok = pom_buffer_append(out, "\"", 1);
    size_t begin = 0;
    for (size_t i = 0; ok && i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        ok = pom_buffer_append(out, text + begin, i - begin) &&
             (c < 0x20 ? pom_buffer_printf(out, "\\u%04x", c) : pom_buffer_printf(out, "\\%c", c));
        begin = i + 1;
    }
    return ok && pom_buffer_append(out, text + begin, n - begin) && pom_buffer_append(out, "\"", 1);
}

static enum pom_status begin(struct pom_table_writer *writer, struct pom_message *msg) {
    writer->state = pom_calloc(1, sizeof(struct pom_buffer));
    return writer->state ? POM_OK : pom_fail_memory(msg, "a JSON writer");
}

static enum pom_status write_row(
    struct pom_table_writer *writer, const struct pom_cell *cells, struct pom_message *msg) {
    struct pom_buffer *out = writer->state;
    for (int i = 0; i < writer->n_columns; i++) {
        const struct pom_column *column = &writer->columns[i];
        const bool text = column->type == POM_COLUMN_STRING;
        if (!pom_buffer_text(out, i == 0 ? "{" : ",") || !put_text(out, column->name, strlen(column->name)) ||
            !pom_buffer_text(out, ":") || (text && !put_text(out, cells[i].text.data, cells[i].text.size)))
            return pom_fail_memory(msg, "a row of a table");
        if (!text)
            POM_TRY(pom_text_put(out, column, &cells[i], msg));
    }
    if (!pom_buffer_text(out, "}\n"))
        return pom_fail_memory(msg, "a row of a table");
    return pom_text_flush(out, writer->file, msg);
}

const struct pom_writer_ops pom_json_writer_ops = {begin, write_row, pom_text_finish, pom_text_clean_up};
