#include "table/parquet_leaf.h"

#include "base/memory.h"
#include "table/reader.h"
#include <stdlib.h>
#include <string.h>

enum { WINDOW = 32 * 1024 }; /* levels, to begin with; a longer list widens it */

enum pom_status pom_parquet_fail(struct pom_message *msg, const carquet_error_t *error) {
    const char *what = error->message[0] ? error->message : carquet_status_string(error->code);
    switch (error->code) {
    case CARQUET_ERROR_OUT_OF_MEMORY:
        return pom_fail_memory(msg, "a Parquet file");
    case CARQUET_ERROR_NOT_IMPLEMENTED:
    case CARQUET_ERROR_UNSUPPORTED_CODEC:
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "unsupported kind of Parquet: %s", what);
    default:
        return pom_fail(msg, POM_ERR_FORMAT, "bad Parquet: %s", what);
    }
}

static size_t bytes_of(carquet_physical_type_t type) {
    switch (type) {
    case CARQUET_PHYSICAL_INT32:
    case CARQUET_PHYSICAL_FLOAT:
        return 4;
    case CARQUET_PHYSICAL_INT64:
    case CARQUET_PHYSICAL_DOUBLE:
        return 8;
    case CARQUET_PHYSICAL_BYTE_ARRAY:
        return sizeof(carquet_byte_array_t);
    default:
        return 0;
    }
}

/* The schema's node of the leaf with this index. */
static const carquet_schema_node_t *node_of(const carquet_schema_t *schema, int32_t index) {
    int32_t n = carquet_schema_num_elements(schema);
    for (int32_t i = 0; i < n; i++) {
        const carquet_schema_node_t *node = carquet_schema_get_element(schema, i);
        if (node && carquet_schema_node_is_leaf(node) && index-- == 0)
            return node;
    }
    return NULL;
}

enum pom_status pom_leaf_init(
    struct pom_parquet_leaf *leaf, const carquet_schema_t *schema, int32_t index, struct pom_message *msg) {
    const carquet_schema_node_t *node = node_of(schema, index);
    int16_t max_repetition = carquet_schema_max_rep_level(schema, index);
    if (!node || max_repetition < 0 || max_repetition > 1)
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "lists of lists are not read");
    leaf->index = index;
    leaf->type = carquet_schema_column_type(schema, index);
    leaf->value_bytes = bytes_of(leaf->type);
    if (leaf->value_bytes == 0)
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "%s is not read", carquet_physical_type_name(leaf->type));
    leaf->repeated = max_repetition == 1;
    leaf->present = carquet_schema_max_def_level(schema, index);
    leaf->entry = leaf->present;
    if (carquet_schema_node_repetition(node) == CARQUET_REPETITION_OPTIONAL)
        leaf->entry--;
    return POM_OK;
}

static bool grow(struct pom_parquet_leaf *leaf, size_t capacity) {
    void *definition = realloc(leaf->definition, capacity * sizeof(int16_t));
    if (definition)
        leaf->definition = definition;
    void *repetition = realloc(leaf->repetition, capacity * sizeof(int16_t));
    if (repetition)
        leaf->repetition = repetition;
    void *values = realloc(leaf->values, capacity * leaf->value_bytes);
    if (values)
        leaf->values = values;
    if (!definition || !repetition || !values)
        return false;
    leaf->capacity = capacity;
    return true;
}

/* Texts lie in the page that carquet holds, so they are taken one by one, before the next page replaces it. */
static size_t first_window(const struct pom_parquet_leaf *leaf) {
    return leaf->type == CARQUET_PHYSICAL_BYTE_ARRAY ? 1 : WINDOW;
}

enum pom_status pom_leaf_open(
    struct pom_parquet_leaf *leaf, carquet_reader_t *reader, int32_t group, struct pom_message *msg) {
    carquet_column_reader_free(leaf->column);
    carquet_error_t error = CARQUET_ERROR_INIT;
    leaf->column = carquet_reader_get_column(reader, group, leaf->index, &error);
    leaf->level = leaf->n_levels = leaf->value = leaf->n_values = 0;
    if (!leaf->column)
        return pom_parquet_fail(msg, &error);
    if (leaf->capacity == 0 && !grow(leaf, first_window(leaf)))
        return pom_fail_memory(msg, "a column of a Parquet file");
    return POM_OK;
}

