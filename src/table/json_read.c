/* JSON Lines, line by line; jansson parses a line. */
#include "table/reader.h"
#include "table/text.h"
#include <errno.h>
#include <stdlib.h>

struct json_reader {
    struct pom_buffer line;
    json_t *row; /* the current one, which the cells' texts lie in */
    struct pom_text_list lists[POM_TABLE_MAX_COLUMNS];
};

static enum pom_status begin(struct pom_table_part *part, struct pom_message *msg) {
    part->state = pom_calloc(1, sizeof(struct json_reader));
    return part->state ? POM_OK : pom_fail_memory(msg, "a JSON reader");
}

/* Reads the next line that is not blank, without its end; an empty one means that there is none. */
static enum pom_status read_line(FILE *file, struct pom_buffer *line, struct pom_message *msg) {
    int c;
    line->size = 0;
    while ((c = getc_unlocked(file)) != EOF) {
        if (c == '\n' && line->size > 0)
            return POM_OK;
        if (line->size == 0 && (c == '\n' || c == '\r' || c == ' ' || c == '\t'))
            continue;
        if (line->size >= POM_TABLE_MAX_RECORD)
            return pom_fail(msg, POM_ERR_LIMIT, "a line has more than %d bytes", POM_TABLE_MAX_RECORD);
        if (line->size + 1 >= line->capacity && !pom_buffer_reserve(line, 4096))
            return pom_fail_memory(msg, "a line of a table");
        line->data[line->size++] = (char)c;
    }
    return ferror(file) ? pom_fail_errno(msg, POM_ERR_IO, "cannot read the file") : POM_OK;
}

/* Spark leaves a field that is null out. */
static enum pom_status take_text(
    const json_t *json, const struct pom_column *column, struct pom_cell *cell, struct pom_message *msg) {
    if (json && !json_is_null(json) && !json_is_string(json))
        return pom_fail(msg, POM_ERR_FORMAT, "column \"%s\" is not a text", column->name);
    const char *text = json_string_value(json);
    cell->text.data = text ? text : "";
    cell->text.size = json_string_length(json);
    return POM_OK;
}

static enum pom_status read_row(
    struct pom_table_part *part, struct pom_cell *cells, bool *done, struct pom_message *msg) {
    struct json_reader *self = part->state;
    json_error_t error;
    POM_TRY(read_line(part->file, &self->line, msg));
    *done = self->line.size == 0;
    if (*done)
        return POM_OK;
    json_decref(self->row);
    self->row = json_loadb(self->line.data, self->line.size, JSON_ALLOW_NUL, &error);
    if (!self->row || !json_is_object(self->row))
        return pom_fail(msg, POM_ERR_FORMAT, "not a JSON object: %s", self->row ? "another value" : error.text);
    for (int i = 0; i < part->n_wanted; i++) {
        const struct pom_column *column = &part->wanted[i];
        const json_t *json = json_object_get(self->row, column->name);
        if (column->type == POM_COLUMN_STRING)
            POM_TRY(take_text(json, column, &cells[i], msg));
        else
            POM_TRY(pom_text_take(json, column, &self->lists[i], &cells[i], msg));
    }
    return POM_OK;
}

static void clean_up(void *state) {
    struct json_reader *self = state;
    if (!self)
        return;
    json_decref(self->row);
    pom_buffer_clean_up(&self->line);
    for (int i = 0; i < POM_TABLE_MAX_COLUMNS; i++)
        free(self->lists[i].data);
    free(self);
}

const struct pom_reader_ops pom_json_reader_ops = {begin, read_row, NULL, clean_up};
