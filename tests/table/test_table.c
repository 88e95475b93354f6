/* What is written is read back, in every format; and what cannot be written or read says so. */
#include "cmocka_include.h"

#include "base/file.h"
#include "table/table.h"
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const suffixes[] = {"parquet", "json", "csv"};
enum { N_FORMATS = 3, N_COLUMNS = 6 };

static const struct pom_column columns[N_COLUMNS] = {{"path", POM_COLUMN_STRING}, {"count", POM_COLUMN_INT64},
    {"mean", POM_COLUMN_DOUBLE}, {"features", POM_COLUMN_FLOAT_LIST}, {"components, \"all\"", POM_COLUMN_DOUBLE_LIST},
    {"vector", POM_COLUMN_SPARK_VECTOR}};

static const char *const texts[] = {"a", "", "fruits/\xC3\x84pfel \xF0\x9F\x8D\x8E.jpg", "new\nline\r\nand\ttab",
    "\"quoted\", \\back\\", "\x01\x1F", " "};
enum { N_TEXTS = sizeof texts / sizeof *texts };

static char folder[] = "/tmp/pomona-table-XXXXXX";
static char path[256];
static struct pom_message msg;

static const char *path_of(const char *name, const char *suffix) {
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, suffix);
    return path;
}

static int make_folder(void **state) {
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state) {
    char command[300];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command); /* NOLINT(cert-env33-c): a folder of our own */
}

/* Row i of the test table; the lists' lengths vary, 0 among them. */
static void make_row(int i, float *floats, double *doubles, struct pom_cell *cells) {
    size_t n = (size_t)(i % 7) * 3;
    for (size_t k = 0; k < n; k++) {
        floats[k] = (float)sin(i * 0.7 + (double)k) * powf(10, (float)(i % 9) - 4);
        doubles[k] = cos(i + (double)k) / 3;
    }
    const char *text = texts[i % N_TEXTS];
    cells[0].text.data = text;
    cells[0].text.size = strlen(text);
    cells[1].integer = i % 3 == 0 ? INT64_MIN + i : INT64_MAX - i;
    cells[2].number = -1.0 / (i + 1);
    cells[3].floats.data = cells[5].floats.data = floats;
    cells[3].floats.size = cells[5].floats.size = n;
    cells[4].doubles.data = doubles;
    cells[4].doubles.size = n;
}

static void write_table(const char *name, const char *suffix, int rows) {
    struct pom_table_writer *writer;
    enum pom_format format;
    assert_int_equal(pom_format_parse(suffix, &format, &msg), POM_OK);
    assert_int_equal(pom_table_create(path_of(name, suffix), format, columns, N_COLUMNS, &writer, &msg), POM_OK);
    for (int i = 0; i < rows; i++) {
        float floats[32];
        double doubles[32];
        struct pom_cell cells[N_COLUMNS];
        make_row(i, floats, doubles, cells);
        assert_int_equal(pom_table_write(writer, cells, &msg), POM_OK);
    }
    const struct pom_metadata metadata[] = {{"pomona.model", "m"}, {"note", "\xC3\xA4 \"x\""}};
    assert_int_equal(pom_table_finish(writer, metadata, 2, &msg), POM_OK);
}

static void expect_row(int i, const struct pom_cell *cells) {
    float floats[32];
    double doubles[32];
    struct pom_cell expected[N_COLUMNS];
    make_row(i, floats, doubles, expected);
    assert_int_equal(cells[0].text.size, expected[0].text.size);
    assert_memory_equal(cells[0].text.data, expected[0].text.data, expected[0].text.size);
    assert_true(cells[1].integer == expected[1].integer);
    assert_true(cells[2].number == expected[2].number);
    size_t n = expected[3].floats.size;
    assert_int_equal(cells[3].floats.size, n);
    assert_int_equal(cells[4].doubles.size, n);
    assert_int_equal(cells[5].floats.size, n);
    for (size_t k = 0; k < n; k++) {
        assert_true(cells[3].floats.data[k] == floats[k] && cells[5].floats.data[k] == floats[k]);
        assert_true(cells[4].doubles.data[k] == doubles[k]);
    }
}

