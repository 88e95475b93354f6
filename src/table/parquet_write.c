#include "base/memory.h"
#include "table/parquet.h"
#include "table/writer.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* carquet holds a row group in memory until it is whole; a row is never split. */
enum { ROW_GROUP_BYTES = 16 * 1024 * 1024 };

/* Levels of a list whose elements are all there: one definition level throughout, repetition 0 and then 1s. */
struct levels {
    int16_t *definition, *repetition;
    size_t capacity;
};

struct parquet_writer {
    carquet_writer_t *out;
    struct levels lists, vectors;
    double *doubles; /* a Spark vector's values */
    size_t doubles_capacity;
    size_t group_bytes; /* in the current row group */
};

static enum pom_status write_failed(carquet_status_t code, struct pom_message *msg) {
    if (code == CARQUET_ERROR_OUT_OF_MEMORY || pom_parquet_memory_failed())
        return pom_fail_memory(msg, "a Parquet row group");
    if (code == CARQUET_ERROR_FILE_WRITE && errno != 0)
        return pom_fail_errno(msg, POM_ERR_IO, "cannot write the file");
    return pom_fail(msg, POM_ERR_IO, "cannot write Parquet: %s", carquet_status_string(code));
}

static enum pom_status checked(carquet_status_t code, struct pom_message *msg) {
    return code == CARQUET_OK && !pom_parquet_memory_failed() ? POM_OK : write_failed(code, msg);
}

/* PLAIN: carquet's default for floats, BYTE_STREAM_SPLIT, is more than Spark 3.5 reads. No statistics: nobody filters
 * on these columns. */
static enum pom_status begin(struct pom_table_writer *writer, struct pom_message *msg) {
    carquet_writer_options_t options;
    pom_parquet_watch_memory();
    carquet_writer_options_init(&options);
    options.compression = CARQUET_COMPRESSION_ZSTD;
    options.compression_level = 1;
    options.write_statistics = false;
    options.created_by = "pomona version " POM_VERSION;
    options.async_io = false;
    struct parquet_writer *self = pom_calloc(1, sizeof *self);
    if (!self)
        return pom_fail_memory(msg, "a Parquet writer");
    writer->state = self;
    carquet_schema_t *schema;
    POM_TRY(pom_parquet_schema(writer->columns, writer->n_columns, &schema, msg));
    carquet_error_t error = CARQUET_ERROR_INIT;
    self->out = carquet_writer_create_file(writer->file, schema, &options, &error);
    int32_t n_leaves = carquet_schema_num_columns(schema);
    carquet_schema_free(schema);
    if (!self->out)
        return write_failed(error.code, msg);
    for (int32_t i = 0; i < n_leaves; i++)
        POM_TRY(checked(carquet_writer_set_column_encoding(self->out, i, CARQUET_ENCODING_PLAIN), msg));
    return POM_OK;
}

static bool grow_levels(struct levels *levels, size_t n, int16_t definition) {
    if (n <= levels->capacity)
        return true;
    size_t capacity = levels->capacity;
    void *grown = levels->definition;
    if (!pom_grow(&grown, &capacity, n, sizeof(int16_t)))
        return false;
    levels->definition = grown;
    grown = realloc(levels->repetition, capacity * sizeof(int16_t));
    if (!grown)
        return false;
    levels->repetition = grown;
    for (size_t i = 0; i < capacity; i++) {
        levels->definition[i] = definition;
        levels->repetition[i] = i > 0;
    }
    levels->capacity = capacity;
    return true;
}

/* One row's list in the given leaf; definition is the level of an element that is there. */
static enum pom_status write_list(struct parquet_writer *self, struct levels *levels, int32_t leaf, const void *values,
    size_t n, int16_t definition, struct pom_message *msg) {
    static const int16_t first = 0;
    const int16_t empty = (int16_t)(definition - 1);
    if (n == 0)
        return checked(carquet_writer_write_batch(self->out, leaf, &first, 1, &empty, &first), msg);
    if (!grow_levels(levels, n, definition))
        return pom_fail_memory(msg, "a list of a table");
    return checked(
        carquet_writer_write_batch(self->out, leaf, values, (int64_t)n, levels->definition, levels->repetition), msg);
}

static enum pom_status write_spark_vector(
    struct parquet_writer *self, int32_t leaf, const float *values, size_t n, struct pom_message *msg) {
    static const int32_t dense = 1;
    static const int16_t present = 1, null = 1, first = 0;
    void *grown = self->doubles;
    if (!pom_grow(&grown, &self->doubles_capacity, n, sizeof(double)))
        return pom_fail_memory(msg, "a Spark vector");
    self->doubles = grown;
    for (size_t i = 0; i < n; i++)
        self->doubles[i] = values[i];
    carquet_writer_t *out = self->out;
    POM_TRY(checked(carquet_writer_write_batch(out, leaf + POM_VECTOR_TYPE, &dense, 1, &present, NULL), msg));
    POM_TRY(checked(carquet_writer_write_batch(out, leaf + POM_VECTOR_SIZE, &dense, 1, &null, NULL), msg));
    POM_TRY(checked(carquet_writer_write_batch(out, leaf + POM_VECTOR_INDICES, &dense, 1, &null, &first), msg));
    return write_list(self, &self->vectors, leaf + POM_VECTOR_VALUES, self->doubles, n, POM_VECTOR_VALUES_LEVEL, msg);
}

