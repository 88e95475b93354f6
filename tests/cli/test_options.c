/* Option tables, argument parsers and the nearest-name suggestion. */
#include "options.h"
#include "verb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct values {
    const char *output;
    int threads;
    size_t memory;
    uint64_t limit;
    bool quiet;
    struct pom_components pca;
};

static const struct pom_option table[] = {
    {"output", 'o', "DEST", "where", pom_option_text, offsetof(struct values, output)},
    {"threads", 0, "N", "threads", pom_option_count, offsetof(struct values, threads)},
    {"memory", 0, "SIZE", "bytes", pom_option_bytes, offsetof(struct values, memory)},
    {"limit", 0, "N", "rows", pom_option_total, offsetof(struct values, limit)},
    {"quiet", 'q', NULL, "hush", pom_option_switch, offsetof(struct values, quiet)},
    {"pca", 0, "K", "components", pom_option_components, offsetof(struct values, pca)},
    {0},
};

enum { MAX_ARGS = 16 };

/* Parses a list of words after the verb's name. */
static enum pom_status parse(
    const char *const *words, char **argv, int *argc, struct values *values, int *first, struct pom_message *msg) {
    *argc = 0;
    argv[(*argc)++] = (char *)"verb";
    for (; *words; words++)
        argv[(*argc)++] = (char *)*words;
    argv[*argc] = NULL;
    return pom_options_parse(table, *argc, argv, values, first, msg);
}

static void options_and_operands_mix(void **state) {
    (void)state;
    const char *const words[] = {
        "a", "-o", "out", "b", "--threads=3", "-q", "--memory", "512M", "--limit", "3000000000", "--", "-c", NULL};
    struct values v = {0};
    struct pom_message msg = {0};
    char *argv[MAX_ARGS];
    int argc, first;
    assert_int_equal(parse(words, argv, &argc, &v, &first, &msg), POM_OK);
    assert_string_equal(v.output, "out");
    assert_int_equal(v.threads, 3);
    assert_int_equal(v.memory, 512u << 20);
    assert_int_equal(v.limit, 3000000000);
    assert_true(v.quiet);
    assert_int_equal(argc - first, 3);
    assert_string_equal(argv[first], "a");
    assert_string_equal(argv[first + 2], "-c");
}

static void refusals_say_what_to_do(void **state) {
    (void)state;
    static const struct {
        const char *words[3];
        const char *text;
    } cases[] = {
        {{"--thread-s", "3"}, "did you mean --threads?"},
        {{"--xyzzy"}, "unknown option --xyzzy"},
        {{"-z"}, "unknown option -z"},
        {{"--output"}, "--output needs a value"},
        {{"--quiet=3"}, "--quiet=3: wanted true or false"},
        {{"--threads", "0"}, "--threads 0: wanted a whole number"},
        {{"--threads", "9999999999999"}, "wanted a whole number"},
        {{"--memory", "12X"}, "wanted a size"},
        {{"--memory", "-1"}, "wanted a size"},
        {{"--pca", "1.0"},
            "--pca 1.0: wanted a number of components, whole, such as 50, or a share of the variance, below 1"},
        {{"--limit", "9223372036854775808"}, "wanted a whole number from 1 to 9223372036854775807"},
        {{"--output", ""}, "the value is empty"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *words[4] = {cases[i].words[0], cases[i].words[1], NULL};
        struct values v = {0};
        struct pom_message msg = {0};
        char *argv[MAX_ARGS];
        int argc, first;
        assert_int_equal(parse(words, argv, &argc, &v, &first, &msg), POM_ERR_ARGUMENT);
        if (!strstr(msg.text, cases[i].text))
            fail_msg("\"%s\" lacks \"%s\"", msg.text, cases[i].text);
    }
}

static void sizes(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t bytes;
    } cases[] = {{"100000", 100000}, {"1k", 1024}, {"2GiB", (size_t)2 << 30}, {"1.5MB", 1572864}, {"7B", 7}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t bytes = 0;
        assert_int_equal(pom_option_bytes(cases[i].text, &bytes, NULL), POM_OK);
        assert_int_equal(bytes, cases[i].bytes);
    }
}

static void components(void **state) {
    (void)state;
    struct pom_components c;
    assert_int_equal(pom_option_components("50", &c, NULL), POM_OK);
    assert_int_equal(c.k, 50);
    assert_int_equal(pom_option_components("0.90", &c, NULL), POM_OK);
    assert_int_equal(c.k, 0);
    assert_true(c.variance > 0.8999 && c.variance < 0.9001);
    assert_int_equal(pom_option_components("90%", &c, NULL), POM_OK);
    assert_true(c.variance > 0.8999 && c.variance < 0.9001);
    assert_int_equal(pom_option_components("0", &c, NULL), POM_ERR_ARGUMENT);
    assert_int_equal(pom_option_components("nan", &c, NULL), POM_ERR_ARGUMENT);
}

static void nearest_names(void **state) {
    (void)state;
    static const char *const names[] = {"features", "pca", "model"};
    assert_string_equal(pom_nearest("feature", names, 3), "features");
    assert_string_equal(pom_nearest("modle", names, 3), "model");
    assert_null(pom_nearest("serve", names, 3));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_and_operands_mix),
        cmocka_unit_test(refusals_say_what_to_do),
        cmocka_unit_test(sizes),
        cmocka_unit_test(components),
        cmocka_unit_test(nearest_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
