/* Label patterns, and the counts of labels. */
#include "job/label.h"
#include "job/label_count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void patterns(void **state) {
    (void)state;
    static const struct {
        const char *pattern, *path, *label; /* NULL: no match */
    } cases[] = {
        {"{label}/*", "photos/Apple Red/1.jpg", "Apple Red"},
        {"{label}/*", "/1.jpg", NULL},
        {"{label}/*", "1.jpg", NULL},
        {"{label}/*", "a//1.jpg", NULL},
        {"{label}/*", "s3://bucket/kind/1.jpg", "kind"},
        {"{label}/*/*", "train/apple/red/1.jpg", "apple"},
        {"Training/{label}/*", "x/Training/apple/1.jpg", "apple"},
        {"Training/{label}/*", "x/Test/apple/1.jpg", NULL},
        {"{label}_*", "x/red_apple_17.jpg", "red_apple"},
        {"{label}_??.jpg", "x/red_apple_17.jpg", "red_apple"},
        {"{label}_??.jpg", "x/red_apple_175.jpg", NULL},
        {"{label}.*", "x/pear.tar.jpg", "pear.tar"},
        {"img-*-{label}.png", "img-3-4-kiwi.png", "kiwi"},
        {"?{label}/*", "x/_kiwi/1", "kiwi"},
        {"{label}", "x/\xff\xfe", "\xff\xfe"},
        {"*{label}", "x/", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *label;
        size_t size;
        bool found = pom_label_find(cases[i].pattern, cases[i].path, &label, &size);
        const char *wanted = cases[i].label ? cases[i].label : "";
        if (found != (cases[i].label != NULL) || size != strlen(wanted) || memcmp(label, wanted, size) != 0)
            fail_msg("%s on %s: \"%.*s\"", cases[i].pattern, cases[i].path, (int)size, label);
    }
}

static void a_pattern_has_one_label(void **state) {
    (void)state;
    assert_int_equal(pom_label_check(pom_label_default, NULL), POM_OK);
    assert_int_equal(pom_label_check("*/*", NULL), POM_ERR_ARGUMENT);
    assert_int_equal(pom_label_check("{label}/{label}", NULL), POM_ERR_ARGUMENT);
    assert_int_equal(pom_label_check("", NULL), POM_ERR_ARGUMENT);
}

static void counts_are_in_order(void **state) {
    (void)state;
    static const char *const labels[] = {"b", "a", "c", "b", "", "a", "b"};
    struct pom_label_counter counter = {0};
    size_t n;
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        assert_true(pom_label_counter_add(&counter, labels[i], strlen(labels[i])));
    struct pom_label_count *list = pom_label_counter_take(&counter, &n);
    assert_int_equal(n, 4);
    assert_string_equal(list[0].label, "b");
    assert_int_equal(list[0].rows, 3);
    assert_string_equal(list[1].label, "a");
    assert_string_equal(list[2].label, "");
    assert_string_equal(list[3].label, "c");
    for (size_t i = 0; i < n; i++)
        free(list[i].label);
    free(list);
    assert_null(pom_label_counter_take(&counter, &n));
    assert_int_equal(n, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns),
        cmocka_unit_test(a_pattern_has_one_label),
        cmocka_unit_test(counts_are_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
