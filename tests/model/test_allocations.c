/* Sessions and featurizers allocate when they are made and at their first image, and never again. */
#include "cmocka_include.h"

#include "allocations.h"
#include "keras_fixture.h"
#include "model/keras.h"
#include <pomona/pomona.h>
#include <stdio.h>
// jpeglib needs the one above
#include <jpeglib.h>
#include <stdlib.h>
#include <unistd.h>

enum { SIZE = 64, SIDE = 100, BATCH = 4, FEATURES = 1280 };

static const char *const H5 = "test-allocations.h5", *const ONNX = "test-allocations.onnx";

static void write_jpeg(uint8_t grey, unsigned char **data, unsigned long *n) {
    struct jpeg_compress_struct info;
    struct jpeg_error_mgr errors;
    uint8_t line[SIDE * 3];
    info.err = jpeg_std_error(&errors);
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, data, n);
    info.image_width = info.image_height = SIDE;
    info.input_components = 3;
    info.in_color_space = JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_start_compress(&info, TRUE);
    for (int y = 0; y < SIDE; y++) {
        for (size_t x = 0; x < sizeof line; x++)
            line[x] = (uint8_t)(grey + y + (int)x);
        jpeg_write_scanlines(&info, (JSAMPARRAY) & (JSAMPROW){line}, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
}

static uint8_t pixels[BATCH * SIZE * SIZE * 3];

static void expect_no_allocations(const struct pom_model *model) {
    static float features[BATCH * FEATURES];
    struct pom_session *session = NULL;
    pom_allocations = 0;
    assert_int_equal(pom_session_new(model, BATCH, &session, NULL), POM_OK);
    assert_true(pom_allocations > 0); /* they are counted */
    pom_allocations = 0;
    for (int n = 1; n <= BATCH; n++)
        assert_int_equal(pom_session_run(session, pixels, n, features, NULL), POM_OK);
    assert_int_equal(pom_allocations, 0);
    pom_session_free(session);
}

static void sessions_allocate_nothing(void **state) {
    expect_no_allocations(*state);
}

static void nor_do_they_in_int8(void **state) {
    struct pom_model *model = NULL;
    void *blob = NULL;
    size_t n_bytes = 0;
    assert_int_equal(pom_model_calibrate(*state, pixels, 1, &blob, &n_bytes, NULL), POM_OK);
    struct pom_model_options options = {.size = SIZE, .precision = POM_PRECISION_INT8, .calibration = {blob, n_bytes}};
    assert_int_equal(pom_model_load(ONNX, &options, &model, NULL), POM_OK);
    expect_no_allocations(model);
    pom_model_free(model);
    free(blob);
}

static void featurizers_allocate_for_the_first_images_only(void **state) {
    static float features[BATCH * FEATURES];
    struct pom_featurizer *featurizer = NULL;
    struct pom_bytes images[BATCH];
    enum pom_status statuses[BATCH];
    unsigned char *data[BATCH] = {NULL};
    for (int i = 0; i < BATCH; i++) {
        unsigned long n = 0;
        write_jpeg((uint8_t)(50 * i), &data[i], &n);
        images[i] = (struct pom_bytes){data[i], n};
    }
    assert_int_equal(pom_featurizer_new(*state, NULL, &featurizer, NULL), POM_OK);
    for (int round = 0; round < 3; round++) {
        pom_allocations = 0;
        assert_int_equal(pom_featurize(featurizer, images, BATCH, features, statuses, NULL, NULL), POM_OK);
        for (int i = 0; i < BATCH; i++)
            assert_int_equal(statuses[i], POM_OK);
        assert_true(round == 0 ? pom_allocations > 0 : pom_allocations == 0);
    }
    pom_featurizer_free(featurizer);
    for (int i = 0; i < BATCH; i++)
        free(data[i]);
}

static int set_up(void **state) {
    struct pom_keras_imported imported;
    struct pom_model *model = NULL;
    fixture_mobilenetv2(H5);
    if (pom_keras_import(H5, ONNX, &imported, NULL) != POM_OK ||
        pom_model_load(ONNX, &(struct pom_model_options){.size = SIZE}, &model, NULL) != POM_OK)
        return -1;
    *state = model;
    return 0;
}

static int tear_down(void **state) {
    pom_model_free(*state);
    return unlink(H5) || unlink(ONNX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sessions_allocate_nothing),
        cmocka_unit_test(nor_do_they_in_int8),
        cmocka_unit_test(featurizers_allocate_for_the_first_images_only),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
