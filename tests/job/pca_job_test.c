/* The PCA job and the projection table: through every format and back to the bit, and nothing left of a failure. */
#include "job/pca_job.h"

#include "base/file.h"
#include "job/projection_table.h"

#include "cmocka_include.h"
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 300, D = 24, K = 5 };

static char folder[] = "/tmp/pomona-pca-XXXXXX";

static float value(size_t i, size_t j) {
    return (float)(sin((double)(i * 7 + j * j)) + 0.1 * (double)(i % (j + 2)));
}

static char *in_folder(const char *name) {
    char *path = pom_path_join(folder, name);
    assert_non_null(path);
    return path;
}

/* A table of n rows; the value at `hole` (counted over all) is not a number. */
static char *make_table(const char *name, size_t n, size_t hole) {
    const struct pom_column columns[] = {
        {"path", POM_COLUMN_STRING}, {"label", POM_COLUMN_STRING}, {"features", POM_COLUMN_FLOAT_LIST}};
    struct pom_table_writer *writer;
    char *path = in_folder(name), text[32];
    float features[D];
    assert_int_equal(pom_table_create(path, POM_FORMAT_PARQUET, columns, 3, &writer, NULL), POM_OK);
    for (size_t i = 0; i < n; i++) {
        struct pom_cell cells[3];
        cells[0].text.data = text;
        cells[0].text.size = (size_t)snprintf(text, sizeof text, "row %zu", i);
        cells[1].text.data = "kind";
        cells[1].text.size = i % 5; /* "" to "kind" */
        cells[2].floats.data = features;
        cells[2].floats.size = D;
        for (size_t j = 0; j < D; j++)
            features[j] = i * D + j == hole ? NAN : value(i, j);
        assert_int_equal(pom_table_write(writer, cells, NULL), POM_OK);
    }
    assert_int_equal(pom_table_finish(writer, NULL, 0, NULL), POM_OK);
    return path;
}

static void assert_projected(const char *path, const struct pom_projection *p) {
    const struct pom_column columns[] = {
        {"path", POM_COLUMN_STRING}, {"label", POM_COLUMN_STRING}, {"pca_features", POM_COLUMN_FLOAT_LIST}};
    struct pom_table_reader *reader;
    assert_int_equal(pom_table_open(path, columns, 3, &reader, NULL), POM_OK);
    size_t i = 0;
    for (bool done = false;; i++) {
        struct pom_cell cells[3];
        float row[D], expected[K];
        char text[32];
        assert_int_equal(pom_table_read(reader, cells, &done, NULL), POM_OK);
        if (done)
            break;
        for (size_t j = 0; j < D; j++)
            row[j] = value(i, j);
        assert_int_equal(pom_projection_apply(p, row, 1, expected, NULL), POM_OK);
        assert_int_equal(cells[0].text.size, snprintf(text, sizeof text, "row %zu", i));
        assert_memory_equal(cells[0].text.data, text, cells[0].text.size);
        assert_int_equal(cells[1].text.size, i % 5);
        assert_int_equal(cells[2].floats.size, K);
        for (size_t c = 0; c < K; c++)
            assert_true(fabsf(cells[2].floats.data[c] - expected[c]) < 1e-5F);
    }
    assert_int_equal(i, ROWS);
    pom_table_close(reader);
}

static void assert_same_projection(const struct pom_projection *a, const struct pom_projection *b) {
    assert_int_equal(a->d, b->d);
    assert_int_equal(a->k, b->k);
    assert_int_equal(a->rows, b->rows);
    assert_int_equal(a->scaled, b->scaled);
    assert_int_equal(a->centered, b->centered);
    assert_memory_equal(a->mean, b->mean, a->d * sizeof(double));
    assert_memory_equal(a->std, b->std, a->d * sizeof(double));
    assert_memory_equal(a->components, b->components, a->k * a->d * sizeof(double));
    assert_memory_equal(a->variance, b->variance, a->k * sizeof(double));
    assert_memory_equal(a->ratio, b->ratio, a->k * sizeof(double));
}

/* Runs the job and reads its projection. */
static struct pom_projection *run(struct pom_pca_job_options options, struct pom_pca_job_result *result) {
    struct pom_projection *p;
    struct pom_message msg = {0};
    options.folder = folder;
    if (pom_pca_job_run(&options, result, &msg) != POM_OK)
        fail_msg("%s", msg.text);
    char *path = in_folder(result->files[0]);
    assert_int_equal(pom_projection_table_read(path, &p, NULL, NULL), POM_OK);
    free(path);
    return p;
}

