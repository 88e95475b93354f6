#include "table/parquet_leaf.h"
#include "table/reader.h"
#include <stdlib.h>
#include <string.h>

struct column {
    int n_leaves; /* 1, or POM_VECTOR_LEAVES for a Spark vector */
    struct pom_parquet_leaf leaves[POM_VECTOR_LEAVES];
    void *converted; /* a list whose type had to be changed */
    size_t capacity; /* of converted, elements */
    double *dense;   /* a sparse vector with its zeros */
    size_t dense_capacity;
};

struct parquet_reader {
    carquet_reader_t *in;
    int32_t group, n_groups; /* the next row group */
    int64_t rows_left;       /* in the current one */
    struct column columns[POM_TABLE_MAX_COLUMNS];
};

/* Whether component `depth` of the leaf's path is called `name`. A hostile file has elements without a name. */
static bool path_has(const carquet_schema_t *schema, int32_t leaf, int32_t depth, const char *name) {
    const char *path[2] = {NULL, NULL};
    return carquet_schema_column_path(schema, leaf, path, 2) > depth && path[depth] && strcmp(path[depth], name) == 0;
}

/* Lists all leaves below the schema's top-level field `name`; their count, or -1 when there are more than a column can
 * have. */
static int find_leaves(const carquet_schema_t *schema, const char *name, int32_t leaves[POM_VECTOR_LEAVES]) {
    int n = 0;
    for (int32_t i = 0; i < carquet_schema_num_columns(schema); i++) {
        if (!path_has(schema, i, 0, name))
            continue;
        if (n == POM_VECTOR_LEAVES)
            return -1;
        leaves[n++] = i;
    }
    return n;
}

static bool is_vector(const carquet_schema_t *schema, const int32_t leaves[POM_VECTOR_LEAVES]) {
    static const char *const names[] = {"type", "size", "indices", "values"};
    static const carquet_physical_type_t types[] = {
        CARQUET_PHYSICAL_INT32, CARQUET_PHYSICAL_INT32, CARQUET_PHYSICAL_INT32, CARQUET_PHYSICAL_DOUBLE};
    for (int i = 0; i < POM_VECTOR_LEAVES; i++)
        if (!path_has(schema, leaves[i], 1, names[i]) || carquet_schema_column_type(schema, leaves[i]) != types[i] ||
            carquet_schema_max_rep_level(schema, leaves[i]) != (i >= POM_VECTOR_INDICES))
            return false;
    return true;
}

static bool is_list_type(enum pom_column_type type) {
    return type == POM_COLUMN_FLOAT_LIST || type == POM_COLUMN_DOUBLE_LIST || type == POM_COLUMN_SPARK_VECTOR;
}

/* Whether a leaf can be read as the wanted type. */
static bool accepts(enum pom_column_type wanted, const struct pom_parquet_leaf *leaf) {
    if (leaf->repeated != is_list_type(wanted))
        return false;
    switch (wanted) {
    case POM_COLUMN_STRING:
        return leaf->type == CARQUET_PHYSICAL_BYTE_ARRAY;
    case POM_COLUMN_INT64:
        return leaf->type == CARQUET_PHYSICAL_INT32 || leaf->type == CARQUET_PHYSICAL_INT64;
    case POM_COLUMN_DOUBLE:
    case POM_COLUMN_FLOAT_LIST:
    case POM_COLUMN_DOUBLE_LIST:
    case POM_COLUMN_SPARK_VECTOR:
        return leaf->type == CARQUET_PHYSICAL_FLOAT || leaf->type == CARQUET_PHYSICAL_DOUBLE;
    }
    return false;
}

static enum pom_status find_column(
    struct column *column, const carquet_schema_t *schema, const struct pom_column *wanted, struct pom_message *msg) {
    int32_t leaves[POM_VECTOR_LEAVES];
    int n = find_leaves(schema, wanted->name, leaves);
    if (n == 0)
        return pom_fail(msg, POM_ERR_NOT_FOUND, "it has no column \"%s\"", wanted->name);
    bool vector = n == POM_VECTOR_LEAVES && is_list_type(wanted->type) && is_vector(schema, leaves);
    for (int i = 0; i < n; i++) {
        enum pom_status status = pom_leaf_init(&column->leaves[i], schema, leaves[i], msg);
        if (status != POM_OK)
            return pom_fail_in(msg, status, "column \"%s\"", wanted->name);
    }
    column->n_leaves = n;
    if (vector || (n == 1 && accepts(wanted->type, &column->leaves[0])))
        return POM_OK;
    return pom_fail(
        msg, POM_ERR_UNSUPPORTED, "column \"%s\" is not a %s", wanted->name, pom_column_type_name(wanted->type));
}