static void expect_rows(struct pom_table_reader *reader, int rows) {
    struct pom_cell cells[N_COLUMNS];
    bool done = false;
    for (int i = 0; i < rows; i++) {
        assert_int_equal(pom_table_read(reader, cells, &done, &msg), POM_OK);
        assert_false(done);
        expect_row(i, cells);
    }
    for (int again = 0; again < 2; again++) {
        assert_int_equal(pom_table_read(reader, cells, &done, &msg), POM_OK);
        assert_true(done);
    }
}

static void test_round_trips(void **state) {
    static const int sizes[] = {0, 1, 7, 5000};
    (void)state;
    for (int f = 0; f < N_FORMATS; f++) {
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            struct pom_table_reader *reader;
            write_table("round", suffixes[f], sizes[s]);
            assert_int_equal(pom_table_open(path, columns, N_COLUMNS, &reader, &msg), POM_OK);
            expect_rows(reader, sizes[s]);
            assert_int_equal(pom_table_rewind(reader, &msg), POM_OK);
            expect_rows(reader, sizes[s]);
            const char *note = pom_table_metadata(reader, "note");
            if (f == POM_FORMAT_PARQUET)
                assert_string_equal(note, "\xC3\xA4 \"x\"");
            else
                assert_null(note);
            assert_null(pom_table_metadata(reader, "absent"));
            pom_table_close(reader);
        }
    }
}

/* Opens a table for one column, reads its first row, and gives the status of whichever failed. */
static enum pom_status read_one(const char *name, const char *suffix, const char *column, enum pom_column_type type) {
    const struct pom_column wanted = {column, type};
    struct pom_table_reader *reader;
    struct pom_cell cell;
    bool done;
    msg.text[0] = '\0';
    enum pom_status status = pom_table_open(path_of(name, suffix), &wanted, 1, &reader, &msg);
    if (status == POM_OK)
        status = pom_table_read(reader, &cell, &done, &msg);
    pom_table_close(reader);
    return status;
}

static void test_columns_by_name_and_type(void **state) {
    (void)state;
    for (int f = 0; f < N_FORMATS; f++) {
        write_table("typed", suffixes[f], 3);
        assert_int_equal(read_one("typed", suffixes[f], "features", POM_COLUMN_DOUBLE_LIST), POM_OK);
        assert_int_equal(read_one("typed", suffixes[f], "vector", POM_COLUMN_DOUBLE_LIST), POM_OK);
        assert_int_equal(read_one("typed", suffixes[f], "components, \"all\"", POM_COLUMN_FLOAT_LIST), POM_OK);
        assert_int_not_equal(read_one("typed", suffixes[f], "path", POM_COLUMN_FLOAT_LIST), POM_OK);
        assert_non_null(strstr(msg.text, "typed."));
        assert_non_null(strstr(msg.text, "\"path\""));
        assert_int_not_equal(read_one("typed", suffixes[f], "absent", POM_COLUMN_INT64), POM_OK);
        assert_non_null(strstr(msg.text, "\"absent\""));
    }
    assert_int_equal(read_one("typed", "parquet", "absent", POM_COLUMN_INT64), POM_ERR_NOT_FOUND);
    assert_int_equal(read_one("typed", "parquet", "vector", POM_COLUMN_STRING), POM_ERR_UNSUPPORTED);
    assert_int_equal(read_one("none", "parquet", "path", POM_COLUMN_STRING), POM_ERR_NOT_FOUND);
    assert_int_equal(read_one("none", "tsv", "path", POM_COLUMN_STRING), POM_ERR_ARGUMENT);
}

