/* The part of TOML that settings are written in. */
#include "base/toml.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static enum pom_status parse(const char *text, struct pom_toml *toml, struct pom_message *msg) {
    return pom_toml_parse("x.toml", text, strlen(text), toml, msg);
}

static void values(void **state) {
    (void)state;
    struct pom_toml toml = {0};
    const char *text = "# first\n\tthreads = 8 # a comment\r\n a-b_1='C:\\x \"y\"'\n[features]\n"
                       "model = \"a \\\"b\\\" \\\\ \\t#\"#c\n[model.bench]\nquiet=true\nseconds = -1.5e3";
    assert_int_equal(parse(text, &toml, NULL), POM_OK);
    static const struct pom_toml_entry wanted[] = {{"", "threads", "8", POM_TOML_NUMBER, 2},
        {"", "a-b_1", "C:\\x \"y\"", POM_TOML_TEXT, 3}, {"features", "model", "a \"b\" \\ \t#", POM_TOML_TEXT, 5},
        {"model.bench", "quiet", "true", POM_TOML_SWITCH, 7}, {"model.bench", "seconds", "-1.5e3", POM_TOML_NUMBER, 8}};
    assert_int_equal(toml.n, sizeof wanted / sizeof *wanted);
    for (size_t i = 0; i < toml.n; i++) {
        assert_string_equal(toml.list[i].section, wanted[i].section);
        assert_string_equal(toml.list[i].name, wanted[i].name);
        assert_string_equal(toml.list[i].value, wanted[i].value);
        assert_int_equal(toml.list[i].type, wanted[i].type);
        assert_int_equal(toml.list[i].line, wanted[i].line);
    }
    assert_ptr_equal(pom_toml_find(&toml, "features", "model"), &toml.list[2]);
    assert_null(pom_toml_find(&toml, "", "model"));
    pom_toml_clean_up(&toml);
}

static void refusals(void **state) {
    (void)state;
    static const struct {
        const char *text, *said;
    } cases[] = {{"a = [1]", "line 1: wanted a number"}, {"\na", "line 2: wanted a [section] or name = value"},
        {"a = \"x", "does not end"}, {"a = \"\\u0041\"", "escapes"}, {"a = 'x' y", "something follows"},
        {"a = 1\na = 2", "line 2: a is set a second time"}, {"[a b]", "wanted a section"}, {"[]", "wanted a section"},
        {"[a..b]", "wanted a section"}, {"[[a]]", "arrays of tables"}, {"a = \"\"\"x", "several lines"},
        {"a = yes", "wanted a number"}, {"a = 0x10", "wanted a number"}, {"a = 1_000", "wanted a number"},
        {"a =", "wanted a number"}, {"\"a\" = 1", "wanted a [section]"}, {"a.b = 1", "wanted a [section]"},
        {"a = \"\x01\"", "control"}, {"[a] b = 1", "something follows"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pom_toml toml = {0};
        struct pom_message msg = {0};
        assert_int_equal(parse(cases[i].text, &toml, &msg), POM_ERR_FORMAT);
        if (!strstr(msg.text, cases[i].said))
            fail_msg("\"%s\" lacks \"%s\"", msg.text, cases[i].said);
        pom_toml_clean_up(&toml);
    }
    struct pom_toml toml = {0};
    assert_int_equal(pom_toml_parse("x.toml", "a = 1\0", 6, &toml, NULL), POM_ERR_FORMAT);
    pom_toml_clean_up(&toml);
}

static void empty_texts(void **state) {
    (void)state;
    struct pom_toml toml = {0};
    assert_int_equal(parse("", &toml, NULL), POM_OK);
    assert_int_equal(toml.n, 0);
    pom_toml_clean_up(&toml);
    assert_int_equal(parse("a = \"\"", &toml, NULL), POM_OK);
    assert_string_equal(toml.list[0].value, "");
    pom_toml_clean_up(&toml);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values), cmocka_unit_test(refusals), cmocka_unit_test(empty_texts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