static enum pom_status begin(struct pom_table_part *part, struct pom_message *msg) {
    struct parquet_reader *self = pom_calloc(1, sizeof *self);
    if (!self)
        return pom_fail_memory(msg, "a Parquet reader");
    part->state = self;
    carquet_reader_options_t options;
    pom_parquet_watch_memory();
    carquet_reader_options_init(&options);
    options.num_threads = 1;
    carquet_error_t error = CARQUET_ERROR_INIT;
    self->in = carquet_reader_open_file(part->file, &options, &error);
    if (!self->in)
        return pom_parquet_fail(msg, &error);
    self->n_groups = carquet_reader_num_row_groups(self->in);
    for (int i = 0; i < part->n_wanted; i++)
        POM_TRY(find_column(&self->columns[i], carquet_reader_schema(self->in), &part->wanted[i], msg));
    return POM_OK;
}

/* Goes to the next row group that has rows; done when there is none. */
static enum pom_status next_group(struct pom_table_part *part, bool *done, struct pom_message *msg) {
    struct parquet_reader *self = part->state;
    while (self->rows_left == 0) {
        carquet_row_group_metadata_t group = {0};
        *done = self->group == self->n_groups;
        if (*done)
            return POM_OK;
        if (carquet_reader_row_group_metadata(self->in, self->group, &group) != CARQUET_OK || group.num_rows < 0)
            return pom_fail(msg, POM_ERR_FORMAT, "bad Parquet: row group %d", (int)self->group);
        self->rows_left = group.num_rows;
        for (int i = 0; i < part->n_wanted && self->rows_left > 0; i++)
            for (int k = 0; k < self->columns[i].n_leaves; k++)
                POM_TRY(pom_leaf_open(&self->columns[i].leaves[k], self->in, self->group, msg));
        self->group++;
    }
    return POM_OK;
}

static void *convert_room(struct column *column, size_t n, size_t size) {
    void *grown = column->converted;
    if (!pom_grow(&grown, &column->capacity, n, size))
        return NULL;
    column->converted = grown;
    return grown;
}

static enum pom_status give_floats(struct column *column, carquet_physical_type_t type, const void *values, size_t n,
    struct pom_cell *cell, struct pom_message *msg) {
    cell->floats.size = n;
    cell->floats.data = values;
    if (type == CARQUET_PHYSICAL_FLOAT)
        return POM_OK;
    float *out = convert_room(column, n, sizeof *out);
    if (!out && n > 0)
        return pom_fail_memory(msg, "a list of a table");
    for (size_t i = 0; i < n; i++)
        out[i] = (float)((const double *)values)[i];
    cell->floats.data = out;
    return POM_OK;
}

static enum pom_status give_doubles(struct column *column, carquet_physical_type_t type, const void *values, size_t n,
    struct pom_cell *cell, struct pom_message *msg) {
    cell->doubles.size = n;
    cell->doubles.data = values;
    if (type == CARQUET_PHYSICAL_DOUBLE)
        return POM_OK;
    double *out = convert_room(column, n, sizeof *out);
    if (!out && n > 0)
        return pom_fail_memory(msg, "a list of a table");
    for (size_t i = 0; i < n; i++)
        out[i] = ((const float *)values)[i];
    cell->doubles.data = out;
    return POM_OK;
}

static enum pom_status give_list(struct column *column, enum pom_column_type wanted, carquet_physical_type_t type,
    const void *values, size_t n, struct pom_cell *cell, struct pom_message *msg) {
    if (wanted == POM_COLUMN_DOUBLE_LIST)
        return give_doubles(column, type, values, n, cell, msg);
    return give_floats(column, type, values, n, cell, msg);
}

static enum pom_status bad_vector(struct pom_message *msg, const struct pom_column *wanted) {
    return pom_fail(msg, POM_ERR_FORMAT, "column \"%s\" is not a vector as MLlib writes them", wanted->name);
}