/* Lists that fill several row groups, and a long one that outgrows the reader's first window. */
static void test_row_groups(void **state) {
    enum { ROWS = 50, WIDTH = 200000 };
    static float values[WIDTH];
    const struct pom_column column = {"features", POM_COLUMN_FLOAT_LIST};
    struct pom_table_writer *writer;
    struct pom_table_reader *reader;
    struct pom_cell cell;
    bool done;
    (void)state;
    assert_int_equal(
        pom_table_create(path_of("wide", "parquet"), POM_FORMAT_PARQUET, &column, 1, &writer, &msg), POM_OK);
    for (int i = 0; i < ROWS; i++) {
        for (int k = 0; k < WIDTH; k++)
            values[k] = (float)(i * WIDTH + k);
        cell.floats.data = values;
        cell.floats.size = (size_t)WIDTH - (size_t)i;
        assert_int_equal(pom_table_write(writer, &cell, &msg), POM_OK);
    }
    assert_int_equal(pom_table_finish(writer, NULL, 0, &msg), POM_OK);
    assert_int_equal(pom_table_open(path, &column, 1, &reader, &msg), POM_OK);
    for (int i = 0; i < ROWS; i++) {
        assert_int_equal(pom_table_read(reader, &cell, &done, &msg), POM_OK);
        assert_int_equal(cell.floats.size, WIDTH - i);
        for (int k = 0; k < WIDTH - i; k += 997)
            assert_true(cell.floats.data[k] == (float)(i * WIDTH + k));
    }
    assert_int_equal(pom_table_read(reader, &cell, &done, &msg), POM_OK);
    assert_true(done);
    pom_table_close(reader);
}

static void test_text_that_is_not_utf8(void **state) {
    const struct pom_column column = {"path", POM_COLUMN_STRING};
    (void)state;
    for (int f = 0; f < N_FORMATS; f++) {
        struct pom_table_writer *writer;
        struct pom_table_reader *reader;
        struct pom_cell cell = {.text = {"caf\xE9.jpg", 8}};
        bool done;
        assert_int_equal(
            pom_table_create(path_of("bytes", suffixes[f]), (enum pom_format)f, &column, 1, &writer, &msg), POM_OK);
        assert_int_equal(pom_table_write(writer, &cell, &msg), POM_OK);
        assert_int_equal(pom_table_finish(writer, NULL, 0, &msg), POM_OK);
        assert_int_equal(pom_table_open(path, &column, 1, &reader, &msg), POM_OK);
        assert_int_equal(pom_table_read(reader, &cell, &done, &msg), POM_OK);
        assert_int_equal(cell.text.size, 10);
        assert_memory_equal(cell.text.data, "caf\xEF\xBF\xBD.jpg", 10);
        pom_table_close(reader);
    }
}

static void test_nan_is_for_parquet_alone(void **state) {
    const struct pom_column column = {"features", POM_COLUMN_FLOAT_LIST};
    const float values[] = {1, NAN, -INFINITY};
    const struct pom_cell cell = {.floats = {values, 3}};
    (void)state;
    for (int f = 0; f < N_FORMATS; f++) {
        struct pom_table_writer *writer;
        assert_int_equal(
            pom_table_create(path_of("nan", suffixes[f]), (enum pom_format)f, &column, 1, &writer, &msg), POM_OK);
        enum pom_status status = pom_table_write(writer, &cell, &msg);
        assert_int_equal(status, f == POM_FORMAT_PARQUET ? POM_OK : POM_ERR_FORMAT);
        if (status != POM_OK)
            assert_non_null(strstr(msg.text, "row 1"));
        pom_table_abandon(writer);
        assert_false(pom_file_exists(path));
    }
}

/* A limit on the size of files stands in for a full disk. */
static void test_a_full_disk(void **state) {
    struct rlimit before, small;
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){20000, before.rlim_max};
    for (int f = 0; f < N_FORMATS; f++) {
        struct pom_table_writer *writer;
        float floats[32];
        double doubles[32];
        struct pom_cell cells[N_COLUMNS];
        enum pom_status status = POM_OK;
        setrlimit(RLIMIT_FSIZE, &small);
        assert_int_equal(
            pom_table_create(path_of("full", suffixes[f]), (enum pom_format)f, columns, N_COLUMNS, &writer, &msg),
            POM_OK);
        for (int i = 0; i < 2000 && status == POM_OK; i++) {
            make_row(i, floats, doubles, cells);
            status = pom_table_write(writer, cells, &msg);
        }
        if (status == POM_OK)
            status = pom_table_finish(writer, NULL, 0, &msg);
        else
            pom_table_abandon(writer);
        setrlimit(RLIMIT_FSIZE, &before);
        assert_int_equal(status, POM_ERR_IO);
        assert_non_null(strstr(msg.text, "File too large"));
        assert_false(pom_file_exists(path));
    }
}

