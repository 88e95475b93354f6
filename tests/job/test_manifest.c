/* Manifest and spool: what a kill leaves, in every place where it may strike. */
#include "base/file.h"
#include "base/memory.h"
#include "job/manifest.h"
#include "job/spool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char root[64]; /* of the test at hand; the working folder too */

static int enter(void **state) {
    (void)state;
    strcpy(root, "/tmp/pomona-job-XXXXXX");
    return mkdtemp(root) && chdir(root) == 0 ? 0 : -1;
}

static int leave(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%.60s'", root);
    return chdir("/") == 0 ? system(command) : -1; /* NOLINT(cert-env33-c): the tests' own folder */
}

static struct pom_manifest *open_manifest(void) {
    struct pom_manifest *manifest;
    struct pom_message msg = {0};
    if (pom_manifest_open("m.sqlite", &manifest, &msg) != POM_OK)
        fail_msg("%s", msg.text);
    return manifest;
}

static void put(struct pom_manifest *manifest, const char *path, enum pom_place place, int64_t record) {
    const struct pom_manifest_row row = {.path = path,
        .size = 7,
        .version = "v",
        .failed = place == POM_PLACE_NONE ? POM_STAGE_DECODE : POM_STAGE_NONE,
        .cause = place == POM_PLACE_NONE ? "bad" : "",
        .place = place,
        .record = record};
    assert_int_equal(pom_manifest_put(manifest, &row, NULL), POM_OK);
}

/* "path:record path:record ...", failed rows as "path!". */
static void assert_rows(struct pom_manifest *manifest, const char *wanted) {
    struct pom_buffer text = {0};
    struct pom_manifest_cursor *cursor;
    const struct pom_manifest_row *row;
    assert_int_equal(pom_manifest_cursor_new(manifest, &cursor, NULL), POM_OK);
    while (pom_manifest_cursor_next(cursor, &row, NULL) == POM_OK && row) {
        pom_buffer_printf(&text, "%s%s", text.size ? " " : "", row->path);
        if (row->failed)
            pom_buffer_text(&text, "!");
        else
            pom_buffer_printf(&text, ":%lld", (long long)row->record);
    }
    assert_string_equal(text.data ? text.data : "", wanted);
    pom_manifest_cursor_free(cursor);
    pom_buffer_clean_up(&text);
}

static void only_commits_stay(void **state) {
    (void)state;
    struct pom_manifest *manifest = open_manifest();
    put(manifest, "b", POM_PLACE_SPOOL, 0);
    put(manifest, "a", POM_PLACE_NONE, 0);
    put(manifest, "a\n\xff", POM_PLACE_SPOOL, 1);
    assert_int_equal(pom_manifest_commit(manifest, NULL), POM_OK);
    put(manifest, "c", POM_PLACE_SPOOL, 2);
    assert_rows(manifest, "a! a\n\xff:1 b:0 c:2");
    pom_manifest_close(manifest);
    manifest = open_manifest();
    assert_rows(manifest, "a! a\n\xff:1 b:0");
    pom_manifest_close(manifest);
}

