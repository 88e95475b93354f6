/* Each allocation in turn fails, once: the Parquet writer and reader then end in an error, or their result is whole.
 * Interposes glibc's malloc, as the sanitizers do: it is not built with them. */
#include "cmocka_include.h"

#include "base/file.h"
#include "table/table.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static long countdown = -1; /* allocations until the one that fails; negative: none does */

void *__libc_malloc(size_t size);             /* NOLINT: glibc's names */
void *__libc_calloc(size_t n, size_t size);   /* NOLINT */
void *__libc_realloc(void *old, size_t size); /* NOLINT */

static bool fails(void) {
    return countdown >= 0 && countdown-- == 0;
}

void *malloc(size_t size) {
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size) {
    return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size) {
    return fails() ? NULL : __libc_realloc(old, size);
}

enum { ROWS = 40, WIDTH = 30 };

static const struct pom_column columns[] = {
    {"path", POM_COLUMN_STRING}, {"features", POM_COLUMN_FLOAT_LIST}, {"vector", POM_COLUMN_SPARK_VECTOR}};
static float values[ROWS * WIDTH];
static char path[64];

static enum pom_status write_table(void) {
    const struct pom_metadata metadata = {"key", "value"};
    struct pom_table_writer *writer;
    POM_TRY(pom_table_create(path, POM_FORMAT_PARQUET, columns, 3, &writer, NULL));
    for (int i = 0; i < ROWS; i++) {
        const struct pom_cell cells[] = {
            {.text = {"a path", 6}}, {.floats = {values + i * WIDTH, WIDTH}}, {.floats = {values + i * WIDTH, WIDTH}}};
        enum pom_status status = pom_table_write(writer, cells, NULL);
        if (status != POM_OK) {
            pom_table_abandon(writer);
            return status;
        }
    }
    return pom_table_finish(writer, &metadata, 1, NULL);
}

/* *equal: whether all rows came, with their values. */
static enum pom_status read_table(bool *equal) {
    struct pom_table_reader *reader;
    struct pom_cell cells[3];
    bool done = false;
    int row = 0;
    POM_TRY(pom_table_open(path, columns, 3, &reader, NULL));
    enum pom_status status = pom_table_read(reader, cells, &done, NULL);
    for (*equal = true; status == POM_OK && !done && row < ROWS; row++) {
        const float *expected = values + row * WIDTH;
        *equal = *equal && cells[1].floats.size == WIDTH && cells[2].floats.size == WIDTH &&
                 memcmp(cells[1].floats.data, expected, WIDTH * sizeof(float)) == 0 &&
                 memcmp(cells[2].floats.data, expected, WIDTH * sizeof(float)) == 0;
        status = pom_table_read(reader, cells, &done, NULL);
    }
    *equal = *equal && done && row == ROWS;
    pom_table_close(reader);
    return status;
}

static int begin(void **state) {
    (void)state;
    snprintf(path, sizeof path, "/tmp/pomona-memory-%ld.parquet", (long)getpid());
    for (int i = 0; i < ROWS * WIDTH; i++)
        values[i] = (float)i / 7;
    return 0;
}

static int end(void **state) {
    (void)state;
    unlink(path);
    return 0;
}

static void test_writing(void **state) {
    struct pom_buffer whole = {0}, other = {0};
    (void)state;
    assert_int_equal(write_table(), POM_OK);
    assert_int_equal(pom_file_read(path, 1 << 20, &whole, NULL), POM_OK);
    int refused = 0;
    for (long at = 0, left = -1; left < 0; at++) {
        countdown = at;
        enum pom_status status = write_table();
        left = countdown;
        countdown = -1;
        refused += status != POM_OK;
        if (status != POM_OK)
            continue;
        assert_int_equal(pom_file_read(path, 1 << 20, &other, NULL), POM_OK);
        assert_int_equal(other.size, whole.size);
        assert_memory_equal(other.data, whole.data, whole.size);
    }
    assert_true(refused > 100);
    pom_buffer_clean_up(&whole);
    pom_buffer_clean_up(&other);
}

static void test_reading(void **state) {
    (void)state;
    assert_int_equal(write_table(), POM_OK);
    int refused = 0;
    for (long at = 0, left = -1; left < 0; at++) {
        bool equal = false;
        countdown = at;
        enum pom_status status = read_table(&equal);
        left = countdown;
        countdown = -1;
        refused += status != POM_OK;
        assert_true(status != POM_OK || equal);
    }
    assert_true(refused > 30);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_writing), cmocka_unit_test(test_reading)};
    return cmocka_run_group_tests(tests, begin, end);
}
