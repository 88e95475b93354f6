/* Threads that decode and resize side by side get what one thread gets. */
#include "image/resize.h"

#include "cmocka_include.h"
#include "golden.h"
#include <pthread.h>
#include <string.h>

enum { THREADS = 4, ROUNDS = 20 };

static const char *const names[] = {"jpeg-420.jpg", "jpeg-progressive-444.jpg", "jpeg-cmyk-adobe.jpg",
    "png-type6-16bit-interlaced.png", "webp-lossy-alpha.webp", "webp-animated-lossy.webp"};

enum { N_NAMES = sizeof names / sizeof *names };

static struct pom_buffer files[N_NAMES];
static struct pom_image expected[N_NAMES];

static bool same(struct pom_resizer *resizer, int i, struct pom_image *image, struct pom_image *small) {
    return pom_image_decode(files[i].data, files[i].size, NULL, image, NULL) == POM_OK &&
           pom_resizer_run(resizer, image, 64, 64, POM_FILTER_LANCZOS, small, NULL) == POM_OK &&
           memcmp(small->rgb, expected[i].rgb, image_bytes(small)) == 0;
}

static void *work(void *unused) {
    (void)unused;
    struct pom_resizer resizer = {0};
    struct pom_image image = {0}, small = {0};
    bool good = true;
    for (int i = 0; i < ROUNDS * N_NAMES && good; i++)
        good = same(&resizer, i % N_NAMES, &image, &small);
    pom_resizer_clean_up(&resizer);
    pom_image_clean_up(&image);
    pom_image_clean_up(&small);
    return good ? NULL : expected;
}

static void threads_do_not_disturb_each_other(void **state) {
    (void)state;
    pthread_t threads[THREADS];
    struct pom_image image = {0};
    for (int i = 0; i < N_NAMES; i++) {
        golden_read(names[i], &files[i]);
        golden_decode(names[i], &image);
        assert_int_equal(pom_image_resize(&image, 64, 64, POM_FILTER_LANCZOS, &expected[i], NULL), POM_OK);
    }
    pom_image_clean_up(&image);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, NULL), 0);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_null(result);
    }
    for (int i = 0; i < N_NAMES; i++) {
        pom_buffer_clean_up(&files[i]);
        pom_image_clean_up(&expected[i]);
    }
}

int main(int argc, char **argv) {
    golden_folder = argc > 1 ? argv[1] : "tests/image/golden";
    const struct CMUnitTest tests[] = {cmocka_unit_test(threads_do_not_disturb_each_other)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