static void test_what_cannot_be_created(void **state) {
    struct pom_table_writer *writer;
    (void)state;
    snprintf(path, sizeof path, "%s/no/such/folder.parquet", folder);
    assert_int_equal(pom_table_create(path, POM_FORMAT_PARQUET, columns, 1, &writer, &msg), POM_ERR_NOT_FOUND);
    assert_null(writer);
    assert_int_equal(pom_table_create(folder, POM_FORMAT_CSV, columns, 1, &writer, &msg), POM_ERR_IO);
    assert_int_equal(pom_table_create(path, POM_FORMAT_JSON, columns, 0, &writer, &msg), POM_ERR_ARGUMENT);
}

static void write_bytes(const char *name, const char *suffix, const void *data, size_t n) {
    assert_int_equal(pom_file_write(path_of(name, suffix), data, n, &msg), POM_OK);
}

static void test_truncated_parquet(void **state) {
    struct stat whole;
    (void)state;
    write_table("cut", "parquet", 20);
    assert_int_equal(stat(path, &whole), 0);
    for (off_t n = whole.st_size - 1; n >= 0; n--) {
        assert_int_equal(truncate(path_of("cut", "parquet"), n), 0);
        assert_int_equal(read_one("cut", "parquet", "features", POM_COLUMN_FLOAT_LIST), POM_ERR_FORMAT);
        assert_non_null(strstr(msg.text, "cut.parquet"));
    }
}

/* Any bit may be wrong: the reader ends, with an error or with rows, and a sanitizer has nothing to say. */
static void test_flipped_bits(void **state) {
    struct pom_buffer whole = {0};
    size_t refused = 0;
    (void)state;
    write_table("flip", "parquet", 3);
    assert_int_equal(pom_file_read(path, 1 << 20, &whole, &msg), POM_OK);
    for (size_t i = 0; i < whole.size; i++) {
        char flipped = (char)(whole.data[i] ^ (1 << i % 8));
        int fd = open(path_of("flip", "parquet"), O_WRONLY);
        assert_int_equal(pwrite(fd, &flipped, 1, (off_t)i), 1);
        refused += read_one("flip", "parquet", "vector", POM_COLUMN_FLOAT_LIST) != POM_OK;
        assert_int_equal(pwrite(fd, whole.data + i, 1, (off_t)i), 1);
        close(fd);
    }
    assert_true(refused > whole.size / 20);
    assert_int_equal(read_one("flip", "parquet", "vector", POM_COLUMN_FLOAT_LIST), POM_OK);
    pom_buffer_clean_up(&whole);
}

static void test_bad_text_files(void **state) {
    static const struct {
        const char *suffix, *text, *message;
    } cases[] = {{"json", "[1]\n", "row 1: not a JSON object"},
        {"json", "{\"features\":[1]", "row 1: not a JSON object"},
        {"json", "{\"features\":[1,null]}", "row 1: column \"features\" is not a list"},
        {"json", "{\"features\":[1e300]}", "row 1: column \"features\" is not a list"},
        {"json", "{\"other\":1}", "row 1: column \"features\" is null"},
        {"csv", "features\n\"[1", "row 1: a quoted field does not end"},
        {"csv", "features,b\n[1]\n", "row 1: 1 fields where the header has 2"},
        {"csv", "features\n\"\"\n", "row 1: column \"features\" is null"},
        {"csv", "features\nx\n", "row 1: column \"features\": "}, {"csv", "", "it has no column \"features\""}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_bytes("bad", cases[i].suffix, cases[i].text, strlen(cases[i].text));
        assert_int_not_equal(read_one("bad", cases[i].suffix, "features", POM_COLUMN_FLOAT_LIST), POM_OK);
        assert_non_null(strstr(msg.text, cases[i].message));
    }
}