static enum pom_status write_text(
    struct parquet_writer *self, int32_t leaf, const struct pom_cell *cell, struct pom_message *msg) {
    if (cell->text.size > INT32_MAX)
        return pom_fail(msg, POM_ERR_LIMIT, "a text of %zu bytes is too long for Parquet", cell->text.size);
    const carquet_byte_array_t bytes = {(uint8_t *)cell->text.data, (int32_t)cell->text.size};
    return checked(carquet_writer_write_batch(self->out, leaf, &bytes, 1, NULL, NULL), msg);
}

static enum pom_status write_cell(struct parquet_writer *self, enum pom_column_type type, int32_t leaf,
    const struct pom_cell *cell, struct pom_message *msg) {
    switch (type) {
    case POM_COLUMN_STRING:
        self->group_bytes += cell->text.size;
        return write_text(self, leaf, cell, msg);
    case POM_COLUMN_INT64:
        return checked(carquet_writer_write_batch(self->out, leaf, &cell->integer, 1, NULL, NULL), msg);
    case POM_COLUMN_DOUBLE:
        return checked(carquet_writer_write_batch(self->out, leaf, &cell->number, 1, NULL, NULL), msg);
    case POM_COLUMN_FLOAT_LIST:
        self->group_bytes += cell->floats.size * sizeof(float);
        return write_list(self, &self->lists, leaf, cell->floats.data, cell->floats.size, POM_LIST_LEVEL, msg);
    case POM_COLUMN_DOUBLE_LIST:
        self->group_bytes += cell->doubles.size * sizeof(double);
        return write_list(self, &self->lists, leaf, cell->doubles.data, cell->doubles.size, POM_LIST_LEVEL, msg);
    case POM_COLUMN_SPARK_VECTOR:
        self->group_bytes += cell->floats.size * sizeof(double);
        return write_spark_vector(self, leaf, cell->floats.data, cell->floats.size, msg);
    }
    return POM_ERR_INTERNAL;
}

static enum pom_status write_row(
    struct pom_table_writer *writer, const struct pom_cell *cells, struct pom_message *msg) {
    struct parquet_writer *self = writer->state;
    int32_t leaf = 0;
    pom_parquet_watch_memory();
    errno = 0;
    for (int i = 0; i < writer->n_columns; i++) {
        enum pom_column_type type = writer->columns[i].type;
        POM_TRY(write_cell(self, type, leaf, &cells[i], msg));
        leaf += type == POM_COLUMN_SPARK_VECTOR ? POM_VECTOR_LEAVES : 1;
    }
    self->group_bytes += (size_t)leaf * sizeof(int64_t);
    if (self->group_bytes < ROW_GROUP_BYTES)
        return POM_OK;
    self->group_bytes = 0;
    return checked(carquet_writer_new_row_group(self->out), msg);
}

static enum pom_status add_spark_metadata(struct pom_table_writer *writer, struct pom_message *msg) {
    struct parquet_writer *self = writer->state;
    char *json;
    POM_TRY(pom_spark_metadata(writer->columns, writer->n_columns, &json, msg));
    carquet_status_t code = CARQUET_OK;
    if (json)
        code = carquet_writer_add_metadata(self->out, POM_SPARK_METADATA_KEY, json);
    free(json);
    return checked(code, msg);
}

static enum pom_status finish(
    struct pom_table_writer *writer, const struct pom_metadata *metadata, int n_metadata, struct pom_message *msg) {
    struct parquet_writer *self = writer->state;
    pom_parquet_watch_memory();
    POM_TRY(add_spark_metadata(writer, msg));
    for (int i = 0; i < n_metadata; i++)
        POM_TRY(checked(carquet_writer_add_metadata(self->out, metadata[i].key, metadata[i].value), msg));
    carquet_writer_t *out = self->out;
    self->out = NULL;
    errno = 0;
    return checked(carquet_writer_close(out), msg);
}

static void clean_up(void *state) {
    struct parquet_writer *self = state;
    if (!self)
        return;
    carquet_writer_abort(self->out);
    free(self->lists.definition);
    free(self->lists.repetition);
    free(self->vectors.definition);
    free(self->vectors.repetition);
    free(self->doubles);
    free(self);
}

const struct pom_writer_ops pom_parquet_writer_ops = {begin, write_row, finish, clean_up};
