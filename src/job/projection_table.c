#include "job/projection_table.h"

#include "base/memory.h"
#include "job/feature_table.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What holds for the whole projection stands in every row, as JSON and CSV have no other place for it. */
enum { ROW, VARIANCE, RATIO, ROWS, SCALED, CENTERED, RESIDUAL, VALUES, N_COLUMNS };

static const struct pom_column columns[N_COLUMNS] = {
    [ROW] = {"row", POM_COLUMN_STRING},
    [VARIANCE] = {"explained_variance", POM_COLUMN_DOUBLE},
    [RATIO] = {"explained_variance_ratio", POM_COLUMN_DOUBLE},
    [ROWS] = {"rows", POM_COLUMN_INT64},
    [SCALED] = {"scaled", POM_COLUMN_INT64},
    [CENTERED] = {"centered", POM_COLUMN_INT64},
    [RESIDUAL] = {"residual", POM_COLUMN_DOUBLE},
    [VALUES] = {"values", POM_COLUMN_DOUBLE_LIST},
};

enum { NAME_SIZE = 32 };

/* "mean", "std", "component_0", "component_1", ... */
static void row_name(size_t i, char name[NAME_SIZE]) {
    if (i < 2)
        snprintf(name, NAME_SIZE, "%s", i == 0 ? "mean" : "std");
    else
        snprintf(name, NAME_SIZE, "component_%zu", i - 2);
}

static const double *row_values(const struct pom_projection *p, size_t i) {
    return i == 0 ? p->mean : i == 1 ? p->std : p->components + (i - 2) * p->d;
}

static enum pom_status write_rows(
    struct pom_table_writer *writer, const struct pom_projection *p, struct pom_message *msg) {
    struct pom_cell cells[N_COLUMNS];
    char name[NAME_SIZE];
    cells[ROWS].integer = (int64_t)p->rows;
    cells[SCALED].integer = p->scaled;
    cells[CENTERED].integer = p->centered;
    cells[RESIDUAL].number = p->residual;
    for (size_t i = 0; i < p->k + 2; i++) {
        row_name(i, name);
        cells[ROW].text.data = name;
        cells[ROW].text.size = strlen(name);
        cells[VARIANCE].number = i < 2 ? 0 : p->variance[i - 2];
        cells[RATIO].number = i < 2 ? 0 : p->ratio[i - 2];
        cells[VALUES].doubles.data = row_values(p, i);
        cells[VALUES].doubles.size = p->d;
        POM_TRY(pom_table_write(writer, cells, msg));
    }
    return POM_OK;
}

enum pom_status pom_projection_table_write(const char *path, enum pom_format format,
    const struct pom_projection *projection, const struct pom_metadata *metadata, int n_metadata,
    struct pom_message *msg) {
    struct pom_table_writer *writer;
    POM_TRY(pom_table_create(path, format, columns, N_COLUMNS, &writer, msg));
    enum pom_status status = write_rows(writer, projection, msg);
    if (status == POM_OK)
        return pom_table_finish(writer, metadata, n_metadata, msg);
    pom_table_abandon(writer);
    return status;
}

/* A projection that grows row by row. */
struct growing {
    struct pom_projection *p;
    size_t variances, ratios, components; /* capacities, in elements */
};

static bool append(double **data, size_t *capacity, size_t at, const double *values, size_t n) {
    void *grown = *data;
    size_t need;
    if (__builtin_add_overflow(at, n, &need) || !pom_grow(&grown, capacity, need, sizeof **data))
        return false;
    *data = grown;
    memcpy(*data + at, values, n * sizeof **data);
    return true;
}

static bool all_finite(const double *values, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!isfinite(values[i]))
            return false;
    return true;
}

static enum pom_status take_first(struct pom_projection *p, const struct pom_cell *cells, struct pom_message *msg) {
    p->d = cells[VALUES].doubles.size;
    p->rows = (uint64_t)cells[ROWS].integer;
    p->scaled = cells[SCALED].integer != 0;
    p->centered = cells[CENTERED].integer != 0;
    p->residual = cells[RESIDUAL].number;
    p->mean = pom_calloc(p->d, sizeof(double));
    p->std = pom_calloc(p->d, sizeof(double));
    if (!p->mean || !p->std)
        return pom_fail_memory(msg, "the projection");
    if (p->d == 0 || cells[ROWS].integer < 2)
        return pom_fail(msg, POM_ERR_FORMAT, "not a projection: fitted on %lld rows of %zu values",
            (long long)cells[ROWS].integer, p->d);
    return POM_OK;
}

static enum pom_status take_component(struct growing *to, const struct pom_cell *cells, struct pom_message *msg) {
    struct pom_projection *p = to->p;
    bool kept = append(&p->variance, &to->variances, p->k, &cells[VARIANCE].number, 1) &&
                append(&p->ratio, &to->ratios, p->k, &cells[RATIO].number, 1) &&
                append(&p->components, &to->components, p->k * p->d, cells[VALUES].doubles.data, p->d);
    if (!kept)
        return pom_fail_memory(msg, "the projection");
    p->k++;
    return POM_OK;
}

static enum pom_status take_row(struct growing *to, size_t i, const struct pom_cell *cells, struct pom_message *msg) {
    struct pom_projection *p = to->p;
    const double *values = cells[VALUES].doubles.data;
    char name[NAME_SIZE];
    row_name(i, name);
    if (cells[ROW].text.size != strlen(name) || memcmp(cells[ROW].text.data, name, strlen(name)) != 0)
        return pom_fail(msg, POM_ERR_FORMAT, "not a projection: row %zu is not \"%s\"", i, name);
    if (i == 0)
        POM_TRY(take_first(p, cells, msg));
    if (cells[VALUES].doubles.size != p->d || !all_finite(values, p->d))
        return pom_fail(msg, POM_ERR_FORMAT, "not a projection: \"%s\" needs %zu finite values", name, p->d);
    if (i >= 2)
        return take_component(to, cells, msg);
    memcpy(i == 0 ? p->mean : p->std, values, p->d * sizeof *values);
    return POM_OK;
}

static enum pom_status read_rows(struct pom_table_reader *reader, struct growing *to, struct pom_message *msg) {
    struct pom_cell cells[N_COLUMNS];
    for (size_t i = 0;; i++) {
        bool done = false;
        POM_TRY(pom_table_read(reader, cells, &done, msg));
        if (done && i < 2)
            return pom_fail(msg, POM_ERR_FORMAT, "not a projection: its rows \"mean\" and \"std\" are missing");
        if (done)
            return POM_OK;
        POM_TRY(take_row(to, i, cells, msg));
    }
}

enum pom_status pom_projection_table_read(
    const char *path, struct pom_projection **out, char model[POM_SHA256_HEX], struct pom_message *msg) {
    struct pom_table_reader *reader;
    POM_TRY(pom_table_open(path, columns, N_COLUMNS, &reader, msg));
    const char *made = pom_table_metadata(reader, POM_MODEL_HASH_KEY);
    if (model)
        snprintf(model, POM_SHA256_HEX, "%s", made ? made : "");
    struct growing to = {.p = pom_calloc(1, sizeof *to.p)};
    enum pom_status status = to.p ? read_rows(reader, &to, msg) : pom_fail_memory(msg, "the projection");
    pom_table_close(reader);
    if (status != POM_OK) {
        pom_projection_free(to.p);
        return pom_fail_in(msg, status, "%s", path);
    }
    *out = to.p;
    return POM_OK;
}
