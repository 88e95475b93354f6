/* Moments: against the textbook's two passes, however the rows come, merged, saved and loaded, and refusals. */
#include "stats/moments.h"
#include "stats/rows.h"

#include "cmocka_include.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 1111, D = 37 };

static struct pom_moments *moments_of(const float *rows, size_t n, size_t d) {
    struct pom_moments *m;
    assert_int_equal(pom_moments_new(d, &m, NULL), POM_OK);
    assert_int_equal(pom_moments_add(m, rows, n, NULL), POM_OK);
    return m;
}

/* Rows long double, two passes: what the moments must be. */
static void textbook(const float *rows, size_t n, size_t d, double *mean, double *scatter) {
    long double *exact = calloc(d, sizeof *exact);
    assert_non_null(exact);
    for (size_t i = 0; i < n * d; i++)
        exact[i % d] += (long double)rows[i] / (long double)n;
    for (size_t a = 0; a < d; a++) {
        mean[a] = (double)exact[a];
        for (size_t b = a; b < d; b++) {
            long double sum = 0;
            for (size_t i = 0; i < n; i++)
                sum += (rows[i * d + a] - exact[a]) * (rows[i * d + b] - exact[b]);
            scatter[a * d + b] = (double)sum;
        }
    }
    free(exact);
}

/* The worst difference of the scatters' entries, relative to the standard deviations that they join. */
static double scatter_distance(const double *a, const double *b, size_t d) {
    double worst = 0;
    for (size_t i = 0; i < d; i++)
        for (size_t j = i; j < d; j++)
            worst = fmax(worst, fabs(a[i * d + j] - b[i * d + j]) / sqrt(b[i * d + i] * b[j * d + j]));
    return worst;
}

static void assert_same(const struct pom_moments *a, const struct pom_moments *b, double tolerance) {
    size_t d = pom_moments_features(a);
    struct pom_moments_view x = {0}, y = {0};
    assert_int_equal(pom_moments_snapshot(a, &x, NULL), POM_OK);
    assert_int_equal(pom_moments_snapshot(b, &y, NULL), POM_OK);
    assert_int_equal(x.mean.count, y.mean.count);
    assert_true(rows_distance(x.mean.mean, y.mean.mean, d, 1e-3) <= tolerance);
    assert_true(scatter_distance(x.scatter, y.scatter, d) <= tolerance);
    pom_moments_view_clean_up(&x);
    pom_moments_view_clean_up(&y);
}

static void moments_equal_the_textbook(void **state) {
    (void)state;
    float *rows = rows_make(ROWS, D, 10, 0.5, 0.1, 1);
    static double mean[D], scatter[D * D];
    textbook(rows, ROWS, D, mean, scatter);
    struct pom_moments *m = moments_of(rows, ROWS, D);
    struct pom_moments_view view = {0};
    assert_int_equal(pom_moments_snapshot(m, &view, NULL), POM_OK);
    assert_int_equal(view.mean.count, ROWS);
    assert_true(rows_distance(view.mean.mean, mean, D, 1e-3) < 1e-13);
    assert_true(scatter_distance(view.scatter, scatter, D) < 1e-13);
    pom_moments_view_clean_up(&view);
    pom_moments_free(m);
    free(rows);
}

/* A mean far from zero must not cost digits: 1e6 +- 1 keeps what float rows still hold. */
static void a_large_offset_costs_no_digits(void **state) {
    (void)state;
    float *rows = rows_make(ROWS, D, 4, 0, 0.5, 2);
    for (size_t i = 0; i < (size_t)ROWS * D; i++)
        rows[i] += 1e6F;
    static double mean[D], scatter[D * D];
    textbook(rows, ROWS, D, mean, scatter);
    struct pom_moments *m = moments_of(rows, ROWS, D);
    struct pom_moments_view view = {0};
    assert_int_equal(pom_moments_snapshot(m, &view, NULL), POM_OK);
    assert_true(scatter_distance(view.scatter, scatter, D) < 1e-9);
    pom_moments_view_clean_up(&view);
    pom_moments_free(m);
    free(rows);
}

