/* Choosing a precision: the sample of images, and the note that keeps what was chosen. */
#include "base/file.h"
#include "job/choice.h"
#include "job/sample.h"
#include "pictures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* A 1x1 PNG, 8-bit grey of value 0. */
static const unsigned char png[] = {0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48,
    0x44, 0x52, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x7e, 0x9b, 0x55,
    0x00, 0x00, 0x00, 0x0a, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0x60, 0x00, 0x00, 0x00, 0x02, 0x00, 0x01, 0x48,
    0xaf, 0xa4, 0x71, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};

enum { SIDE = 2 }; /* of the network's input */

static char root[64]; /* of the test at hand; the working folder too */

static int enter(void **state) {
    (void)state;
    strcpy(root, "/tmp/pomona-job-XXXXXX");
    return mkdtemp(root) && chdir(root) == 0 && pom_make_folders("photos", NULL) == POM_OK ? 0 : -1;
}

static int leave(void **state) {
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%.60s'", root);
    return chdir("/") == 0 ? system(command) : -1; /* NOLINT(cert-env33-c): the tests' own folder */
}

/* n images, of which every broken-th cannot be decoded (0: none). */
static void write_images(int n, int broken) {
    for (int i = 0; i < n; i++) {
        char path[64];
        bool bad = broken && i % broken == 0;
        snprintf(path, sizeof path, "photos/%05d.png", i);
        assert_int_equal(pom_file_write(path, png, bad ? 20 : sizeof png, NULL), POM_OK);
    }
}

/* The sample of photos/, `half` images a set. */
static void take(int half, uint64_t limit, int threads, struct pom_sample *out) {
    static const char *const sources[] = {"photos"};
    const struct pom_model_info info = {.width = SIDE, .height = SIDE};
    const struct pom_features_options options = {.limit = limit};
    struct pom_job job = {.options = &options,
        .info = &info,
        .n_sources = 1,
        .budget = {.threads = threads, .batch = 8, .image_bytes = 1 << 20, .large_bytes = 1 << 20}};
    struct pom_message msg = {0};
    *out = (struct pom_sample){0};
    pthread_rwlock_init(&job.large, NULL);
    assert_int_equal(pom_sources_open(sources, 1, NULL, &job.sources, &msg), POM_OK);
    assert_int_equal(pom_sample_take(&job, half, out, &msg), POM_OK);
    pom_sources_close(job.sources, 1);
    pthread_rwlock_destroy(&job.large);
}

static void samples_use_what_there_is(void **state) {
    (void)state;
    static const struct {
        int images, broken, half;
        uint64_t limit;
        int n_calibrate, n_check;
    } cases[] = {
        {200, 0, 10, 0, 10, 10},
        {200, 2, 10, 0, 10, 10}, /* the neighbours of those that fail */
        {200, 0, 10, 7, 4, 3},
        {21, 0, 64, 0, 11, 10},
        {2, 2, 64, 0, 1, 1}, /* one that can be read */
        {3, 1, 64, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pom_sample sample;
        write_images(cases[i].images, cases[i].broken);
        take(cases[i].half, cases[i].limit, 2, &sample);
        assert_int_equal(sample.n_calibrate, cases[i].n_calibrate);
        assert_int_equal(sample.n_check, cases[i].n_check);
        assert_true((sample.check == sample.calibrate) == (sample.n_calibrate < 2));
        pom_sample_clean_up(&sample);
        assert_int_equal(system("rm -f photos/*"), 0); /* NOLINT(cert-env33-c): the tests' own folder */
    }
}

static void assert_same_pictures(const uint8_t *a, const uint8_t *b, int n) {
    assert_memory_equal(a, b, (size_t)n * SIDE * SIDE * 3);
}

/* Also where images fail, so that others come in their place. */
static void samples_are_the_same_for_any_number_of_threads(void **state) {
    (void)state;
    struct pom_sample one, many;
    write_images(90, 4);
    for (int i = 0; i < 30; i++) {
        char path[64];
        snprintf(path, sizeof path, "photos/%05d.jpg", i * 3);
        picture_write(path, i);
    }
    take(25, 0, 1, &one);
    assert_int_equal(one.n_calibrate, 25);
    assert_int_equal(one.n_check, 25);
    for (int threads = 2; threads <= 7; threads += 5) {
        take(25, 0, threads, &many);
        assert_int_equal(many.n_calibrate, one.n_calibrate);
        assert_int_equal(many.n_check, one.n_check);
        assert_same_pictures(many.calibrate, one.calibrate, one.n_calibrate);
        assert_same_pictures(many.check, one.check, one.n_check);
        pom_sample_clean_up(&many);
    }
    pom_sample_clean_up(&one);
}

static struct pom_manifest *open_manifest(void) {
    struct pom_manifest *manifest;
    assert_int_equal(pom_manifest_open("m.sqlite", &manifest, NULL), POM_OK);
    return manifest;
}

static void notes_come_back_whole(void **state) {
    (void)state;
    const struct pom_choice choice = {.used = POM_PRECISION_BF16,
        .calibrated = 64,
        .checked = 63,
        .n_trials = 2,
        .trials = {{POM_PRECISION_INT8, 0.1 + 0.2, -1.0 / 3}, {POM_PRECISION_BF16, 1, 0.99999}}};
    struct pom_buffer calibration = {0}, back = {0};
    struct pom_choice read = {0};
    struct pom_message msg = {0};
    const struct pom_manifest_row row = {.path = "a", .version = "", .cause = "", .place = POM_PLACE_SPOOL};
    bool found = true;
    assert_true(pom_buffer_append(&calibration, "\0a\0b", 4));
    struct pom_manifest *manifest = open_manifest();
    assert_int_equal(pom_choice_write(manifest, &choice, &calibration, &msg), POM_OK);
    assert_int_equal(pom_choice_read(manifest, &read, &back, &found, &msg), POM_OK);
    assert_false(found); /* as long as no row was computed with it */
    assert_int_equal(pom_manifest_put(manifest, &row, &msg), POM_OK);
    assert_int_equal(pom_manifest_commit(manifest, &msg), POM_OK);
    pom_manifest_close(manifest);
    manifest = open_manifest();
    assert_int_equal(pom_choice_read(manifest, &read, &back, &found, &msg), POM_OK);
    assert_true(found);
    assert_true(read.used == choice.used && read.calibrated == 64 && read.checked == 63 && read.n_trials == 2);
    for (int i = 0; i < read.n_trials; i++) {
        assert_int_equal(read.trials[i].precision, choice.trials[i].precision);
        assert_true(read.trials[i].mean == choice.trials[i].mean);
        assert_true(read.trials[i].minimum == choice.trials[i].minimum);
    }
    assert_int_equal(back.size, 4);
    assert_memory_equal(back.data, calibration.data, 4);
    assert_int_equal(pom_manifest_set(manifest, POM_NOTE_PRECISION, "int9 1 1", &msg), POM_OK);
    assert_int_equal(pom_choice_read(manifest, &read, &back, &found, &msg), POM_ERR_FORMAT);
    pom_manifest_close(manifest);
    pom_buffer_clean_up(&calibration);
    pom_buffer_clean_up(&back);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(samples_are_the_same_for_any_number_of_threads, enter, leave),
        cmocka_unit_test_setup_teardown(samples_use_what_there_is, enter, leave),
        cmocka_unit_test_setup_teardown(notes_come_back_whole, enter, leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