static void test_foreign_csv(void **state) {
    const char text[] = "\xEF\xBB\xBFpath,note,count\r\n\"a \"\"b\"\"\r\nc\",x,-7\r\n\r\nplain,\"\",8";
    const struct pom_column wanted[] = {{"count", POM_COLUMN_INT64}, {"path", POM_COLUMN_STRING}};
    struct pom_table_reader *reader;
    struct pom_cell cells[2];
    bool done;
    (void)state;
    write_bytes("foreign", "csv", text, sizeof text - 1);
    assert_int_equal(pom_table_open(path, wanted, 2, &reader, &msg), POM_OK);
    assert_int_equal(pom_table_read(reader, cells, &done, &msg), POM_OK);
    assert_int_equal(cells[0].integer, -7);
    assert_string_equal(cells[1].text.data, "a \"b\"\r\nc");
    assert_int_equal(pom_table_read(reader, cells, &done, &msg), POM_OK);
    assert_int_equal(cells[0].integer, 8);
    assert_int_equal(pom_table_read(reader, cells, &done, &msg), POM_OK);
    assert_true(done);
    pom_table_close(reader);
}

static void test_folders_of_parts(void **state) {
    char parts[300], part[400];
    struct pom_table_reader *reader;
    (void)state;
    snprintf(parts, sizeof parts, "%s/parts.parquet", folder);
    assert_int_equal(mkdir(parts, 0777), 0);
    assert_int_equal(pom_table_open(parts, columns, N_COLUMNS, &reader, &msg), POM_ERR_NOT_FOUND);
    snprintf(part, sizeof part, "%s/_SUCCESS", parts);
    assert_int_equal(pom_file_write(part, "", 0, &msg), POM_OK);
    static const char *const names[] = {"part-2.json", "part-0.csv", "part-1.parquet"};
    for (int i = 0; i < 3; i++) {
        write_table("one", strrchr(names[i], '.') + 1, 7);
        snprintf(part, sizeof part, "%s/%s", parts, names[i]);
        assert_int_equal(rename(path, part), 0);
    }
    assert_int_equal(pom_table_open(parts, columns, N_COLUMNS, &reader, &msg), POM_OK);
    struct pom_cell cells[N_COLUMNS];
    bool done = false;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 21; i++) {
            assert_int_equal(pom_table_read(reader, cells, &done, &msg), POM_OK);
            assert_false(done);
            expect_row(i % 7, cells);
        }
        assert_int_equal(pom_table_read(reader, cells, &done, &msg), POM_OK);
        assert_true(done);
        assert_int_equal(pom_table_rewind(reader, &msg), POM_OK);
    }
    pom_table_close(reader);
}

static void test_formats(void **state) {
    enum pom_format format;
    (void)state;
    for (int f = 0; f < N_FORMATS; f++) {
        assert_string_equal(pom_format_name((enum pom_format)f), suffixes[f]);
        assert_int_equal(pom_format_of_path(path_of("x.y", suffixes[f]), &format, &msg), POM_OK);
        assert_int_equal(format, f);
    }
    assert_int_equal(pom_format_parse("xml", &format, &msg), POM_ERR_ARGUMENT);
    assert_int_equal(pom_format_of_path("folder.csv/table", &format, &msg), POM_ERR_ARGUMENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_columns_by_name_and_type), cmocka_unit_test(test_row_groups),
        cmocka_unit_test(test_text_that_is_not_utf8), cmocka_unit_test(test_nan_is_for_parquet_alone),
        cmocka_unit_test(test_a_full_disk), cmocka_unit_test(test_what_cannot_be_created),
        cmocka_unit_test(test_truncated_parquet), cmocka_unit_test(test_flipped_bits),
        cmocka_unit_test(test_bad_text_files), cmocka_unit_test(test_foreign_csv),
        cmocka_unit_test(test_folders_of_parts), cmocka_unit_test(test_formats)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
