/* Scaler, exact PCA and projection: closed forms, signs, few rows, degenerate columns, refusals. */
#include "stats/eigen.h"
#include "stats/rows.h"
#include <pomona/stats.h>

#include "cmocka_include.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct pom_projection *fit(const float *rows, size_t n, size_t d, struct pom_pca_options options) {
    struct pom_moments *m;
    struct pom_projection *p = NULL;
    struct pom_message msg = {0};
    assert_int_equal(pom_moments_new(d, &m, NULL), POM_OK);
    assert_int_equal(pom_moments_add(m, rows, n, NULL), POM_OK);
    enum pom_status status = pom_projection_fit(m, &options, &p, &msg);
    if (status != POM_OK)
        print_error("%s\n", msg.text);
    assert_int_equal(status, POM_OK);
    pom_moments_free(m);
    return p;
}

static void assert_near(double a, double b, double tolerance) {
    if (!(fabs(a - b) <= tolerance))
        fail_msg("%.17g is not %.17g within %g", a, b, tolerance);
}

static void assert_orthonormal(const struct pom_projection *p) {
    for (size_t a = 0; a < p->k; a++)
        for (size_t b = a; b < p->k; b++) {
            double dot = 0;
            for (size_t j = 0; j < p->d; j++)
                dot += p->components[a * p->d + j] * p->components[b * p->d + j];
            assert_near(dot, a == b, 1e-12);
        }
}

/* Points on the ellipse x = 3 cos t, y = sin t, turned by 30 degrees, off the origin: axes and variances are known. */
static void a_turned_ellipse_has_its_axes(void **state) {
    (void)state;
    enum { N = 360 };
    const double turn = M_PI / 6;
    float rows[N][2];
    for (int i = 0; i < N; i++) {
        double t = 2 * M_PI * i / N, x = 3 * cos(t), y = sin(t);
        rows[i][0] = (float)(5 + x * cos(turn) - y * sin(turn));
        rows[i][1] = (float)(-2 + x * sin(turn) + y * cos(turn));
    }
    struct pom_projection *p = fit(&rows[0][0], N, 2, (struct pom_pca_options){.k = 2, .no_scale = true});
    assert_int_equal(p->k, 2);
    assert_near(p->mean[0], 5, 1e-6);
    assert_near(p->variance[0], 9.0 / 2 * N / (N - 1), 1e-5);
    assert_near(p->variance[1], 1.0 / 2 * N / (N - 1), 1e-5);
    assert_near(p->ratio[0], 0.9, 1e-6);
    assert_near(p->ratio[1], 0.1, 1e-6);
    assert_near(p->components[0], cos(turn), 1e-6);
    assert_near(p->components[1], sin(turn), 1e-6);
    assert_near(p->components[2], -sin(turn), 1e-6);
    assert_near(p->components[3], cos(turn), 1e-6);
    float out[2];
    assert_int_equal(pom_projection_apply(p, &rows[0][0], 1, out, NULL), POM_OK);
    assert_near((double)out[0], 3, 1e-5);
    assert_near((double)out[1], 0, 1e-5);
    pom_projection_free(p);
}

static void no_center_leaves_the_mean_in(void **state) {
    (void)state;
    float rows[] = {10, 1, 12, 1, 14, 1};
    struct pom_projection *p = fit(rows, 3, 2, (struct pom_pca_options){.k = 1, .no_scale = true, .no_center = true});
    float out[3];
    assert_int_equal(pom_projection_apply(p, rows, 3, out, NULL), POM_OK);
    for (int i = 0; i < 3; i++)
        assert_near((double)out[i], (double)rows[2 * (size_t)i], 1e-6);
    p->centered = true;
    assert_int_equal(pom_projection_apply(p, rows, 3, out, NULL), POM_OK);
    assert_near((double)out[0], -2, 1e-6);
    pom_projection_free(p);
}

