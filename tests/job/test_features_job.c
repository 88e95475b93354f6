/* The whole job with many threads on small pictures: run under the thread sanitizer too. */
#include "base/file.h"
#include "base/memory.h"
#include "job/features_job.h"
#include "job/pca_job.h"
#include "job/projection_table.h"
#include "pictures.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { IMAGES = 200 };

/* A 2x2 PNG, 8-bit RGB. */
static const unsigned char png[] = {0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48,
    0x44, 0x52, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x02, 0x08, 0x02, 0x00, 0x00, 0x00, 0xfd, 0xd4, 0x9a, 0x73,
    0x00, 0x00, 0x00, 0x12, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xf8, 0xcf, 0xc0, 0xc0, 0x00, 0xc2, 0x0c, 0xff,
    0x81, 0x00, 0x00, 0x1f, 0xee, 0x05, 0xfb, 0x0b, 0xd9, 0x68, 0x8b, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44,
    0xae, 0x42, 0x60, 0x82};

static char root[64]; /* of the test at hand; the working folder too */

static int enter(void **state) {
    (void)state;
    char path[64];
    strcpy(root, "/tmp/pomona-job-XXXXXX");
    if (!mkdtemp(root) || chdir(root) != 0 || pom_make_folders("photos/a", NULL) != POM_OK)
        return -1;
    for (int i = 0; i < IMAGES; i++) {
        snprintf(path, sizeof path, "photos/a/%04d.png", i);
        bool broken = i % 50 == 7;
        if (pom_file_write(path, png, broken ? 20 : sizeof png, NULL) != POM_OK)
            return -1;
    }
    return 0;
}

static int leave(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%.60s'", root);
    return chdir("/") == 0 ? system(command) : -1; /* NOLINT(cert-env33-c): the tests' own folder */
}

static const char *const sources[] = {"photos"};

static struct pom_features_options options(void) {
    return (struct pom_features_options){
        .sources = sources,
        .n_sources = 1,
        .destination = "out",
        .model = "pixels",
        .model_options = {.size = 4},
        .threads = 6,
    };
}

static void every_image_is_a_row_or_an_error(void **state) {
    (void)state;
    const struct pom_features_options job = options();
    struct pom_features_report report;
    struct pom_message msg = {0};
    if (pom_features_job(&job, &report, &msg) != POM_OK)
        fail_msg("%s", msg.text);
    assert_int_equal(report.listed, IMAGES);
    assert_int_equal(report.rows, IMAGES - 4);
    assert_int_equal(report.errors, 4);
    assert_int_equal(report.n_labels, 1);
    assert_string_equal(report.labels[0].label, "a");
    pom_features_report_clean_up(&report);
    assert_int_equal(pom_features_job(&job, &report, &msg), POM_OK);
    assert_true(report.up_to_date);
    assert_int_equal(report.rows, IMAGES - 4);
    assert_int_equal(report.errors, 4);
    pom_features_report_clean_up(&report);
}

struct trigger {
    atomic_bool cancel;
    uint64_t after; /* images */
};

static void cancel_after(void *user, const struct pom_features_progress *progress) {
    struct trigger *trigger = user;
    if (progress->done >= trigger->after)
        atomic_store(&trigger->cancel, true);
}

/* However early or late the job is cancelled, the next runs bring it to the same end. */
static void cancelled_jobs_continue(void **state) {
    (void)state;
    struct pom_features_options job = options();
    struct pom_features_report report;
    struct pom_message msg = {0};
    for (uint64_t after = 0; after < IMAGES; after += IMAGES / 5) {
        struct trigger trigger = {.after = after};
        job.cancel = &trigger.cancel;
        job.events = (struct pom_features_events){.progress = cancel_after, .user = &trigger};
        enum pom_status status = pom_features_job(&job, &report, &msg);
        assert_true(status == POM_OK || status == POM_ERR_CANCELLED);
        pom_features_report_clean_up(&report);
    }
    job.cancel = NULL;
    job.events = (struct pom_features_events){0};
    assert_int_equal(pom_features_job(&job, &report, &msg), POM_OK);
    assert_int_equal(report.rows, IMAGES - 4);
    assert_int_equal(report.errors, 4);
    pom_features_report_clean_up(&report);
    assert_true(pom_file_exists("out/run.json"));
}

static void cancel_in_pca(void *user, const struct pom_features_progress *progress) {
    struct trigger *trigger = user;
    if (progress->phase == POM_PHASE_PCA)
        atomic_store(&trigger->cancel, true);
}

/* Runs the job, which is cancelled while the PCA reads its rows, and then to its end: `rows` rows, none computed again.
 */
