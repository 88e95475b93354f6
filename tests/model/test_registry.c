/* Names -> files: the order of the folders, and what is said where there is none. */
#include "cmocka_include.h"

#include "base/file.h"
#include "model/registry.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char root[64];

static void put(const char *folder, const char *name) {
    struct pom_message msg = {0};
    char *path = pom_path_join(folder, name);
    assert_int_equal(pom_make_folders(folder, &msg), POM_OK);
    assert_int_equal(pom_file_write(path, "x", 1, &msg), POM_OK);
    free(path);
}

static int set_up(void **state) {
    (void)state;
    snprintf(root, sizeof root, "/tmp/pomona-registry-XXXXXX");
    return mkdtemp(root) == NULL || unsetenv("POMONA_MODELS") || setenv("XDG_CACHE_HOME", root, 1);
}

static int tear_down(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", root);
    return system(command); /* NOLINT(cert-env33-c): the path is our own */
}

static void the_set_folder_comes_before_the_cache(void **state) {
    (void)state;
    char set[128], cache[128], *found = NULL;
    snprintf(set, sizeof set, "%s/set", root);
    snprintf(cache, sizeof cache, "%s/pomona/models", root);
    put(cache, "resnet50.onnx");
    assert_int_equal(pom_model_find("resnet50", &found, NULL), POM_OK);
    assert_int_equal(strncmp(found, cache, strlen(cache)), 0);
    free(found);
    put(set, "resnet50.onnx");
    setenv("POMONA_MODELS", set, 1);
    assert_int_equal(pom_model_find("resnet50", &found, NULL), POM_OK);
    assert_int_equal(strncmp(found, set, strlen(set)), 0);
    free(found);
}

static void models_of_ones_own_are_found_by_name(void **state) {
    (void)state;
    char *path = NULL, *found = NULL;
    assert_int_equal(pom_model_destination("fruits-v2", &path, NULL), POM_OK);
    struct pom_message msg = {0};
    assert_int_equal(pom_file_write(path, "x", 1, &msg), POM_OK);
    assert_int_equal(pom_model_find("fruits-v2", &found, NULL), POM_OK);
    assert_string_equal(found, path);
    free(path);
    free(found);
}

static void a_missing_file_says_which_command_brings_it(void **state) {
    (void)state;
    struct pom_message msg = {0};
    char *found = NULL;
    assert_int_equal(pom_model_find("vgg16", &found, &msg), POM_ERR_NOT_FOUND);
    assert_non_null(strstr(msg.text, "pomona model pull vgg16"));
    assert_int_equal(pom_model_find("vgg17", &found, &msg), POM_ERR_NOT_FOUND);
    assert_non_null(strstr(msg.text, "pomona model list"));
    assert_null(found);
}

static void names_cannot_leave_the_folder(void **state) {
    (void)state;
    static const char *const bad[] = {"", "../x", "a/b", ".hidden", "-x", "a b", "caf\xc3\xa9"};
    char *path = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(pom_model_destination(bad[i], &path, NULL), POM_ERR_ARGUMENT);
        assert_int_equal(pom_model_find(bad[i], &path, NULL), POM_ERR_ARGUMENT);
    }
}

static void paths_are_told_from_names(void **state) {
    (void)state;
    assert_true(pom_model_is_path("net.onnx"));
    assert_true(pom_model_is_path("./resnet50"));
    assert_false(pom_model_is_path("resnet50"));
    assert_false(pom_model_is_path("onnx"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_set_folder_comes_before_the_cache, set_up, tear_down),
        cmocka_unit_test_setup_teardown(models_of_ones_own_are_found_by_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_missing_file_says_which_command_brings_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_cannot_leave_the_folder, set_up, tear_down),
        cmocka_unit_test(paths_are_told_from_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