static void scaling_gives_unit_deviation_and_zero_for_constants(void **state) {
    (void)state;
    enum { N = 300, D = 7 };
    float *rows = rows_make(N, D, 3, 0, 1, 11), *out = calloc((size_t)N * D, sizeof *out);
    assert_non_null(out);
    for (size_t i = 0; i < N; i++)
        rows[i * D + 2] = 0.3F;
    struct pom_projection *p = fit(rows, N, D, (struct pom_pca_options){0});
    assert_int_equal(p->k, 0);
    assert_true(p->std[2] == 0);
    pom_projection_scale(p, rows, N, out);
    for (size_t j = 0; j < D; j++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < N; i++) {
            sum += (double)out[i * D + j];
            squares += (double)out[i * D + j] * (double)out[i * D + j];
        }
        assert_near(sum / N, 0, 1e-6);
        assert_near(squares / (N - 1), j == 2 ? 0 : 1, 1e-6);
    }
    pom_projection_scale(p, rows, N, rows); /* in place */
    assert_memory_equal(rows, out, sizeof *out * N * D);
    pom_projection_free(p);
    free(rows);
    free(out);
}

/* The columns of the projected rows are uncorrelated, with the explained variances; all components explain all. */
static void projected_rows_have_the_explained_variances(void **state) {
    (void)state;
    enum { N = 500, D = 60 };
    float *rows = rows_make(N, D, 20, 0.3, 0.2, 12), *out = calloc((size_t)N * D, sizeof *out);
    assert_non_null(out);
    struct pom_projection *p = fit(rows, N, D, (struct pom_pca_options){.k = D});
    assert_orthonormal(p);
    assert_int_equal(pom_projection_apply(p, rows, N, out, NULL), POM_OK);
    double total = 0;
    for (size_t a = 0; a < D; a++) {
        total += p->ratio[a];
        assert_true(a == 0 || p->variance[a] <= p->variance[a - 1]);
        for (size_t b = a; b < D; b++) {
            double sum = 0;
            for (size_t i = 0; i < N; i++)
                sum += (double)out[i * D + a] * (double)out[i * D + b];
            assert_near(sum / (N - 1), a == b ? p->variance[a] : 0, 2e-5);
        }
    }
    assert_near(total, 1, 1e-12);
    pom_projection_free(p);
    free(rows);
    free(out);
}

static void the_largest_entry_is_positive_and_the_first_of_equals_decides(void **state) {
    (void)state;
    float *rows = rows_make(200, 30, 10, 0.3, 0.2, 13);
    struct pom_projection *p = fit(rows, 200, 30, (struct pom_pca_options){.k = 30});
    for (size_t i = 0; i < p->k; i++) {
        size_t largest = 0;
        for (size_t j = 1; j < p->d; j++)
            if (fabs(p->components[i * p->d + j]) > fabs(p->components[i * p->d + largest]))
                largest = j;
        assert_true(p->components[i * p->d + largest] > 0);
    }
    pom_projection_free(p);
    free(rows);
}

static void a_share_takes_the_fewest_components_that_reach_it(void **state) {
    (void)state;
    float *rows = rows_make(400, 50, 30, 0.5, 0.1, 14);
    struct pom_projection *all = fit(rows, 400, 50, (struct pom_pca_options){.k = 50});
    const double shares[] = {0.01, 0.5, 0.9, 0.99, 0.99999};
    for (size_t s = 0; s < sizeof shares / sizeof *shares; s++) {
        struct pom_projection *p = fit(rows, 400, 50, (struct pom_pca_options){.variance = shares[s]});
        double sum = 0;
        size_t k = 0;
        while (sum < shares[s])
            sum += all->ratio[k++];
        assert_int_equal(p->k, k);
        assert_true(rows_distance(p->variance, all->variance, k, 1e-12) < 1e-9);
        pom_projection_free(p);
    }
    pom_projection_free(all);
    free(rows);
}

static void k_is_lowered_to_what_the_rows_allow(void **state) {
    (void)state;
    float *rows = rows_make(25, 80, 30, 0.3, 0.5, 15);
    struct pom_projection *p = fit(rows, 25, 80, (struct pom_pca_options){.k = 50});
    assert_int_equal(p->k, 24);
    assert_orthonormal(p);
    double total = 0;
    for (size_t i = 0; i < p->k; i++)
        total += p->ratio[i];
    assert_near(total, 1, 1e-12);
    pom_projection_free(p);
    p = fit(rows, 2, 80, (struct pom_pca_options){.k = 2});
    assert_int_equal(p->k, 1);
    assert_near(p->ratio[0], 1, 1e-12);
    pom_projection_free(p);
    p = fit(rows, 25, 3, (struct pom_pca_options){.k = 5});
    assert_int_equal(p->k, 3);
    pom_projection_free(p);
    free(rows);
}

