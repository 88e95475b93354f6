/* Calibrations as blobs: the same from the same pictures, and refused where they are damaged or do not fit. */
#include "cmocka_include.h"

#include "keras_fixture.h"
#include "model/calibration.h"
#include "model/keras.h"
#include "model/onnx_writer.h"
#include <math.h>
#include <pomona/pomona.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIZE = 64, PICTURES = 4, FEATURES = 1280, PIXELS = PICTURES * SIZE * SIZE * 3 };

static const char *const H5 = "test-calibration.h5", *const ONNX = "test-calibration.onnx",
                         *const TINY = "test-calibration-tiny.onnx";

static uint8_t pixels[PIXELS];
static struct pom_bytes blob; /* of the network at ONNX */

static struct pom_model *load(const char *path, struct pom_model_options options) {
    struct pom_message msg = {0};
    struct pom_model *model = NULL;
    options.size = options.size ? options.size : SIZE;
    if (pom_model_load(path, &options, &model, &msg) != POM_OK)
        fail_msg("%s", msg.text);
    return model;
}

static struct pom_bytes calibrate(const struct pom_model *model, int n) {
    struct pom_message msg = {0};
    void *data = NULL;
    size_t n_bytes = 0;
    if (pom_model_calibrate(model, pixels, n, &data, &n_bytes, &msg) != POM_OK)
        fail_msg("%s", msg.text);
    return (struct pom_bytes){data, n_bytes};
}

static void expect_refused(
    const char *path, struct pom_model_options options, enum pom_status status, const char *text) {
    struct pom_message msg = {0};
    struct pom_model *model = NULL;
    options.precision = POM_PRECISION_INT8;
    options.size = options.size ? options.size : SIZE;
    assert_int_equal(pom_model_load(path, &options, &model, &msg), status);
    if (!strstr(msg.text, text))
        fail_msg("\"%s\" does not tell of \"%s\"", msg.text, text);
    assert_null(model);
}

static void run(const struct pom_model *model, int max_batch, float *features) {
    struct pom_session *session = NULL;
    assert_int_equal(pom_session_new(model, max_batch, &session, NULL), POM_OK);
    for (size_t i = 0; i < PICTURES; i += (size_t)max_batch)
        assert_int_equal(
            pom_session_run(session, pixels + i * SIZE * SIZE * 3, max_batch, features + i * FEATURES, NULL), POM_OK);
    pom_session_free(session);
}

static void the_same_pictures_give_the_same_blob(void **state) {
    (void)state;
    struct pom_model *exact = load(ONNX, (struct pom_model_options){0});
    struct pom_bytes again = calibrate(exact, PICTURES), fewer = calibrate(exact, 1);
    assert_int_equal(again.n_bytes, blob.n_bytes);
    assert_memory_equal(again.data, blob.data, blob.n_bytes);
    assert_memory_not_equal(fewer.data, blob.data, blob.n_bytes);
    free((void *)(uintptr_t)again.data);
    free((void *)(uintptr_t)fewer.data);
    pom_model_free(exact);
}

static void int8_features_are_close_and_the_same_in_batches(void **state) {
    (void)state;
    static float exact[PICTURES * FEATURES], one[PICTURES * FEATURES], many[PICTURES * FEATURES];
    struct pom_model *model = load(ONNX, (struct pom_model_options){0});
    size_t exact_bytes = pom_model_info(model)->session_bytes, exact_weights = pom_model_info(model)->weight_bytes;
    run(model, 1, exact);
    pom_model_free(model);
    model = load(ONNX, (struct pom_model_options){.precision = POM_PRECISION_INT8, .calibration = blob});
    const struct pom_model_info *info = pom_model_info(model);
    assert_int_equal(info->precision, POM_PRECISION_INT8);
    assert_true(info->session_bytes < exact_bytes && info->weight_bytes < exact_weights / 2);
    run(model, 1, one);
    run(model, PICTURES, many);
    assert_memory_equal(one, many, sizeof one);
    double ab = 0, aa = 0, bb = 0;
    for (int i = 0; i < PICTURES * FEATURES; i++) {
        ab += (double)exact[i] * (double)one[i];
        aa += (double)exact[i] * (double)exact[i];
        bb += (double)one[i] * (double)one[i];
    }
    assert_true(ab / sqrt(aa * bb) > 0.99);
    pom_model_free(model);
}

static void damage_is_refused(void **state) {
    (void)state;
    uint8_t *copy = malloc(blob.n_bytes);
    assert_non_null(copy);
    for (size_t n = 0; n < blob.n_bytes; n += n < 400 ? 1 : 4999)
        expect_refused(ONNX, (struct pom_model_options){.calibration = {blob.data, n}}, POM_ERR_FORMAT, "calibration");
    for (size_t at = 0; at < blob.n_bytes; at += at < 200 ? 1 : 4999) {
        memcpy(copy, blob.data, blob.n_bytes);
        copy[at] ^= (uint8_t)(1U << at % 8);
        expect_refused(
            ONNX, (struct pom_model_options){.calibration = {copy, blob.n_bytes}}, POM_ERR_FORMAT, "calibrat");
    }
    free(copy);
}

