/* Wide rows by Krylov iteration against the exact decomposition: eigenvalues, subspaces, shares, ranks, refusals. */
#include "stats/rows.h"
#include <pomona/stats.h>

#include "cmocka_include.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 400, D = 700, SMALL = 6 << 20, LARGE = 64 << 20 }; /* bytes: past and within the covariance of D features */

struct array {
    const float *rows;
    size_t n, d, at, passes;
    size_t lost_after; /* passes after which the last row is gone; 0: never */
};

static enum pom_status array_next(void *user, float *rows, size_t max_rows, size_t *n, struct pom_message *msg) {
    (void)msg;
    struct array *array = user;
    size_t end = array->lost_after && array->passes > array->lost_after ? array->n - 1 : array->n;
    *n = end - array->at < max_rows ? end - array->at : max_rows;
    *n = *n > 37 ? 37 : *n; /* a source may give less than there is room for */
    memcpy(rows, array->rows + array->at * array->d, *n * array->d * sizeof *rows);
    array->at += *n;
    return POM_OK;
}

static enum pom_status array_rewind(void *user, struct pom_message *msg) {
    (void)msg;
    struct array *array = user;
    array->at = 0;
    array->passes++;
    return POM_OK;
}

static struct pom_projection *fit(
    const float *rows, size_t n, size_t d, struct pom_pca_options options, size_t memory, size_t *passes) {
    struct array array = {rows, n, d, 0, 0, 0};
    struct pom_row_source source = {&array, d, array_next, array_rewind};
    struct pom_projection *p = NULL;
    struct pom_message msg = {0};
    if (pom_projection_fit_rows(&source, &options, memory, &p, &msg) != POM_OK)
        fail_msg("%s", msg.text);
    if (passes)
        *passes = array.passes;
    return p;
}

/* The sine of the largest angle between the spans of the first k components: |A - A B' B|, bounded by Frobenius. */
static double subspace_distance(const struct pom_projection *a, const struct pom_projection *b, size_t k) {
    size_t d = a->d;
    double worst = 0, *rest = malloc(d * sizeof *rest);
    assert_non_null(rest);
    for (size_t i = 0; i < k; i++) {
        memcpy(rest, a->components + i * d, d * sizeof *rest);
        for (size_t c = 0; c < k; c++) {
            double dot = 0;
            for (size_t j = 0; j < d; j++)
                dot += a->components[i * d + j] * b->components[c * d + j];
            for (size_t j = 0; j < d; j++)
                rest[j] -= dot * b->components[c * d + j];
        }
        for (size_t j = 0; j < d; j++)
            worst += rest[j] * rest[j];
    }
    free(rest);
    return sqrt(worst);
}

static void assert_agrees_within(
    size_t memory, const float *rows, struct pom_pca_options options, double value_error, double angle) {
    size_t passes;
    struct pom_projection *exact = fit(rows, N, D, options, LARGE, &passes);
    assert_int_equal(passes, 1);
    struct pom_projection *wide = fit(rows, N, D, options, memory, &passes);
    assert_true(passes > 2);
    assert_int_equal(wide->k, exact->k);
    double values = rows_distance(wide->variance, exact->variance, exact->k, 1e-300);
    double span = subspace_distance(wide, exact, exact->k);
    print_message("k %zu: %zu passes, residual %.1e, eigenvalues %.1e, subspace %.1e\n", wide->k, passes,
        wide->residual, values, span);
    assert_true(wide->residual <= 1e-9);
    assert_true(values < value_error);
    assert_true(span < angle);
    assert_true(rows_distance(wide->ratio, exact->ratio, exact->k, 1e-300) < value_error);
    assert_true(rows_distance(wide->mean, exact->mean, D, 1e-3) < 1e-12);
    assert_true(rows_distance(wide->std, exact->std, D, 1e-3) < 1e-12);
    pom_projection_free(exact);
    pom_projection_free(wide);
}

static void assert_agrees(const float *rows, struct pom_pca_options options, double value_error, double angle) {
    assert_agrees_within(SMALL, rows, options, value_error, angle);
}

static void a_fast_spectrum(void **state) {
    (void)state;
    float *rows = rows_make(N, D, 60, 1.5, 0.01, 21);
    assert_agrees(rows, (struct pom_pca_options){.k = 20}, 1e-10, 1e-5);
    assert_agrees(rows, (struct pom_pca_options){.k = 20, .no_scale = true}, 1e-10, 1e-5);
    free(rows);
}

static void a_slow_spectrum(void **state) {
    (void)state;
    float *rows = rows_make(N, D, 200, 0.3, 0.3, 22);
    assert_agrees(rows, (struct pom_pca_options){.k = 25}, 1e-10, 1e-5);
    free(rows);
}

static void noise_alone(void **state) {
    (void)state;
    float *rows = rows_make(N, D, 1, 0, 50, 23);
    assert_agrees(rows, (struct pom_pca_options){.k = 5}, 1e-10, 1e-4);
    free(rows);
}

static void a_share_of_the_variance(void **state) {
    (void)state;
    float *rows = rows_make(N, D, 200, 0.5, 0.1, 24);
    assert_agrees(rows, (struct pom_pca_options){.variance = 0.5}, 1e-10, 1e-5);
    assert_agrees(rows, (struct pom_pca_options){.variance = 0.8}, 1e-10, 1e-5);
    free(rows);
}