static void a_kill_keeps_the_last_commit(void **state) {
    (void)state;
    pid_t child = fork();
    if (child == 0) {
        struct pom_manifest *manifest = open_manifest();
        put(manifest, "a", POM_PLACE_SPOOL, 0);
        if (pom_manifest_commit(manifest, NULL) != POM_OK)
            _exit(1);
        put(manifest, "b", POM_PLACE_SPOOL, 1);
        raise(SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    struct pom_manifest *manifest = open_manifest();
    assert_rows(manifest, "a:0");
    pom_manifest_close(manifest);
}

static void missing_rows_go_with_the_purge(void **state) {
    (void)state;
    struct pom_manifest *manifest = open_manifest();
    put(manifest, "a", POM_PLACE_TABLE, 0);
    put(manifest, "b", POM_PLACE_TABLE, 1);
    put(manifest, "c", POM_PLACE_NONE, 0);
    put(manifest, "d", POM_PLACE_SPOOL, 0);
    assert_int_equal(pom_manifest_miss(manifest, "a", NULL), POM_OK);
    assert_rows(manifest, "a:0 b:1 c! d:0");
    assert_int_equal(pom_manifest_purge(manifest, NULL), POM_OK);
    assert_rows(manifest, "b:1 c! d:0");
    assert_int_equal(pom_manifest_settle(manifest, NULL), POM_OK);
    assert_rows(manifest, "b:0 c! d:1");
    struct pom_manifest_counts counts;
    assert_int_equal(pom_manifest_count(manifest, &counts, NULL), POM_OK);
    assert_int_equal(counts.rows, 2);
    assert_int_equal(counts.errors, 1);
    assert_int_equal(counts.records, 0);
    pom_manifest_close(manifest);
}

static void lost_features_drop_their_rows(void **state) {
    (void)state;
    struct pom_manifest *manifest = open_manifest();
    put(manifest, "a", POM_PLACE_TABLE, 0);
    put(manifest, "b", POM_PLACE_SPOOL, 0);
    put(manifest, "c", POM_PLACE_SPOOL, 1);
    put(manifest, "d", POM_PLACE_NONE, 0);
    assert_int_equal(pom_manifest_drop(manifest, false, 1, NULL), POM_OK);
    assert_rows(manifest, "a:0 b:0 d!");
    assert_int_equal(pom_manifest_drop(manifest, true, INT64_MAX, NULL), POM_OK);
    assert_rows(manifest, "b:0 d!");
    pom_manifest_close(manifest);
}

/* As the lister and the recorder do it: rows are put behind the cursor, over several of its blocks. */
static void a_cursor_sees_each_row_once(void **state) {
    (void)state;
    enum { ROWS = 1000 };
    struct pom_manifest *manifest = open_manifest();
    struct pom_manifest_cursor *cursor;
    const struct pom_manifest_row *row;
    char path[32];
    int seen = 0;
    for (int i = 0; i < ROWS; i++) {
        snprintf(path, sizeof path, "%06d", i);
        put(manifest, path, POM_PLACE_SPOOL, i);
    }
    assert_int_equal(pom_manifest_cursor_new(manifest, &cursor, NULL), POM_OK);
    while (pom_manifest_cursor_next(cursor, &row, NULL) == POM_OK && row) {
        assert_int_equal(row->record, seen++);
        snprintf(path, sizeof path, "%06d-new", seen - 2);
        if (seen % 3 == 0)
            put(manifest, path, POM_PLACE_SPOOL, 0);
        put(manifest, row->path, POM_PLACE_NONE, 0);
    }
    assert_int_equal(seen, ROWS);
    pom_manifest_cursor_free(cursor);
    pom_manifest_close(manifest);
}

static void notes_are_kept(void **state) {
    (void)state;
    struct pom_manifest *manifest = open_manifest();
    struct pom_buffer value = {0};
    assert_int_equal(pom_manifest_get(manifest, "--pca", &value, NULL), POM_OK);
    assert_string_equal(value.data, "");
    assert_int_equal(pom_manifest_set(manifest, "--pca", "50", NULL), POM_OK);
    assert_int_equal(pom_manifest_set(manifest, "--pca", "60", NULL), POM_OK);
    assert_int_equal(pom_manifest_get(manifest, "--pca", &value, NULL), POM_OK);
    assert_string_equal(value.data, "60");
    pom_buffer_clean_up(&value);
    pom_manifest_close(manifest);
}

static void damage_is_told(void **state) {
    (void)state;
    static const char junk[] = "this is not a database, and it is longer than a header of one hundred bytes would be, "
                               "so that it is read as one and refused";
    struct pom_manifest *manifest;
    struct pom_message msg = {0};
    assert_int_equal(pom_file_write("m.sqlite", junk, sizeof junk, NULL), POM_OK);
    assert_int_equal(pom_manifest_open("m.sqlite", &manifest, &msg), POM_ERR_FORMAT);
    assert_null(manifest);
    assert_non_null(strstr(msg.text, "--fresh"));
}

static void a_torn_spool_is_cut(void **state) {
    (void)state;
    struct pom_spool *spool;
    const float rows[3][4] = {{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}};
    float row[4];
    int64_t record;
    assert_int_equal(pom_spool_open("s", 4, 0, &spool, NULL), POM_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pom_spool_append(spool, rows[i], 1, &record, NULL), POM_OK);
        assert_int_equal(record, i);
    }
    assert_int_equal(pom_spool_sync(spool, NULL), POM_OK);
    pom_spool_close(spool);
    /* The last record is torn, and the manifest knows of the first two. */
    assert_int_equal(truncate("s", 2 * sizeof rows[0] + 5), 0);
    assert_int_equal(pom_spool_open("s", 4, 2, &spool, NULL), POM_OK);
    assert_int_equal(pom_spool_records(spool), 2);
    assert_int_equal(pom_spool_read(spool, 1, row, NULL), POM_OK);
    assert_memory_equal(row, rows[1], sizeof row);
    assert_int_equal(pom_spool_read(spool, 2, row, NULL), POM_ERR_FORMAT);
    assert_int_equal(pom_spool_append(spool, rows[2], 1, &record, NULL), POM_OK);
    assert_int_equal(record, 2);
    assert_int_equal(pom_spool_read(spool, 2, row, NULL), POM_OK);
    assert_memory_equal(row, rows[2], sizeof row);
    pom_spool_close(spool);
    /* The manifest knows of more than the disk kept. */
    assert_int_equal(truncate("s", sizeof rows[0] + 1), 0);
    assert_int_equal(pom_spool_open("s", 4, 3, &spool, NULL), POM_OK);
    assert_int_equal(pom_spool_records(spool), 1);
    pom_spool_close(spool);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_commits_stay, enter, leave),
        cmocka_unit_test_setup_teardown(a_kill_keeps_the_last_commit, enter, leave),
        cmocka_unit_test_setup_teardown(missing_rows_go_with_the_purge, enter, leave),
        cmocka_unit_test_setup_teardown(lost_features_drop_their_rows, enter, leave),
        cmocka_unit_test_setup_teardown(a_cursor_sees_each_row_once, enter, leave),
        cmocka_unit_test_setup_teardown(notes_are_kept, enter, leave),
        cmocka_unit_test_setup_teardown(damage_is_told, enter, leave),
        cmocka_unit_test_setup_teardown(a_torn_spool_is_cut, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
