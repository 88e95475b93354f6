/* A worker allocates for its first images, and never again: from the file to the row in the spool. */
#include "allocations.h"
#include "base/file.h"
#include "job/job.h"
#include "model/keras.h"
#include "model/keras_fixture.h"
#include "pictures.h"

#include "cmocka_include.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIZE = 64, PICTURES = 16 };

static char root[] = "/tmp/pomona-allocations-XXXXXX";

static void picture_path(size_t i, char path[32]) {
    snprintf(path, 32, "photos/%zu.jpg", i % PICTURES);
}

static int set_up(void **state) {
    struct pom_keras_imported imported;
    char path[32];
    (void)state;
    if (!mkdtemp(root) || chdir(root) != 0 || pom_make_folders("photos", NULL) != POM_OK)
        return -1;
    for (size_t i = 0; i < PICTURES; i++) {
        picture_path(i, path);
        picture_write(path, (int)i);
    }
    fixture_mobilenetv2("net.h5");
    return pom_keras_import("net.h5", "net.onnx", &imported, NULL) == POM_OK ? 0 : -1;
}

static int tear_down(void **state) {
    (void)state;
    char command[64];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    return chdir("/") == 0 ? system(command) : -1; /* NOLINT(cert-env33-c): the tests' own folder */
}

static void push_picture(struct pom_job *job, size_t i) {
    char path[32];
    picture_path(i, path);
    struct pom_item *item = pom_item_new(path, "");
    assert_non_null(item);
    item->source = job->sources[0];
    assert_true(pom_queue_push(job->todo, item));
}

/* A worker's allocations for so many images, in this thread. */
static int count_for(struct pom_job *job, size_t images) {
    void *item;
    job->todo = pom_queue_new(images);
    job->done = pom_queue_new(images);
    for (size_t i = 0; i < images; i++)
        push_picture(job, i);
    pom_queue_close(job->todo);
    pom_allocations = 0;
    pom_worker_run(job);
    int counted = pom_allocations;
    pom_queue_close(job->done);
    size_t done = 0;
    for (; pom_queue_pop(job->done, &item, 1, 1) > 0; done++) {
        assert_int_equal(((struct pom_item *)item)->failed, POM_STAGE_NONE);
        pom_item_free(item);
    }
    assert_int_equal(done, images);
    pom_queue_free(job->todo);
    pom_queue_free(job->done);
    return counted;
}

static void a_worker_allocates_for_the_first_images_only(void **state) {
    (void)state;
    static const char *const sources[] = {"photos"};
    const struct pom_features_options options = {
        .sources = sources, .n_sources = 1, .threads = 1, .filter = POM_FILTER_BICUBIC};
    struct pom_job job = {.options = &options, .n_sources = 1};
    pthread_rwlock_init(&job.large, NULL);
    assert_int_equal(pom_sources_open(sources, 1, NULL, &job.sources, NULL), POM_OK);
    assert_int_equal(pom_model_load("net.onnx", &(struct pom_model_options){.size = SIZE}, &job.model, NULL), POM_OK);
    job.info = pom_model_info(job.model);
    assert_int_equal(pom_budget_plan(&job, NULL), POM_OK);
    assert_int_equal(pom_spool_open("spool", job.info->features, 0, &job.spool, NULL), POM_OK);
    int first = count_for(&job, PICTURES);
    assert_true(first > 0); /* they are counted */
    assert_int_equal(count_for(&job, 5 * PICTURES), first);
    pom_spool_close(job.spool);
    pom_model_free(job.model);
    pom_sources_close(job.sources, 1);
    pthread_rwlock_destroy(&job.large);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_worker_allocates_for_the_first_images_only)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
