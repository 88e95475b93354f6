#include "table/parquet.h"

#include <jansson.h>
#include <stdlib.h>

static bool add_leaf(carquet_schema_t *schema, const char *name, carquet_physical_type_t type,
    const carquet_logical_type_t *logical, carquet_field_repetition_t repetition, int32_t parent) {
    return carquet_schema_add_column(schema, name, type, logical, repetition, 0, parent) == CARQUET_OK;
}

/* The three-level LIST of the Parquet format's LogicalTypes.md, elements required. */
static bool add_list(carquet_schema_t *schema, const char *name, carquet_physical_type_t element,
    carquet_field_repetition_t repetition, int32_t parent) {
    int32_t list = carquet_schema_add_list_group(schema, name, repetition, parent);
    return list >= 0 && add_leaf(schema, "element", element, NULL, CARQUET_REPETITION_REQUIRED, list);
}

static bool add_spark_vector(carquet_schema_t *schema, const char *name) {
    const carquet_logical_type_t byte = {
        .id = CARQUET_LOGICAL_INTEGER, .params.integer = {.bit_width = 8, .is_signed = true}};
    int32_t group = carquet_schema_add_group(schema, name, CARQUET_REPETITION_OPTIONAL, 0);
    return group >= 0 && add_leaf(schema, "type", CARQUET_PHYSICAL_INT32, &byte, CARQUET_REPETITION_REQUIRED, group) &&
           add_leaf(schema, "size", CARQUET_PHYSICAL_INT32, NULL, CARQUET_REPETITION_OPTIONAL, group) &&
           add_list(schema, "indices", CARQUET_PHYSICAL_INT32, CARQUET_REPETITION_OPTIONAL, group) &&
           add_list(schema, "values", CARQUET_PHYSICAL_DOUBLE, CARQUET_REPETITION_OPTIONAL, group);
}

static bool add_column(carquet_schema_t *schema, const struct pom_column *column) {
    const carquet_logical_type_t string = {.id = CARQUET_LOGICAL_STRING};
    const carquet_field_repetition_t required = CARQUET_REPETITION_REQUIRED;
    switch (column->type) {
    case POM_COLUMN_STRING:
        return add_leaf(schema, column->name, CARQUET_PHYSICAL_BYTE_ARRAY, &string, required, 0);
    case POM_COLUMN_INT64:
        return add_leaf(schema, column->name, CARQUET_PHYSICAL_INT64, NULL, required, 0);
    case POM_COLUMN_DOUBLE:
        return add_leaf(schema, column->name, CARQUET_PHYSICAL_DOUBLE, NULL, required, 0);
    case POM_COLUMN_FLOAT_LIST:
        return add_list(schema, column->name, CARQUET_PHYSICAL_FLOAT, required, 0);
    case POM_COLUMN_DOUBLE_LIST:
        return add_list(schema, column->name, CARQUET_PHYSICAL_DOUBLE, required, 0);
    case POM_COLUMN_SPARK_VECTOR:
        return add_spark_vector(schema, column->name);
    }
    return false;
}

enum pom_status pom_parquet_schema(
    const struct pom_column *columns, int n_columns, carquet_schema_t **out, struct pom_message *msg) {
    carquet_schema_t *schema = carquet_schema_create(NULL);
    bool ok = schema != NULL;
    for (int i = 0; ok && i < n_columns; i++)
        ok = add_column(schema, &columns[i]);
    if (!ok) {
        carquet_schema_free(schema);
        return pom_fail_memory(msg, "a Parquet schema");
    }
    *out = schema;
    return POM_OK;
}

/* A field of Spark's JSON form of a schema (org.apache.spark.sql.types.StructField). Steals type; NULL on no memory. */
static json_t *spark_field(const char *name, json_t *type, bool nullable) {
    return json_pack("{s:s, s:o, s:b, s:{}}", "name", name, "type", type, "nullable", nullable, "metadata");
}

static json_t *spark_array(const char *element) {
    return json_pack("{s:s, s:s, s:b}", "type", "array", "elementType", element, "containsNull", 0);
}

static json_t *spark_vector(void) {
    json_t *struct_type = json_pack("{s:s, s:[o, o, o, o]}", "type", "struct", "fields",
        spark_field("type", json_string("byte"), false), spark_field("size", json_string("integer"), true),
        spark_field("indices", spark_array("integer"), true), spark_field("values", spark_array("double"), true));
    return json_pack("{s:s, s:s, s:s, s:o}", "type", "udt", "class", "org.apache.spark.ml.linalg.VectorUDT", "pyClass",
        "pyspark.ml.linalg.VectorUDT", "sqlType", struct_type);
}

static json_t *spark_type(enum pom_column_type type) {
    switch (type) {
    case POM_COLUMN_STRING:
        return json_string("string");
    case POM_COLUMN_INT64:
        return json_string("long");
    case POM_COLUMN_DOUBLE:
        return json_string("double");
    case POM_COLUMN_FLOAT_LIST:
        return spark_array("float");
    case POM_COLUMN_DOUBLE_LIST:
        return spark_array("double");
    case POM_COLUMN_SPARK_VECTOR:
        return spark_vector();
    }
    return NULL;
}

static bool has_vector(const struct pom_column *columns, int n_columns) {
    for (int i = 0; i < n_columns; i++)
        if (columns[i].type == POM_COLUMN_SPARK_VECTOR)
            return true;
    return false;
}

/* Not json_dumps: it overlooks failed allocations. */
static char *dump(const json_t *json) {
    size_t n = json_dumpb(json, NULL, 0, JSON_COMPACT);
    char *text = calloc(n + 1, 1);
    if (n > 0 && text && json_dumpb(json, text, n, JSON_COMPACT) == n)
        return text;
    free(text);
    return NULL;
}

enum pom_status pom_spark_metadata(
    const struct pom_column *columns, int n_columns, char **json, struct pom_message *msg) {
    *json = NULL;
    if (!has_vector(columns, n_columns))
        return POM_OK;
    json_t *fields = json_array();
    bool ok = fields != NULL;
    for (int i = 0; ok && i < n_columns; i++)
        ok = json_array_append_new(fields, spark_field(columns[i].name, spark_type(columns[i].type), true)) == 0;
    json_t *root = json_pack("{s:s, s:o}", "type", "struct", "fields", fields);
    if (ok && root)
        *json = dump(root);
    json_decref(root);
    return *json ? POM_OK : pom_fail_memory(msg, "Spark's schema");
}