/* A blob with a true digest may still hold anything. */
static void what_is_in_it_is_checked(void **state) {
    (void)state;
    struct pom_calibration calibration = {0};
    struct pom_bytes forged = {0};
    void *data = NULL;
    assert_int_equal(pom_calibration_read(blob, &calibration, NULL), POM_OK);
    assert_true(calibration.n_ranges > 50);
    ((float *)(uintptr_t)calibration.ranges[3].high)[2] = INFINITY;
    assert_int_equal(pom_calibration_write(&calibration, &data, &forged.n_bytes, NULL), POM_OK);
    forged.data = data;
    expect_refused(ONNX, (struct pom_model_options){.calibration = forged}, POM_ERR_UNSUPPORTED, "not finite");
    free(data);
    calibration.n_ranges--;
    assert_int_equal(pom_calibration_write(&calibration, &data, &forged.n_bytes, NULL), POM_OK);
    forged.data = data;
    expect_refused(ONNX, (struct pom_model_options){.calibration = forged}, POM_ERR_FORMAT, "tensors");
    free(data);
    pom_calibration_clean_up(&calibration);
}

static void other_models_layers_and_sizes_are_refused(void **state) {
    (void)state;
    expect_refused(TINY, (struct pom_model_options){.calibration = blob}, POM_ERR_FORMAT, "another model file");
    expect_refused(ONNX, (struct pom_model_options){.calibration = blob, .size = 96}, POM_ERR_FORMAT, "64 x 64");
    expect_refused(ONNX, (struct pom_model_options){.calibration = blob, .preprocess = "lite"}, POM_ERR_FORMAT, "tf");
    expect_refused(ONNX, (struct pom_model_options){.calibration = blob, .output_layer = "block_1_expand"},
        POM_ERR_FORMAT, "calibration");
    expect_refused(ONNX, (struct pom_model_options){0}, POM_ERR_ARGUMENT, "needs a calibration");
}

static void only_exact_networks_are_calibrated(void **state) {
    (void)state;
    void *data = NULL;
    size_t n_bytes = 0;
    struct pom_model *model = load("pixels", (struct pom_model_options){0});
    assert_int_equal(pom_model_calibrate(model, pixels, 1, &data, &n_bytes, NULL), POM_ERR_ARGUMENT);
    pom_model_free(model);
    model = load(ONNX, (struct pom_model_options){.precision = POM_PRECISION_INT8, .calibration = blob});
    assert_int_equal(pom_model_calibrate(model, pixels, 1, &data, &n_bytes, NULL), POM_ERR_ARGUMENT);
    pom_model_free(model);
    model = load(ONNX, (struct pom_model_options){0});
    assert_int_equal(pom_model_calibrate(model, pixels, 0, &data, &n_bytes, NULL), POM_ERR_ARGUMENT);
    pom_model_free(model);
}

/* Without convolutions there is nothing to narrow, and the features are the exact ones. */
static void networks_without_convolutions_work(void **state) {
    (void)state;
    float exact[3], narrow[3];
    struct pom_session *session = NULL;
    struct pom_model *model = load(TINY, (struct pom_model_options){0});
    struct pom_bytes own = calibrate(model, 1);
    assert_int_equal(pom_session_new(model, 1, &session, NULL), POM_OK);
    assert_int_equal(pom_session_run(session, pixels, 1, exact, NULL), POM_OK);
    pom_session_free(session);
    pom_model_free(model);
    model = load(TINY, (struct pom_model_options){.precision = POM_PRECISION_INT8, .calibration = own});
    assert_int_equal(pom_session_new(model, 1, &session, NULL), POM_OK);
    assert_int_equal(pom_session_run(session, pixels, 1, narrow, NULL), POM_OK);
    assert_memory_equal(exact, narrow, sizeof exact);
    pom_session_free(session);
    pom_model_free(model);
    free((void *)(uintptr_t)own.data);
}

static void write_tiny(void) {
    struct pom_onnx *onnx = pom_onnx_new("tiny");
    pom_onnx_input(onnx, "image", (struct pom_onnx_dim[]){{"n", 0}, {NULL, 3}, {"h", 0}, {"w", 0}}, 4);
    pom_onnx_node(onnx, "GlobalAveragePool", "pool", (const char *[]){"image"}, 1);
    pom_onnx_output(onnx, "pool", (struct pom_onnx_dim[]){{"n", 0}, {NULL, 3}, {NULL, 1}, {NULL, 1}}, 4);
    pom_onnx_metadata(onnx, "pomona.preprocess", "tf");
    assert_int_equal(pom_onnx_save(onnx, TINY, NULL), POM_OK);
    pom_onnx_free(onnx);
}

static int set_up(void **state) {
    (void)state;
    struct pom_keras_imported imported;
    uint32_t x = 2463534242;
    for (size_t i = 0; i < sizeof pixels; i++) {
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        pixels[i] = (uint8_t)(x >> 24);
    }
    write_tiny();
    fixture_mobilenetv2(H5);
    if (pom_keras_import(H5, ONNX, &imported, NULL) != POM_OK)
        return -1;
    struct pom_model *exact = load(ONNX, (struct pom_model_options){0});
    blob = calibrate(exact, PICTURES);
    pom_model_free(exact);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    free((void *)(uintptr_t)blob.data);
    return unlink(H5) || unlink(ONNX) || unlink(TINY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_pictures_give_the_same_blob),
        cmocka_unit_test(int8_features_are_close_and_the_same_in_batches),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(what_is_in_it_is_checked),
        cmocka_unit_test(other_models_layers_and_sizes_are_refused),
        cmocka_unit_test(only_exact_networks_are_calibrated),
        cmocka_unit_test(networks_without_convolutions_work),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