static void the_bits_do_not_depend_on_how_rows_come(void **state) {
    (void)state;
    float *rows = rows_make(ROWS, D, 10, 0.5, 0.1, 3);
    struct pom_moments *whole = moments_of(rows, ROWS, D), *pieces;
    assert_int_equal(pom_moments_new(D, &pieces, NULL), POM_OK);
    for (size_t at = 0, step = 1; at < ROWS; step = step * 3 % 301 + 1) {
        size_t n = at + step < ROWS ? step : ROWS - at;
        assert_int_equal(pom_moments_add(pieces, rows + at * D, n, NULL), POM_OK);
        at += n;
    }
    struct pom_moments_view a = {0}, b = {0};
    assert_int_equal(pom_moments_snapshot(whole, &a, NULL), POM_OK);
    assert_int_equal(pom_moments_snapshot(pieces, &b, NULL), POM_OK);
    assert_memory_equal(a.mean.mean, b.mean.mean, D * sizeof(double));
    assert_memory_equal(a.scatter, b.scatter, sizeof(double) * D * D);
    pom_moments_view_clean_up(&a);
    pom_moments_view_clean_up(&b);
    pom_moments_free(whole);
    pom_moments_free(pieces);
    free(rows);
}

static void any_split_merges_to_the_same(void **state) {
    (void)state;
    float *rows = rows_make(ROWS, D, 10, 0.5, 0.1, 4);
    struct pom_moments *whole = moments_of(rows, ROWS, D);
    static const size_t splits[] = {0, 1, 2, 255, 256, 257, 500, 512, ROWS - 1, ROWS};
    for (size_t i = 0; i < sizeof splits / sizeof *splits; i++) {
        struct pom_moments *a = moments_of(rows, splits[i], D);
        struct pom_moments *b = moments_of(rows + splits[i] * D, ROWS - splits[i], D);
        assert_int_equal(pom_moments_merge(a, b, NULL), POM_OK);
        assert_same(a, whole, 1e-12);
        pom_moments_free(a);
        pom_moments_free(b);
    }
    pom_moments_free(whole);
    free(rows);
}

static void many_parts_merge_as_a_tree_or_a_chain(void **state) {
    (void)state;
    enum { PARTS = 8 };
    float *rows = rows_make(ROWS, D, 10, 0.5, 0.1, 5);
    struct pom_moments *whole = moments_of(rows, ROWS, D), *tree[PARTS], *chain;
    assert_int_equal(pom_moments_new(D, &chain, NULL), POM_OK);
    for (size_t i = 0; i < PARTS; i++) {
        size_t from = i * ROWS / PARTS, to = (i + 1) * ROWS / PARTS;
        tree[i] = moments_of(rows + from * D, to - from, D);
        assert_int_equal(pom_moments_merge(chain, tree[i], NULL), POM_OK);
    }
    for (size_t step = 1; step < PARTS; step *= 2)
        for (size_t i = 0; i < PARTS; i += 2 * step)
            assert_int_equal(pom_moments_merge(tree[i], tree[i + step], NULL), POM_OK);
    assert_same(tree[0], whole, 1e-12);
    assert_same(chain, whole, 1e-12);
    for (size_t i = 0; i < PARTS; i++)
        pom_moments_free(tree[i]);
    pom_moments_free(chain);
    pom_moments_free(whole);
    free(rows);
}

static void a_constant_column_has_exactly_no_scatter(void **state) {
    (void)state;
    float *rows = rows_make(ROWS, D, 3, 0, 1, 6);
    for (size_t i = 0; i < ROWS; i++)
        rows[i * D + 5] = 0.1F;
    struct pom_moments *a = moments_of(rows, 700, D), *b = moments_of(rows + (size_t)700 * D, ROWS - 700, D);
    assert_int_equal(pom_moments_merge(a, b, NULL), POM_OK);
    struct pom_moments_view view = {0};
    assert_int_equal(pom_moments_snapshot(a, &view, NULL), POM_OK);
    for (size_t j = 0; j < D; j++)
        assert_true(view.scatter[j < 5 ? j * D + 5 : 5 * D + j] == 0);
    assert_true(view.mean.mean[5] == (double)0.1F);
    pom_moments_view_clean_up(&view);
    pom_moments_free(a);
    pom_moments_free(b);
    free(rows);
}

