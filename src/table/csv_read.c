/* CSV (RFC 4180): quoted fields may hold commas, quotes and line ends; lines end in \n or \r\n. */
#include "table/reader.h"
#include "table/text.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FIELDS = 4096 };

/* A record: its fields lie in text one after another, each with a NUL behind it. */
struct record {
    struct pom_buffer text;
    size_t *ends; /* of the fields, the NUL not counted */
    size_t n_fields, capacity;
    bool blank; /* nothing but a line's end */
};

struct csv_reader {
    struct record record;
    size_t n_fields; /* of the header */
    size_t field_of[POM_TABLE_MAX_COLUMNS];
    struct pom_text_list lists[POM_TABLE_MAX_COLUMNS];
};

static enum pom_status put_char(struct record *record, int c, struct pom_message *msg) {
    struct pom_buffer *text = &record->text;
    if (text->size >= POM_TABLE_MAX_RECORD)
        return pom_fail(msg, POM_ERR_LIMIT, "a record has more than %d bytes", POM_TABLE_MAX_RECORD);
    if (text->size + 1 >= text->capacity && !pom_buffer_reserve(text, 4096))
        return pom_fail_memory(msg, "a record of a table");
    text->data[text->size++] = (char)c;
    return POM_OK;
}

static enum pom_status end_field(struct record *record, struct pom_message *msg) {
    void *grown = record->ends;
    if (record->n_fields == MAX_FIELDS)
        return pom_fail(msg, POM_ERR_LIMIT, "a record has more than %d fields", MAX_FIELDS);
    if (!pom_grow(&grown, &record->capacity, record->n_fields + 1, sizeof *record->ends))
        return pom_fail_memory(msg, "a record of a table");
    record->ends = grown;
    record->ends[record->n_fields++] = record->text.size;
    return put_char(record, '\0', msg);
}

/* Reads on to the quote that closes a field; its opening one has been read. */
static enum pom_status read_quoted(FILE *file, struct record *record, struct pom_message *msg) {
    for (int c; (c = getc_unlocked(file)) != EOF;) {
        if (c == '"') {
            int next = getc_unlocked(file);
            if (next != '"') {
                ungetc(next, file);
                return POM_OK;
            }
        }
        POM_TRY(put_char(record, c, msg));
    }
    return pom_fail(msg, POM_ERR_FORMAT, "a quoted field does not end");
}

/* Reads a field and what ends it: *end is ',', '\n' or EOF. */
static enum pom_status read_field(FILE *file, struct record *record, int *end, struct pom_message *msg) {
    int c = getc_unlocked(file);
    if (c == '"') {
        record->blank = false;
        POM_TRY(read_quoted(file, record, msg));
        c = getc_unlocked(file);
    }
    for (; c != ',' && c != '\n' && c != EOF; c = getc_unlocked(file)) {
        if (c == '\r') {
            int next = getc_unlocked(file);
            ungetc(next, file);
            if (next == '\n' || next == EOF)
                continue;
        }
        POM_TRY(put_char(record, c, msg));
    }
    *end = c;
    if (c == EOF && ferror(file))
        return pom_fail_errno(msg, POM_ERR_IO, "cannot read the file");
    return end_field(record, msg);
}

/* Reads the next record that is not a blank line; n_fields is 0 at the end of the file. */
static enum pom_status read_record(FILE *file, struct record *record, struct pom_message *msg) {
    int end = '\n';
    do {
        record->text.size = 0;
        record->n_fields = 0;
        record->blank = true;
        do
            POM_TRY(read_field(file, record, &end, msg));
        while (end == ',');
        record->blank = record->blank && record->n_fields == 1 && record->ends[0] == 0;
    } while (end == '\n' && record->blank);
    if (record->blank)
        record->n_fields = 0;
    return POM_OK;
}

static const char *field_at(const struct record *record, size_t i, size_t *n) {
    size_t begin = i == 0 ? 0 : record->ends[i - 1] + 1;
    *n = record->ends[i] - begin;
    return record->text.data + begin;
}

static enum pom_status find_field(
    const struct record *header, const struct pom_column *wanted, size_t *out, struct pom_message *msg) {
    for (size_t i = 0; i < header->n_fields; i++) {
        size_t n;
        const char *name = field_at(header, i, &n);
        if (i == 0 && n >= 3 && memcmp(name, "\xEF\xBB\xBF", 3) == 0) /* a byte-order mark */
            name += 3;
        *out = i;
        if (strcmp(name, wanted->name) == 0)
            return POM_OK;
    }
    return pom_fail(msg, POM_ERR_NOT_FOUND, "it has no column \"%s\"", wanted->name);
}

static enum pom_status begin(struct pom_table_part *part, struct pom_message *msg) {
    struct csv_reader *self = pom_calloc(1, sizeof *self);
    part->state = self;
    if (!self)
        return pom_fail_memory(msg, "a CSV reader");
    POM_TRY(read_record(part->file, &self->record, msg));
    self->n_fields = self->record.n_fields;
    for (int i = 0; i < part->n_wanted; i++)
        POM_TRY(find_field(&self->record, &part->wanted[i], &self->field_of[i], msg));
    return POM_OK;
}

static enum pom_status take_field(
    struct csv_reader *self, int i, const struct pom_column *column, struct pom_cell *cell, struct pom_message *msg) {
    size_t n;
    const char *text = field_at(&self->record, self->field_of[i], &n);
    if (column->type == POM_COLUMN_STRING) {
        cell->text.data = text;
        cell->text.size = n;
        return POM_OK;
    }
    if (n == 0)
        return pom_table_null(msg, column);
    json_error_t error;
    json_t *json = json_loadb(text, n, JSON_DECODE_ANY, &error);
    if (!json)
        return pom_fail(msg, POM_ERR_FORMAT, "column \"%s\": %s", column->name, error.text);
    enum pom_status status = pom_text_take(json, column, &self->lists[i], cell, msg);
    json_decref(json);
    return status;
}

static enum pom_status read_row(
    struct pom_table_part *part, struct pom_cell *cells, bool *done, struct pom_message *msg) {
    struct csv_reader *self = part->state;
    POM_TRY(read_record(part->file, &self->record, msg));
    *done = self->record.n_fields == 0;
    if (*done)
        return POM_OK;
    if (self->record.n_fields != self->n_fields)
        return pom_fail(
            msg, POM_ERR_FORMAT, "%zu fields where the header has %zu", self->record.n_fields, self->n_fields);
    for (int i = 0; i < part->n_wanted; i++)
        POM_TRY(take_field(self, i, &part->wanted[i], &cells[i], msg));
    return POM_OK;
}

static void clean_up(void *state) {
    struct csv_reader *self = state;
    if (!self)
        return;
    pom_buffer_clean_up(&self->record.text);
    free(self->record.ends);
    for (int i = 0; i < POM_TABLE_MAX_COLUMNS; i++)
        free(self->lists[i].data);
    free(self);
}

const struct pom_reader_ops pom_csv_reader_ops = {begin, read_row, NULL, clean_up};
