/* The Parquet format, by carquet: what its writer and its reader share. */
#ifndef POM_TABLE_PARQUET_H
#define POM_TABLE_PARQUET_H

#include "table/table.h"
#include <carquet/carquet.h>

/* Leaf columns of a Spark vector, in order: MLlib's VectorUDT.sqlType, struct<type: byte, size: int, indices:
 * array<int>, values: array<double>>. type 1 is dense (size and indices null), 0 sparse. */
enum { POM_VECTOR_TYPE, POM_VECTOR_SIZE, POM_VECTOR_INDICES, POM_VECTOR_VALUES, POM_VECTOR_LEAVES };

/* Definition levels of an element that is there, in the schema below. */
enum { POM_LIST_LEVEL = 1, POM_VECTOR_VALUES_LEVEL = 3 };

/* The schema of a table; carquet_schema_free releases. Columns and list elements are required; a Spark vector is as
 * Spark writes it. */
enum pom_status pom_parquet_schema(
    const struct pom_column *columns, int n_columns, carquet_schema_t **out, struct pom_message *msg);

/* The footer's key and value by which Spark knows a vector column; *json is NULL for a table without one; free()
 * releases. */
#define POM_SPARK_METADATA_KEY "org.apache.spark.sql.parquet.row.metadata"
enum pom_status pom_spark_metadata(
    const struct pom_column *columns, int n_columns, char **json, struct pom_message *msg);

/* carquet overlooks some failed allocations, and the file would be damaged without a word: so they are watched. The
 * first forgets this thread's earlier ones, the second says whether there was one since. */
void pom_parquet_watch_memory(void);
bool pom_parquet_memory_failed(void);

#endif