static void values_that_are_not_finite_are_refused_whole(void **state) {
    (void)state;
    float rows[6] = {1, 2, 3, 4, NAN, 6};
    struct pom_message msg;
    struct pom_moments *m;
    assert_int_equal(pom_moments_new(2, &m, NULL), POM_OK);
    assert_int_equal(pom_moments_add(m, rows, 3, &msg), POM_ERR_ARGUMENT);
    assert_non_null(strstr(msg.text, "row 2, column 0"));
    assert_int_equal(pom_moments_count(m), 0);
    rows[4] = 5;
    assert_int_equal(pom_moments_add(m, rows, 3, &msg), POM_OK);
    rows[3] = -INFINITY;
    assert_int_equal(pom_moments_add(m, rows, 3, &msg), POM_ERR_ARGUMENT);
    assert_non_null(strstr(msg.text, "row 4, column 1"));
    assert_int_equal(pom_moments_count(m), 3);
    pom_moments_free(m);
}

static void sizes_are_checked(void **state) {
    (void)state;
    struct pom_message msg;
    struct pom_moments *a, *b;
    assert_int_equal(pom_moments_new(0, &a, &msg), POM_ERR_LIMIT);
    assert_int_equal(pom_moments_new(POM_MOMENTS_MAX_D + 1, &a, &msg), POM_ERR_LIMIT);
    assert_int_equal(pom_moments_new(SIZE_MAX, &a, NULL), POM_ERR_LIMIT);
    assert_int_equal(pom_moments_new(2, &a, NULL), POM_OK);
    assert_int_equal(pom_moments_new(3, &b, NULL), POM_OK);
    assert_int_equal(pom_moments_merge(a, b, &msg), POM_ERR_ARGUMENT);
    assert_non_null(strstr(msg.text, "2 and of 3"));
    pom_moments_free(a);
    pom_moments_free(b);
    pom_moments_free(NULL);
}

static void saved_moments_load_and_merge_on(void **state) {
    (void)state;
    float *rows = rows_make(ROWS, D, 10, 0.5, 0.1, 7);
    struct pom_moments *whole = moments_of(rows, ROWS, D), *day = moments_of(rows, 600, D), *loaded;
    size_t n = pom_moments_saved_bytes(day);
    void *bytes = malloc(n);
    assert_non_null(bytes);
    assert_int_equal(pom_moments_save(day, bytes, n - 1, NULL), POM_ERR_ARGUMENT);
    assert_int_equal(pom_moments_save(day, bytes, n, NULL), POM_OK);
    assert_int_equal(pom_moments_load(bytes, n, &loaded, NULL), POM_OK);
    assert_same(loaded, day, 0);
    assert_int_equal(pom_moments_add(loaded, rows + (size_t)600 * D, ROWS - 600, NULL), POM_OK);
    assert_same(loaded, whole, 1e-12);
    pom_moments_free(loaded);
    pom_moments_free(day);
    pom_moments_free(whole);
    free(bytes);
    free(rows);
}

static void damaged_bytes_are_refused(void **state) {
    (void)state;
    float *rows = rows_make(50, 5, 3, 0.5, 0.1, 8);
    struct pom_moments *m = moments_of(rows, 50, 5), *loaded;
    unsigned char bytes[1024];
    size_t n = pom_moments_saved_bytes(m);
    assert_true(n <= sizeof bytes);
    assert_int_equal(pom_moments_save(m, bytes, sizeof bytes, NULL), POM_OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(pom_moments_load(bytes, i, &loaded, NULL), POM_ERR_FORMAT);
    for (size_t i = 0; i < n; i++) {
        bytes[i] ^= 0x40;
        assert_int_equal(pom_moments_load(bytes, n, &loaded, NULL), POM_ERR_FORMAT);
        bytes[i] ^= 0x40;
    }
    pom_moments_free(m);
    free(rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_equal_the_textbook),
        cmocka_unit_test(a_large_offset_costs_no_digits),
        cmocka_unit_test(the_bits_do_not_depend_on_how_rows_come),
        cmocka_unit_test(any_split_merges_to_the_same),
        cmocka_unit_test(many_parts_merge_as_a_tree_or_a_chain),
        cmocka_unit_test(a_constant_column_has_exactly_no_scatter),
        cmocka_unit_test(values_that_are_not_finite_are_refused_whole),
        cmocka_unit_test(sizes_are_checked),
        cmocka_unit_test(saved_moments_load_and_merge_on),
        cmocka_unit_test(damaged_bytes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