static void duplicates_and_constants_lower_k_to_their_rank(void **state) {
    (void)state;
    enum { N = 40, D = 20 };
    float *rows = rows_make(N, D, 5, 0.3, 0.5, 16), out[N * 10];
    for (size_t i = 2; i < N; i++) /* two pictures, many times: rank 1 */
        memcpy(rows + i * D, rows + i % 2 * D, D * sizeof *rows);
    struct pom_projection *p = fit(rows, N, D, (struct pom_pca_options){.k = 10});
    assert_int_equal(p->k, 1);
    assert_orthonormal(p);
    assert_near(p->ratio[0], 1, 1e-12);
    assert_int_equal(pom_projection_apply(p, rows, N, out, NULL), POM_OK);
    assert_near((double)out[0], -(double)out[1], 1e-6);
    pom_projection_free(p);

    for (size_t i = 1; i < N; i++) /* one picture */
        memcpy(rows + i * D, rows, D * sizeof *rows);
    const struct pom_pca_options all[] = {{.variance = 0.9}, {.k = 10}, {.k = 10, .no_scale = true}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        p = fit(rows, N, D, all[i]);
        assert_int_equal(p->k, 0);
        assert_true(p->mean[3] == (double)rows[3] && p->std[3] == 0);
        pom_projection_free(p);
    }
    free(rows);
}

static void too_few_rows_and_bad_shares_are_refused(void **state) {
    (void)state;
    struct pom_message msg;
    struct pom_moments *m;
    struct pom_projection *p = NULL;
    const float rows[] = {1, 2, 3, 4};
    assert_int_equal(pom_moments_new(2, &m, NULL), POM_OK);
    assert_int_equal(pom_projection_fit(m, &(struct pom_pca_options){.k = 1}, &p, &msg), POM_ERR_ARGUMENT);
    assert_int_equal(pom_moments_add(m, rows, 1, NULL), POM_OK);
    assert_int_equal(pom_projection_fit(m, &(struct pom_pca_options){.k = 1}, &p, &msg), POM_ERR_ARGUMENT);
    assert_non_null(strstr(msg.text, "two rows"));
    assert_int_equal(pom_moments_add(m, rows + 2, 1, NULL), POM_OK);
    const double bad[] = {-0.1, 1, 1.5, NAN};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(
            pom_projection_fit(m, &(struct pom_pca_options){.variance = bad[i]}, &p, NULL), POM_ERR_ARGUMENT);
    assert_null(p);
    pom_moments_free(m);
    pom_projection_free(NULL);
}

/* The second difference's matrix has eigenvalues 2 - 2 cos(i pi / (n + 1)). */
static void eigenvalues_of_a_known_matrix(void **state) {
    (void)state;
    enum { N = 100 };
    double *matrix = calloc((size_t)N * N, sizeof *matrix);
    assert_non_null(matrix);
    for (size_t i = 0; i < N; i++) {
        matrix[i * N + i] = 2;
        if (i + 1 < N)
            matrix[i * N + i + 1] = -1;
    }
    struct pom_eigen eigen;
    assert_int_equal(pom_eigen_top(matrix, N, &(struct pom_eigen_choice){.k = 12, .most = N}, &eigen, NULL), POM_OK);
    assert_int_equal(eigen.k, 12);
    for (int i = 0; i < 12; i++)
        assert_near(eigen.values[i], 2 - 2 * cos((N - i) * M_PI / (N + 1)), 1e-13);
    pom_eigen_clean_up(&eigen);
    free(matrix);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turned_ellipse_has_its_axes),
        cmocka_unit_test(no_center_leaves_the_mean_in),
        cmocka_unit_test(scaling_gives_unit_deviation_and_zero_for_constants),
        cmocka_unit_test(projected_rows_have_the_explained_variances),
        cmocka_unit_test(the_largest_entry_is_positive_and_the_first_of_equals_decides),
        cmocka_unit_test(a_share_takes_the_fewest_components_that_reach_it),
        cmocka_unit_test(k_is_lowered_to_what_the_rows_allow),
        cmocka_unit_test(duplicates_and_constants_lower_k_to_their_rank),
        cmocka_unit_test(too_few_rows_and_bad_shares_are_refused),
        cmocka_unit_test(eigenvalues_of_a_known_matrix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
