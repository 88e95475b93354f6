#include "table/text.h"

#include "base/memory.h"
#include "table/number.h"
#include "table/reader.h"
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static enum pom_status not_finite(const struct pom_column *column, struct pom_message *msg) {
    return pom_fail(msg, POM_ERR_FORMAT,
        "column \"%s\" holds a value that is infinite or not a number, which JSON and CSV cannot hold: use Parquet",
        column->name);
}

/* List elements at i, whatever their type; returns false for one that is not finite. */
static bool put_element(
    struct pom_buffer *out, const struct pom_column *column, const struct pom_cell *cell, size_t i) {
    char *text = out->data + out->size;
    bool wide = column->type == POM_COLUMN_DOUBLE_LIST;
    if (!(wide ? isfinite(cell->doubles.data[i]) : isfinite(cell->floats.data[i])))
        return false;
    out->size += wide ? pom_double_text(cell->doubles.data[i], text) : pom_float_text(cell->floats.data[i], text);
    return true;
}

static enum pom_status put_list(
    struct pom_buffer *out, const struct pom_column *column, const struct pom_cell *cell, struct pom_message *msg) {
    size_t n = column->type == POM_COLUMN_DOUBLE_LIST ? cell->doubles.size : cell->floats.size;
    size_t room;
    if (!pom_size_mul(n, POM_NUMBER_TEXT + 1, &room) || !pom_buffer_reserve(out, room + 2))
        return pom_fail_memory(msg, "a row of a table");
    out->data[out->size++] = '[';
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            out->data[out->size++] = ',';
        if (!put_element(out, column, cell, i))
            return not_finite(column, msg);
    }
    out->data[out->size++] = ']';
    return POM_OK;
}

enum pom_status pom_text_put(
    struct pom_buffer *out, const struct pom_column *column, const struct pom_cell *cell, struct pom_message *msg) {
    char text[POM_NUMBER_TEXT];
    bool ok = true;
    switch (column->type) {
    case POM_COLUMN_INT64:
        ok = pom_buffer_printf(out, "%" PRId64, cell->integer);
        break;
    case POM_COLUMN_DOUBLE:
        if (!isfinite(cell->number))
            return not_finite(column, msg);
        ok = pom_buffer_append(out, text, pom_double_text(cell->number, text));
        break;
    case POM_COLUMN_FLOAT_LIST:
    case POM_COLUMN_DOUBLE_LIST:
    case POM_COLUMN_SPARK_VECTOR:
        return put_list(out, column, cell, msg);
    case POM_COLUMN_STRING:
        return POM_ERR_INTERNAL;
    }
    return ok ? POM_OK : pom_fail_memory(msg, "a row of a table");
}

enum pom_status pom_text_flush(struct pom_buffer *out, FILE *file, struct pom_message *msg) {
    size_t n = out->size;
    out->size = 0;
    if (fwrite(out->data, 1, n, file) != n)
        return pom_fail_errno(msg, POM_ERR_IO, "cannot write the file");
    return POM_OK;
}

enum pom_status pom_text_finish(
    struct pom_table_writer *writer, const struct pom_metadata *metadata, int n_metadata, struct pom_message *msg) {
    (void)writer, (void)metadata, (void)n_metadata, (void)msg;
    return POM_OK;
}

void pom_text_clean_up(void *state) {
    if (state)
        pom_buffer_clean_up(state);
    free(state);
}

static enum pom_status wrong_type(const struct pom_column *column, struct pom_message *msg) {
    return pom_fail(msg, POM_ERR_FORMAT, "column \"%s\" is not a %s", column->name, pom_column_type_name(column->type));
}

static enum pom_status take_list(const json_t *json, const struct pom_column *column, struct pom_text_list *list,
    struct pom_cell *cell, struct pom_message *msg) {
    const bool wide = column->type == POM_COLUMN_DOUBLE_LIST;
    size_t n = json_array_size(json);
    if (!pom_grow(&list->data, &list->capacity, n, wide ? sizeof(double) : sizeof(float)))
        return pom_fail_memory(msg, "a list of a table");
    for (size_t i = 0; i < n; i++) {
        const json_t *element = json_array_get(json, i);
        double value = json_number_value(element);
        if (!json_is_number(element) || (!wide && fabs(value) > (double)FLT_MAX))
            return wrong_type(column, msg);
        if (wide)
            ((double *)list->data)[i] = value;
        else
            ((float *)list->data)[i] = (float)value;
    }
    if (wide) {
        cell->doubles.data = list->data;
        cell->doubles.size = n;
    } else {
        cell->floats.data = list->data;
        cell->floats.size = n;
    }
    return POM_OK;
}

enum pom_status pom_text_take(const json_t *json, const struct pom_column *column, struct pom_text_list *list,
    struct pom_cell *cell, struct pom_message *msg) {
    if (!json || json_is_null(json))
        return pom_table_null(msg, column);
    if (column->type == POM_COLUMN_INT64 && json_is_integer(json)) {
        cell->integer = json_integer_value(json);
        return POM_OK;
    }
    if (column->type == POM_COLUMN_DOUBLE && json_is_number(json)) {
        cell->number = json_number_value(json);
        return POM_OK;
    }
    if (json_is_array(json) && column->type != POM_COLUMN_INT64 && column->type != POM_COLUMN_DOUBLE)
        return take_list(json, column, list, cell, msg);
    return wrong_type(column, msg);
}
