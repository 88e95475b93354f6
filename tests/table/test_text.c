/* Numbers and UTF-8, of which the text formats are made. */
#include "cmocka_include.h"

#include "table/number.h"
#include "table/utf8.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect_float(float value, const char *expected) {
    char text[POM_NUMBER_TEXT];
    size_t n = pom_float_text(value, text);
    assert_string_equal(text, expected);
    assert_int_equal(n, strlen(expected));
}

static void test_float_texts(void **state) {
    (void)state;
    expect_float(0.0F, "0");
    expect_float(-0.0F, "-0.0");
    expect_float(1.0F, "1");
    expect_float(-1.5F, "-1.5");
    expect_float(0.1F, "0.1");
    expect_float(0.3F, "0.3");
    expect_float(1.0F / 3, "0.33333334");
    expect_float(0.0001F, "0.0001");
    expect_float(0.00001F, "1e-5");
    expect_float(16777216.0F, "16777216");
    expect_float(999999984.0F, "1e9");
    expect_float(1e10F, "1e10");
    expect_float(1.17549435e-38F, "1.1754944e-38");
    expect_float(1e-45F, "1e-45");
    expect_float(3.4028234663852886e38F, "3.4028235e38");
}

static void test_double_texts(void **state) {
    static const struct {
        double value;
        const char *text;
    } cases[] = {{0.1, "0.1"}, {-0.0, "-0.0"}, {2.0 / 3, "0.6666666666666666"}, {0.1 + 0.2, "0.30000000000000004"},
        {123456.789, "123456.789"}, {5e-324, "5e-324"}, {-1.7976931348623157e308, "-1.7976931348623157e308"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[POM_NUMBER_TEXT];
        pom_double_text(cases[i].value, text);
        assert_string_equal(text, cases[i].text);
    }
}

/* Significant digits: from the first to the last that is not zero. */
static size_t digits_in(const char *text) {
    size_t n = 0, last = 0;
    for (; *text && *text != 'e'; text++) {
        const bool digit = *text >= '0' && *text <= '9', zero = *text == '0';
        n += digit && (n > 0 || !zero);
        last = digit && !zero ? n : last;
    }
    return last;
}

/* Every exponent, random digits: the same bits come back, from strtof and, as jansson does, by way of a double. No text
 * with a digit less would do. */
static void test_random_floats_read_back(void **state) {
    uint32_t bits = 1;
    (void)state;
    for (int i = 0; i < 300000; i++) {
        char text[POM_NUMBER_TEXT], shorter[POM_NUMBER_TEXT];
        float value;
        bits = bits * 1664525U + 1013904223U;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value) || value == 0)
            continue;
        pom_float_text(value, text);
        assert_true(strtof(text, NULL) == value && (float)strtod(text, NULL) == value);
        size_t digits = digits_in(text);
        snprintf(shorter, sizeof shorter, "%.*e", (int)digits - 2, (double)value);
        double back = strtod(shorter, NULL), gap = (double)(nextafterf(value, INFINITY) - value);
        assert_true(digits <= 9 && (digits < 2 || (float)back != value || 2 * fabs(back - (double)value) >= gap));
    }
}

static void test_random_doubles_read_back(void **state) {
    uint64_t bits = 1;
    (void)state;
    for (int i = 0; i < 30000; i++) {
        char text[POM_NUMBER_TEXT];
        double value;
        bits = bits * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        pom_double_text(value, text);
        assert_true(strtod(text, NULL) == value);
    }
}

/* The expected texts are what Python's bytes.decode("utf-8", "replace") makes of them. */
static void test_utf8(void **state) {
    static const struct {
        const char *text, *repaired;
    } cases[] = {{"plain", "plain"}, {"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x8D\x8E", "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x8D\x8E"},
        {"a\xFFz", "a\xEF\xBF\xBDz"}, {"\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD"}, /* overlong */
        {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},               /* a surrogate */
        {"\xF0\x9F\x8Dz", "\xEF\xBF\xBDz"},                                     /* cut short */
        {"\xE2\x82", "\xEF\xBF\xBD"}, {"\xF5\x80", "\xEF\xBF\xBD\xEF\xBF\xBD"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pom_buffer out = {0};
        size_t n = strlen(cases[i].text);
        assert_int_equal(pom_utf8_valid(cases[i].text, n), strcmp(cases[i].text, cases[i].repaired) == 0);
        assert_true(pom_utf8_repair(cases[i].text, n, &out));
        assert_string_equal(out.data, cases[i].repaired);
        pom_buffer_clean_up(&out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_float_texts), cmocka_unit_test(test_double_texts),
        cmocka_unit_test(test_random_floats_read_back), cmocka_unit_test(test_random_doubles_read_back),
        cmocka_unit_test(test_utf8)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