/* More components than vectors of a block, and a basis that is full after each step: restarts keep what was found. */
static void many_components_in_little_memory(void **state) {
    (void)state;
    enum { TIGHT = 3540000 };
    float *rows = rows_make(N, D, 200, 0.5, 0.1, 29);
    assert_agrees_within(TIGHT, rows, (struct pom_pca_options){.k = 150}, 1e-9, 1e-5);
    assert_agrees_within(TIGHT, rows, (struct pom_pca_options){.variance = 0.97}, 1e-9, 1e-5);
    free(rows);
}

/* 30 rows have 29 components, whatever is asked for; duplicated rows fewer still. */
static void few_rows(void **state) {
    (void)state;
    float *rows = rows_make(30, D, 100, 0.3, 0.3, 25);
    struct pom_projection *exact = fit(rows, 30, D, (struct pom_pca_options){.k = 50}, LARGE, NULL);
    struct pom_projection *wide = fit(rows, 30, D, (struct pom_pca_options){.k = 50}, SMALL, NULL);
    assert_int_equal(exact->k, 29);
    assert_int_equal(wide->k, 29);
    assert_true(rows_distance(wide->variance, exact->variance, 29, 1e-300) < 1e-10);
    assert_true(subspace_distance(wide, exact, 29) < 1e-6);
    pom_projection_free(wide);
    pom_projection_free(exact);
    for (size_t i = 4; i < 30; i++)
        memcpy(rows + i * D, rows + i % 4 * D, D * sizeof *rows);
    wide = fit(rows, 30, D, (struct pom_pca_options){.k = 10}, SMALL, NULL);
    assert_int_equal(wide->k, 3);
    double total = 0;
    for (size_t i = 0; i < 3; i++)
        total += wide->ratio[i];
    assert_true(fabs(total - 1) < 1e-12);
    pom_projection_free(wide);
    for (size_t i = 1; i < 30; i++)
        memcpy(rows + i * D, rows, D * sizeof *rows);
    wide = fit(rows, 30, D, (struct pom_pca_options){.variance = 0.9}, SMALL, NULL);
    assert_int_equal(wide->k, 0);
    pom_projection_free(wide);
    free(rows);
}

static void the_same_rows_give_the_same_bits(void **state) {
    (void)state;
    pom_stats_set_threads(1);
    float *rows = rows_make(N, D, 60, 1, 0.1, 26);
    struct pom_projection *a = fit(rows, N, D, (struct pom_pca_options){.k = 8}, SMALL, NULL);
    struct pom_projection *b = fit(rows, N, D, (struct pom_pca_options){.k = 8}, SMALL, NULL);
    assert_memory_equal(a->components, b->components, 8 * D * sizeof(double));
    pom_projection_free(a);
    pom_projection_free(b);
    free(rows);
}

static void the_scaler_alone_takes_one_pass(void **state) {
    (void)state;
    float *rows = rows_make(N, D, 60, 1, 0.1, 27);
    size_t passes;
    struct pom_projection *scaler = fit(rows, N, D, (struct pom_pca_options){0}, SMALL, &passes);
    assert_int_equal(passes, 1);
    assert_int_equal(scaler->k, 0);
    struct pom_projection *exact = fit(rows, N, D, (struct pom_pca_options){.k = 1}, LARGE, NULL);
    assert_true(rows_distance(scaler->std, exact->std, D, 1e-3) < 1e-12);
    pom_projection_free(scaler);
    pom_projection_free(exact);
    free(rows);
}

static void refusals(void **state) {
    (void)state;
    float *rows = rows_make(N, D, 10, 1, 0.1, 28);
    struct array array = {rows, N, D, 0, 0, 0};
    struct pom_row_source source = {&array, D, array_next, array_rewind};
    struct pom_projection *p = NULL;
    struct pom_message msg;
    struct pom_pca_options k5 = {.k = 5};
    assert_int_equal(pom_projection_fit_rows(&source, &k5, 10000, &p, &msg), POM_ERR_LIMIT);
    assert_non_null(strstr(msg.text, "--memory"));
    array.lost_after = array.passes + 1;
    assert_int_equal(pom_projection_fit_rows(&source, &k5, SMALL, &p, &msg), POM_ERR_CONFLICT);
    array = (struct array){rows, 1, D, 0, 0, 0};
    assert_int_equal(pom_projection_fit_rows(&source, &k5, SMALL, &p, &msg), POM_ERR_ARGUMENT);
    array = (struct array){rows, N, D, 0, 0, 0};
    rows[300 * D + 7] = NAN;
    assert_int_equal(pom_projection_fit_rows(&source, &k5, SMALL, &p, &msg), POM_ERR_ARGUMENT);
    assert_non_null(strstr(msg.text, "row 300, column 7"));
    source.d = 0;
    assert_int_equal(pom_projection_fit_rows(&source, &k5, SMALL, &p, &msg), POM_ERR_LIMIT);
    assert_null(p);
    free(rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fast_spectrum),
        cmocka_unit_test(a_slow_spectrum),
        cmocka_unit_test(noise_alone),
        cmocka_unit_test(a_share_of_the_variance),
        cmocka_unit_test(many_components_in_little_memory),
        cmocka_unit_test(few_rows),
        cmocka_unit_test(the_same_rows_give_the_same_bits),
        cmocka_unit_test(the_scaler_alone_takes_one_pass),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