static void assert_continues_after_pca(struct pom_features_options job, uint64_t rows) {
    struct pom_features_report report;
    struct pom_message msg = {0};
    struct trigger trigger = {0};
    job.project = true;
    job.pca.k = 2;
    job.cancel = &trigger.cancel;
    job.events = (struct pom_features_events){.progress = cancel_in_pca, .user = &trigger};
    assert_int_equal(pom_features_job(&job, &report, &msg), POM_ERR_CANCELLED);
    assert_non_null(strstr(msg.text, "same command continues"));
    pom_features_report_clean_up(&report);
    job.cancel = NULL;
    job.events = (struct pom_features_events){0};
    assert_int_equal(pom_features_job(&job, &report, &msg), POM_OK);
    assert_false(report.up_to_date);
    assert_int_equal(report.computed, 0);
    assert_int_equal(report.rows, rows);
    pom_features_report_clean_up(&report);
}

/* Of a new destination, and of one whose tables have become old by an image more or less. */
static void jobs_cancelled_in_the_pca_continue(void **state) {
    (void)state;
    assert_continues_after_pca(options(), IMAGES - 4);
    assert_int_equal(pom_file_write("photos/a/more.png", png, sizeof png, NULL), POM_OK);
    assert_continues_after_pca(options(), IMAGES - 3);
    assert_int_equal(unlink("photos/a/more.png"), 0);
    assert_continues_after_pca(options(), IMAGES - 4);
}

static void assert_same_numbers(const double *a, const double *b, size_t n) {
    assert_memory_equal(a, b, n * sizeof *a);
}

/* The one that is fitted to the rows of a table. */
static struct pom_projection *fit_table(const char *table, size_t k) {
    const struct pom_pca_job_options job = {.table = table, .pca.k = k, .folder = ".", .threads = options().threads};
    struct pom_pca_job_result result;
    struct pom_projection *projection = NULL;
    assert_int_equal(pom_pca_job_run(&job, &result, NULL), POM_OK);
    assert_int_equal(pom_projection_table_read("projection.parquet", &projection, NULL, NULL), POM_OK);
    return projection;
}

static void assert_projection_of_the_table(struct pom_features_options job) {
    struct pom_features_report report;
    struct pom_projection *projection = NULL;
    assert_int_equal(pom_features_job(&job, &report, NULL), POM_OK);
    pom_features_report_clean_up(&report);
    assert_int_equal(pom_projection_table_read("out/projection.parquet", &projection, NULL, NULL), POM_OK);
    struct pom_projection *expected = fit_table("out/features.parquet", job.pca.k);
    assert_int_equal(projection->rows, expected->rows);
    assert_int_equal(projection->k, job.pca.k);
    assert_int_equal(expected->k, job.pca.k);
    assert_same_numbers(projection->mean, expected->mean, projection->d);
    assert_same_numbers(projection->std, expected->std, projection->d);
    assert_same_numbers(projection->components, expected->components, projection->k * projection->d);
    pom_projection_free(projection);
    pom_projection_free(expected);
}

/* The job takes the moments while it writes the table, also of rows that come from the table of the last run. */
static void the_projection_is_that_of_the_table(void **state) {
    (void)state;
    struct pom_features_options job = options();
    job.project = true;
    job.pca.k = 3;
    char path[64];
    for (int i = 0; i < 40; i++) {
        snprintf(path, sizeof path, "photos/a/%04d.jpg", i * 5);
        picture_write(path, i);
    }
    assert_projection_of_the_table(job);
    picture_write("photos/a/more.jpg", 99);
    assert_projection_of_the_table(job);
}

static void the_first_failure_ends_a_strict_job(void **state) {
    (void)state;
    struct pom_features_options job = options();
    struct pom_features_report report;
    struct pom_message msg = {0};
    job.strict = true;
    assert_int_equal(pom_features_job(&job, &report, &msg), POM_ERR_FORMAT);
    assert_non_null(strstr(msg.text, ".png failed (decode)"));
    assert_false(pom_file_exists("out/features.parquet"));
    pom_features_report_clean_up(&report);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_image_is_a_row_or_an_error, enter, leave),
        cmocka_unit_test_setup_teardown(cancelled_jobs_continue, enter, leave),
        cmocka_unit_test_setup_teardown(jobs_cancelled_in_the_pca_continue, enter, leave),
        cmocka_unit_test_setup_teardown(the_projection_is_that_of_the_table, enter, leave),
        cmocka_unit_test_setup_teardown(the_first_failure_ends_a_strict_job, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
