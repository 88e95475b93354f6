/* The file store: order of listing, odd names, links, what cannot be read, publishing. */
#include "base/file.h"
#include "base/memory.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { MAX_SEEN = 64, NOBODY = 65534 };

struct seen {
    char *paths[MAX_SEEN], *refused[MAX_SEEN];
    int n, n_refused;
};

static char root[64]; /* of the test at hand; the working folder too */

static enum pom_status visit(void *user, const struct pom_store_entry *entry, struct pom_message *msg) {
    (void)msg;
    struct seen *seen = user;
    assert_true(seen->n < MAX_SEEN);
    assert_true(*entry->version);
    seen->paths[seen->n++] = strdup(entry->path);
    return POM_OK;
}

static enum pom_status refuse(void *user, const char *path, const char *cause, struct pom_message *msg) {
    (void)msg;
    struct seen *seen = user;
    assert_true(*cause);
    seen->refused[seen->n_refused++] = strdup(path);
    return POM_OK;
}

static void forget(struct seen *seen) {
    for (int i = 0; i < seen->n; i++)
        free(seen->paths[i]);
    for (int i = 0; i < seen->n_refused; i++)
        free(seen->refused[i]);
    *seen = (struct seen){0};
}

static void list(const char *location, struct seen *seen) {
    struct pom_store *store;
    struct pom_message msg = {0};
    const struct pom_store_visitor visitor = {visit, refuse, seen};
    *seen = (struct seen){0};
    assert_int_equal(pom_store_open(location, false, NULL, &store, &msg), POM_OK);
    assert_int_equal(pom_store_list(store, &visitor, &msg), POM_OK);
    pom_store_close(store);
}

static void touch(const char *path) {
    char folder[256];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash) {
        *slash = '\0';
        assert_int_equal(pom_make_folders(folder, NULL), POM_OK);
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("x", file);
    fclose(file);
}

static int enter(void **state) {
    (void)state;
    strcpy(root, "/tmp/pomona-store-XXXXXX");
    return mkdtemp(root) && chdir(root) == 0 ? 0 : -1;
}

static int leave(void **state) {
    (void)state;
    char command[256];
    snprintf(command, sizeof command, "chmod -R u+rwX '%s' && rm -rf '%s'", root, root);
    return chdir("/") == 0 ? system(command) : -1; /* NOLINT(cert-env33-c): the tests' own folder */
}

/* '-' and '.' sort before '/', so a folder's content comes after its neighbours of longer name. */
static void order_is_that_of_the_full_path(void **state) {
    (void)state;
    static const char *const names[] = {"s/a-b/1", "s/a.jpg", "s/a/z", "s/a0/y", "s/b", "s/\xc3\xa4/1", "s/\xff/1"};
    struct seen seen;
    for (size_t i = 0; i < 7; i++)
        touch(names[6 - i]);
    list("s", &seen);
    assert_int_equal(seen.n, 7);
    for (int i = 0; i < 7; i++)
        assert_string_equal(seen.paths[i], names[i]);
    forget(&seen);
}

static void odd_names_survive(void **state) {
    (void)state;
    static const char *const names[] = {"s/ lead", "s/a\nb", "s/quote'\"", "s/tail ", "s/\x80\xfe"};
    struct seen seen;
    for (size_t i = 0; i < 5; i++)
        touch(names[i]);
    touch("s/.hidden");
    touch("s/.git/x.jpg");
    list("s///", &seen);
    assert_int_equal(seen.n, 5);
    for (int i = 0; i < 5; i++)
        assert_string_equal(seen.paths[i], names[i]);
    forget(&seen);
}

static void one_file_is_a_location(void **state) {
    (void)state;
    struct seen seen;
    struct pom_store *store;
    touch("photo.jpg");
    list("./photo.jpg", &seen);
    assert_int_equal(seen.n, 1);
    assert_string_equal(seen.paths[0], "./photo.jpg");
    forget(&seen);
    assert_int_equal(pom_store_open("./photo.jpg", false, NULL, &store, NULL), POM_OK);
    assert_string_equal(pom_store_prefix(store), "./photo.jpg");
    pom_store_close(store);
}