static void every_format_holds_the_projection_to_the_bit(void **state) {
    (void)state;
    char *table = make_table("features.parquet", ROWS, SIZE_MAX);
    struct pom_pca_job_options options = {.table = table, .pca = {.k = K}, .keep_scaled = true};
    struct pom_pca_job_result result;
    struct pom_projection *fitted = run(options, &result);
    assert_int_equal(result.rows, ROWS);
    assert_int_equal(result.d, D);
    assert_int_equal(result.k, K);
    assert_true(result.explained > 0.1 && result.explained < 1);
    assert_int_equal(result.n_files, 3);
    assert_string_equal(result.files[0], "projection.parquet");
    assert_string_equal(result.files[1], "pca.parquet");
    assert_string_equal(result.files[2], "scaled.parquet");
    static const enum pom_format formats[] = {POM_FORMAT_PARQUET, POM_FORMAT_JSON, POM_FORMAT_CSV};
    for (size_t i = 0; i < 3; i++) {
        options.format = formats[i];
        options.projection = NULL;
        struct pom_projection *again = run(options, &result);
        assert_same_projection(again, fitted);
        pom_projection_free(again);
        char *stored = in_folder(result.files[0]), *projected = in_folder(result.files[1]);
        assert_projected(projected, fitted);
        options.projection = stored;
        options.format = POM_FORMAT_PARQUET;
        again = run(options, &result);
        assert_same_projection(again, fitted);
        pom_projection_free(again);
        free(stored);
        free(projected);
    }
    pom_projection_free(fitted);
    free(table);
}

static void the_scaler_alone_writes_no_pca(void **state) {
    (void)state;
    char *table = make_table("features.parquet", ROWS, SIZE_MAX);
    struct pom_pca_job_result result;
    struct pom_projection *p = run((struct pom_pca_job_options){.table = table, .keep_scaled = true}, &result);
    assert_int_equal(p->k, 0);
    assert_int_equal(result.n_files, 2);
    assert_string_equal(result.files[1], "scaled.parquet");
    pom_projection_free(p);
    free(table);
}

static size_t count_files(void) {
    size_t n = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    while (readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static void a_failure_leaves_nothing(void **state) {
    (void)state;
    char *good = make_table("features.parquet", ROWS, SIZE_MAX), *bad = make_table("bad.parquet", ROWS, 777);
    char *one = make_table("one.parquet", 1, SIZE_MAX), *none = make_table("none.parquet", 0, SIZE_MAX);
    size_t before = count_files();
    const struct {
        const char *table, *column, *projection, *says;
    } cases[] = {
        {bad, NULL, NULL, "row 32, column 9"},
        {one, NULL, NULL, "at least two rows"},
        {none, NULL, NULL, "has no rows"},
        {good, "colour", NULL, "colour"},
        {good, NULL, good, "row"},
        {"/nowhere.parquet", NULL, NULL, "/nowhere.parquet"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pom_pca_job_result result;
        struct pom_message msg = {0};
        const struct pom_pca_job_options options = {.table = cases[i].table,
            .column = cases[i].column,
            .projection = cases[i].projection,
            .pca = {.k = 2},
            .folder = folder};
        assert_int_not_equal(pom_pca_job_run(&options, &result, &msg), POM_OK);
        if (!strstr(msg.text, cases[i].says))
            fail_msg("\"%s\" does not say \"%s\"", msg.text, cases[i].says);
        assert_int_equal(count_files(), before);
    }
    free(good);
    free(bad);
    free(one);
    free(none);
}

/* Before the fit, and before the rows of a stored projection are written. */
static void a_cancelled_job_leaves_nothing(void **state) {
    (void)state;
    char *table = make_table("features.parquet", ROWS, SIZE_MAX), *stored = in_folder("stored.parquet");
    struct pom_pca_job_result result;
    struct pom_projection *fitted = run((struct pom_pca_job_options){.table = table, .pca = {.k = K}}, &result);
    assert_int_equal(pom_projection_table_write(stored, POM_FORMAT_PARQUET, fitted, NULL, 0, NULL), POM_OK);
    pom_projection_free(fitted);
    for (int i = 0; i < result.n_files; i++) {
        char *path = in_folder(result.files[i]);
        assert_int_equal(unlink(path), 0);
        free(path);
    }
    const atomic_bool cancel = true;
    const char *const projections[] = {NULL, stored};
    size_t before = count_files();
    for (size_t i = 0; i < 2; i++) {
        struct pom_message msg = {0};
        const struct pom_pca_job_options options = {
            .table = table, .projection = projections[i], .pca = {.k = K}, .folder = folder, .cancel = &cancel};
        assert_int_equal(pom_pca_job_run(&options, &result, &msg), POM_ERR_CANCELLED);
        assert_non_null(strstr(msg.text, "same command starts over"));
        assert_int_equal(count_files(), before);
    }
    free(table);
    free(stored);
}

static int empty_folder(void **state) {
    (void)state;
    DIR *dir = opendir(folder);
    struct dirent *entry;
    while (dir && (entry = readdir(dir)) != NULL) {
        char *path = in_folder(entry->d_name);
        if (entry->d_name[0] != '.')
            unlink(path);
        free(path);
    }
    if (dir)
        closedir(dir);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(every_format_holds_the_projection_to_the_bit, empty_folder),
        cmocka_unit_test_teardown(the_scaler_alone_writes_no_pca, empty_folder),
        cmocka_unit_test_teardown(a_failure_leaves_nothing, empty_folder),
        cmocka_unit_test_teardown(a_cancelled_job_leaves_nothing, empty_folder),
    };
    if (!mkdtemp(folder))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failed;
}