/* Moves what is left of the window to its front and makes room behind it. */
static enum pom_status make_room(struct pom_parquet_leaf *leaf, struct pom_message *msg) {
    size_t levels = leaf->n_levels - leaf->level, values = leaf->n_values - leaf->value;
    memmove(leaf->definition, leaf->definition + leaf->level, levels * sizeof(int16_t));
    memmove(leaf->repetition, leaf->repetition + leaf->level, levels * sizeof(int16_t));
    memmove(leaf->values, leaf->values + leaf->value * leaf->value_bytes, values * leaf->value_bytes);
    leaf->level = leaf->value = 0;
    leaf->n_levels = levels;
    leaf->n_values = values;
    if (levels < leaf->capacity)
        return POM_OK;
    if (leaf->capacity >= POM_TABLE_MAX_LIST)
        return pom_fail(msg, POM_ERR_LIMIT, "a list has more than %d elements", POM_TABLE_MAX_LIST);
    return grow(leaf, leaf->capacity * 2) ? POM_OK : pom_fail_memory(msg, "a list of a Parquet file");
}

static size_t count_present(const struct pom_parquet_leaf *leaf, size_t begin, size_t end) {
    if (leaf->present == 0)
        return end - begin;
    size_t n = 0;
    for (size_t i = begin; i < end; i++)
        n += leaf->definition[i] == leaf->present;
    return n;
}

/* Reads more of the column into the window. */
static enum pom_status refill(struct pom_parquet_leaf *leaf, struct pom_message *msg) {
    POM_TRY(make_room(leaf, msg));
    pom_parquet_watch_memory();
    carquet_error_t error = CARQUET_ERROR_INIT;
    int64_t got = carquet_column_read_batch_ex(leaf->column, leaf->values + leaf->n_values * leaf->value_bytes,
        (int64_t)(leaf->capacity - leaf->n_levels), leaf->definition + leaf->n_levels,
        leaf->repetition + leaf->n_levels, &error);
    if (pom_parquet_memory_failed())
        return pom_fail_memory(msg, "a page of a Parquet file");
    if (got < 0 || error.code != CARQUET_OK)
        return pom_parquet_fail(msg, &error);
    if (got == 0)
        return pom_fail(msg, POM_ERR_FORMAT, "bad Parquet: a column ends early");
    size_t end = leaf->n_levels + (size_t)got;
    leaf->n_values += count_present(leaf, leaf->n_levels, end);
    leaf->n_levels = end;
    return POM_OK;
}

/* Brings the whole next row into the window and finds the level after its last. */
static enum pom_status find_end(struct pom_parquet_leaf *leaf, size_t *end, struct pom_message *msg) {
    if (leaf->level == leaf->n_levels)
        POM_TRY(refill(leaf, msg));
    *end = leaf->level + 1;
    while (leaf->repeated) {
        while (*end < leaf->n_levels && leaf->repetition[*end] != 0)
            (*end)++;
        if (*end < leaf->n_levels || carquet_column_remaining(leaf->column) <= 0)
            break;
        *end -= leaf->level;
        POM_TRY(refill(leaf, msg));
    }
    return POM_OK;
}

enum pom_status pom_leaf_next(struct pom_parquet_leaf *leaf, struct pom_leaf_row *out, struct pom_message *msg) {
    size_t end;
    POM_TRY(find_end(leaf, &end, msg));
    size_t n = count_present(leaf, leaf->level, end);
    int16_t first = leaf->present ? leaf->definition[leaf->level] : 0;
    out->values = leaf->values + leaf->value * leaf->value_bytes;
    out->n = n;
    out->null = leaf->repeated ? first < leaf->entry - 1 : n == 0;
    out->null_entry = leaf->repeated && first >= leaf->entry && n < end - leaf->level;
    leaf->value += n;
    leaf->level = end;
    return POM_OK;
}

void pom_leaf_clean_up(struct pom_parquet_leaf *leaf) {
    carquet_column_reader_free(leaf->column);
    free(leaf->definition);
    free(leaf->repetition);
    free(leaf->values);
}