static void links_end(void **state) {
    (void)state;
    struct seen seen;
    touch("s/in/1");
    touch("out/2");
    assert_int_equal(symlink("..", "s/in/up"), 0);
    assert_int_equal(symlink("../out", "s/side"), 0);
    assert_int_equal(symlink("nowhere", "s/zz"), 0);
    assert_int_equal(mkfifo("s/pipe", 0600), 0);
    list("s", &seen);
    assert_int_equal(seen.n, 2);
    assert_string_equal(seen.paths[0], "s/in/1");
    assert_string_equal(seen.paths[1], "s/side/2");
    assert_int_equal(seen.n_refused, 1);
    assert_string_equal(seen.refused[0], "s/zz");
    forget(&seen);
}

static void unreadable_folders_are_refused(void **state) {
    (void)state;
    struct seen seen;
    touch("s/a/1");
    touch("s/b/2");
    assert_int_equal(chmod("s/a", 0), 0);
    assert_int_equal(chmod(".", 0755), 0);
    uid_t user = geteuid();
    if (user == 0) /* root may read every folder */
        assert_int_equal(seteuid(NOBODY), 0);
    list("s", &seen);
    assert_int_equal(seteuid(user), 0);
    assert_int_equal(seen.n, 1);
    assert_int_equal(seen.n_refused, 1);
    assert_string_equal(seen.refused[0], "s/a/");
    forget(&seen);
}

static void what_cannot_be_opened_says_why(void **state) {
    (void)state;
    struct pom_store *store;
    struct pom_message msg = {0};
    assert_int_equal(pom_store_open("nowhere", false, NULL, &store, &msg), POM_ERR_NOT_FOUND);
    assert_non_null(strstr(msg.text, "nowhere"));
    assert_int_equal(pom_store_open("", false, NULL, &store, &msg), POM_ERR_ARGUMENT);
    assert_int_equal(pom_store_open("ftp://host/x", false, NULL, &store, &msg), POM_ERR_UNSUPPORTED);
    assert_non_null(strstr(msg.text, "ftp://"));
    touch("file");
    assert_int_equal(pom_store_open("file/dest", true, NULL, &store, &msg), POM_ERR_IO);
}

static void publishing_replaces_whole(void **state) {
    (void)state;
    struct pom_store *store;
    struct pom_message msg = {0};
    struct pom_buffer before = {0}, after = {0}, content = {0};
    const struct pom_store_entry entry = {"made/here/t.csv", 1, ""};
    assert_int_equal(pom_store_open("made/here", true, NULL, &store, &msg), POM_OK);
    assert_string_equal(pom_store_staging(store), "made/here/.pomona");
    assert_int_equal(pom_store_version(store, "t.csv", &before, &msg), POM_OK);
    assert_string_equal(before.data, "");
    touch("made/here/.pomona/t.csv");
    assert_int_equal(pom_store_file_version(store, "made/here/.pomona/t.csv", &before, &msg), POM_OK);
    assert_int_equal(pom_store_publish(store, "made/here/.pomona/t.csv", "t.csv", &msg), POM_OK);
    assert_false(pom_file_exists("made/here/.pomona/t.csv"));
    assert_int_equal(pom_store_version(store, "t.csv", &after, &msg), POM_OK);
    assert_string_equal(before.data, after.data);
    assert_int_equal(pom_store_fetch(store, "t.csv", &content, &msg), POM_OK);
    assert_string_equal(content.data, "made/here/t.csv");
    assert_int_equal(pom_store_read(store, &entry, 10, &content, &msg), POM_OK);
    assert_string_equal(content.data, "x");
    assert_int_equal(pom_store_remove(store, "t.csv", &msg), POM_OK);
    assert_int_equal(pom_store_remove(store, "t.csv", &msg), POM_OK);
    assert_false(pom_file_exists("made/here/t.csv"));
    pom_store_close(store);
    pom_buffer_clean_up(&before);
    pom_buffer_clean_up(&after);
    pom_buffer_clean_up(&content);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(order_is_that_of_the_full_path, enter, leave),
        cmocka_unit_test_setup_teardown(odd_names_survive, enter, leave),
        cmocka_unit_test_setup_teardown(one_file_is_a_location, enter, leave),
        cmocka_unit_test_setup_teardown(links_end, enter, leave),
        cmocka_unit_test_setup_teardown(unreadable_folders_are_refused, enter, leave),
        cmocka_unit_test_setup_teardown(what_cannot_be_opened_says_why, enter, leave),
        cmocka_unit_test_setup_teardown(publishing_replaces_whole, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