/* Fills the gaps of a sparse vector with zeros. */
static enum pom_status give_sparse(struct column *column, const struct pom_column *wanted,
    const struct pom_leaf_row rows[POM_VECTOR_LEAVES], struct pom_cell *cell, struct pom_message *msg) {
    const struct pom_leaf_row *size_row = &rows[POM_VECTOR_SIZE], *indices = &rows[POM_VECTOR_INDICES];
    if (size_row->null || indices->null || indices->null_entry || indices->n != rows[POM_VECTOR_VALUES].n)
        return bad_vector(msg, wanted);
    int32_t size = *(const int32_t *)size_row->values;
    if (size < 0 || size > POM_TABLE_MAX_LIST)
        return bad_vector(msg, wanted);
    void *grown = column->dense;
    if (!pom_grow(&grown, &column->dense_capacity, (size_t)size, sizeof(double)))
        return pom_fail_memory(msg, "a sparse vector");
    double *out = column->dense = grown;
    for (int32_t i = 0; i < size; i++)
        out[i] = 0;
    for (size_t i = 0; i < indices->n; i++) {
        int32_t at = ((const int32_t *)indices->values)[i];
        if (at < 0 || at >= size)
            return bad_vector(msg, wanted);
        out[at] = ((const double *)rows[POM_VECTOR_VALUES].values)[i];
    }
    return give_list(column, wanted->type, CARQUET_PHYSICAL_DOUBLE, out, (size_t)size, cell, msg);
}

static enum pom_status give_vector(
    struct column *column, const struct pom_column *wanted, struct pom_cell *cell, struct pom_message *msg) {
    struct pom_leaf_row rows[POM_VECTOR_LEAVES];
    for (int i = 0; i < POM_VECTOR_LEAVES; i++)
        POM_TRY(pom_leaf_next(&column->leaves[i], &rows[i], msg));
    const struct pom_leaf_row *values = &rows[POM_VECTOR_VALUES];
    if (rows[POM_VECTOR_TYPE].null || values->null || values->null_entry)
        return pom_table_null(msg, wanted);
    if (*(const int32_t *)rows[POM_VECTOR_TYPE].values == 0)
        return give_sparse(column, wanted, rows, cell, msg);
    return give_list(column, wanted->type, CARQUET_PHYSICAL_DOUBLE, values->values, values->n, cell, msg);
}

static void give_scalar(
    enum pom_column_type wanted, carquet_physical_type_t type, const void *value, struct pom_cell *cell) {
    if (wanted == POM_COLUMN_STRING) {
        const carquet_byte_array_t *bytes = value;
        cell->text.data = bytes->length > 0 ? (const char *)bytes->data : "";
        cell->text.size = (size_t)bytes->length;
    } else if (wanted == POM_COLUMN_INT64) {
        cell->integer = type == CARQUET_PHYSICAL_INT32 ? *(const int32_t *)value : *(const int64_t *)value;
    } else {
        cell->number = type == CARQUET_PHYSICAL_FLOAT ? (double)*(const float *)value : *(const double *)value;
    }
}

static enum pom_status give(
    struct column *column, const struct pom_column *wanted, struct pom_cell *cell, struct pom_message *msg) {
    if (column->n_leaves == POM_VECTOR_LEAVES)
        return give_vector(column, wanted, cell, msg);
    struct pom_parquet_leaf *leaf = &column->leaves[0];
    struct pom_leaf_row row;
    POM_TRY(pom_leaf_next(leaf, &row, msg));
    if (wanted->type == POM_COLUMN_STRING && row.null) {
        cell->text.data = "";
        cell->text.size = 0;
        return POM_OK;
    }
    if (row.null || row.null_entry)
        return pom_table_null(msg, wanted);
    if (is_list_type(wanted->type))
        return give_list(column, wanted->type, leaf->type, row.values, row.n, cell, msg);
    give_scalar(wanted->type, leaf->type, row.values, cell);
    return POM_OK;
}

static enum pom_status read_row(
    struct pom_table_part *part, struct pom_cell *cells, bool *done, struct pom_message *msg) {
    struct parquet_reader *self = part->state;
    *done = false;
    POM_TRY(next_group(part, done, msg));
    if (*done)
        return POM_OK;
    for (int i = 0; i < part->n_wanted; i++)
        POM_TRY(give(&self->columns[i], &part->wanted[i], &cells[i], msg));
    self->rows_left--;
    return POM_OK;
}

static bool metadata(const struct pom_table_part *part, int i, struct pom_metadata *out) {
    const struct parquet_reader *self = part->state;
    return carquet_reader_get_metadata(self->in, i, &out->key, &out->value) == CARQUET_OK;
}

static void clean_up(void *state) {
    struct parquet_reader *self = state;
    if (!self)
        return;
    for (int i = 0; i < POM_TABLE_MAX_COLUMNS; i++) {
        for (int k = 0; k < POM_VECTOR_LEAVES; k++)
            pom_leaf_clean_up(&self->columns[i].leaves[k]);
        free(self->columns[i].converted);
        free(self->columns[i].dense);
    }
    carquet_reader_close(self->in);
    free(self);
}

const struct pom_reader_ops pom_parquet_reader_ops = {begin, read_row, metadata, clean_up};
