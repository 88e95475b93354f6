/* Loading, sessions and featurizers, through the public API, on models that the test makes. */
#include "cmocka_include.h"

#include "keras_fixture.h"
#include "model/keras.h"
#include "model/onnx_writer.h"
#include <math.h>
#include <pomona/pomona.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const TINY = "test-tiny.onnx", *const MOBILENET = "test-mobilenetv2.onnx";

/* The mean of each channel of an image of any size; the metadata says the preprocessing unless it is NULL. */
static void write_tiny(const char *preprocess) {
    struct pom_message msg = {0};
    struct pom_onnx *onnx = pom_onnx_new("tiny");
    pom_onnx_input(onnx, "image", (struct pom_onnx_dim[]){{"n", 0}, {NULL, 3}, {"h", 0}, {"w", 0}}, 4);
    pom_onnx_node(onnx, "GlobalAveragePool", "pool", (const char *[]){"image"}, 1);
    struct pom_onnx_node *flat = pom_onnx_node(onnx, "Flatten", "flat", (const char *[]){"pool"}, 1);
    pom_onnx_int(onnx, flat, "axis", 1);
    pom_onnx_output(onnx, "flat", (struct pom_onnx_dim[]){{"n", 0}, {NULL, 3}}, 2);
    if (preprocess)
        pom_onnx_metadata(onnx, "pomona.preprocess", preprocess);
    assert_int_equal(pom_onnx_save(onnx, TINY, &msg), POM_OK);
    pom_onnx_free(onnx);
}

static struct pom_model *load(const char *name, struct pom_model_options options) {
    struct pom_message msg = {0};
    struct pom_model *model = NULL;
    if (pom_model_load(name, &options, &model, &msg) != POM_OK)
        fail_msg("%s", msg.text);
    return model;
}

static void expect_refused(
    const char *name, struct pom_model_options options, enum pom_status status, const char *text) {
    struct pom_message msg = {0};
    struct pom_model *model = NULL;
    assert_int_equal(pom_model_load(name, &options, &model, &msg), status);
    if (!strstr(msg.text, text))
        fail_msg("\"%s\" does not tell of \"%s\"", msg.text, text);
    assert_null(model);
}

/* Runs one image. */
static void run(const struct pom_model *model, const uint8_t *pixels, float *features) {
    struct pom_message msg = {0};
    struct pom_session *session = NULL;
    assert_int_equal(pom_session_new(model, 1, &session, &msg), POM_OK);
    assert_int_equal(pom_session_run(session, pixels, 1, features, &msg), POM_OK);
    pom_session_free(session);
}

static void pixels_are_their_own_features(void **state) {
    (void)state;
    struct pom_model *model = load("pixels", (struct pom_model_options){.size = 2});
    uint8_t pixels[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 128, 255};
    float features[12];
    assert_int_equal(pom_model_info(model)->features, 12);
    run(model, pixels, features);
    for (int i = 0; i < 12; i++)
        assert_true(features[i] == (float)pixels[i]);
    pom_model_free(model);
    model = load("pixels", (struct pom_model_options){0});
    assert_int_equal(pom_model_info(model)->features, 224 * 224 * 3);
    pom_model_free(model);
    expect_refused("pixels", (struct pom_model_options){.output_layer = "x"}, POM_ERR_ARGUMENT, "--output-layer");
}

static void preprocessing_comes_from_the_file_or_is_asked_for(void **state) {
    (void)state;
    static const struct {
        const char *name;
        float red, green, blue; /* of (255, 127, 0), in the order of the network's channels */
    } cases[] = {{"tf", 1, 127 / 127.5F - 1, -1}, {"caffe", -103.939F, 127 - 116.779F, 255 - 123.68F},
        {"lite", 1, 0, -127 / 128.0F},
        {"torch", (1 - 0.485F) / 0.229F, (127 / 255.0F - 0.456F) / 0.224F, -0.406F / 0.225F}};
    uint8_t pixels[8 * 8 * 3];
    for (size_t i = 0; i < sizeof pixels; i += 3)
        memcpy(pixels + i, (uint8_t[]){255, 127, 0}, 3);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        float features[3];
        write_tiny(cases[i].name);
        struct pom_model *model = load(TINY, (struct pom_model_options){.size = 8});
        assert_string_equal(pom_model_info(model)->preprocess, cases[i].name);
        run(model, pixels, features);
        assert_float_equal(features[0], cases[i].red, 1e-4);
        assert_float_equal(features[1], cases[i].green, 1e-4);
        assert_float_equal(features[2], cases[i].blue, 1e-4);
        pom_model_free(model);
    }
    write_tiny(NULL);
    expect_refused(TINY, (struct pom_model_options){0}, POM_ERR_ARGUMENT, "--preprocess tf");
    expect_refused(TINY, (struct pom_model_options){.preprocess = "keras"}, POM_ERR_ARGUMENT, "keras");
    pom_model_free(load(TINY, (struct pom_model_options){.preprocess = "torch"}));
}

static void what_cannot_be_loaded_is_explained(void **state) {
    (void)state;
    write_tiny("tf");
    expect_refused("no-such.onnx", (struct pom_model_options){0}, POM_ERR_NOT_FOUND, "no-such.onnx");
    expect_refused("resnet-50", (struct pom_model_options){0}, POM_ERR_NOT_FOUND, "pomona model list");
    expect_refused(TINY, (struct pom_model_options){.output_layer = "fc9"}, POM_ERR_NOT_FOUND, "fc9");
    expect_refused(TINY, (struct pom_model_options){.size = -1}, POM_ERR_ARGUMENT, "size");
    expect_refused(TINY, (struct pom_model_options){.size = 1 << 20}, POM_ERR_ARGUMENT, "size");
    expect_refused("/dev/null", (struct pom_model_options){0}, POM_ERR_IO, "/dev/null");
}

static void the_info_tells_what_was_loaded(void **state) {
    (void)state;
    write_tiny("tf");
    struct pom_model *model = load(TINY, (struct pom_model_options){0});
    const struct pom_model_info *info = pom_model_info(model);
    assert_string_equal(info->name, "test-tiny");
    assert_string_equal(info->path, TINY);
    assert_string_equal(info->output_layer, "flat");
    assert_int_equal(strlen(info->sha256), 64);
    assert_int_equal(info->width, 224);
    assert_int_equal(info->features, 3);
    pom_model_free(model);
}

static void precisions_that_are_not_offered_are_refused(void **state) {
    (void)state;
    write_tiny("tf");
    assert_true(pom_precision_offered(POM_PRECISION_EXACT));
    for (enum pom_precision p = POM_PRECISION_EXACT; p <= POM_PRECISION_INT8; p++)
        if (!pom_precision_offered(p))
            expect_refused(
                TINY, (struct pom_model_options){.precision = p}, POM_ERR_UNSUPPORTED, pom_precision_name(p));
    expect_refused(TINY, (struct pom_model_options){.precision = (enum pom_precision)3}, POM_ERR_ARGUMENT, "3");
}

static void batches_are_bounded(void **state) {
    (void)state;
    struct pom_message msg = {0};
    struct pom_session *session = NULL;
    struct pom_model *model = load("pixels", (struct pom_model_options){.size = 1});
    assert_int_equal(pom_session_new(model, 0, &session, &msg), POM_ERR_ARGUMENT);
    assert_int_equal(pom_session_new(model, 2, &session, &msg), POM_OK);
    float features[9];
    assert_int_equal(pom_session_run(session, (uint8_t[9]){0}, 3, features, &msg), POM_ERR_ARGUMENT);
    assert_int_equal(pom_session_run(session, (uint8_t[9]){0}, -1, features, &msg), POM_ERR_ARGUMENT);
    assert_int_equal(pom_session_run(session, NULL, 0, features, &msg), POM_OK);
    pom_session_free(session);
    pom_model_free(model);
}

static void fill_noise(uint8_t *out, size_t n) {
    uint32_t x = 2463534242;
    for (size_t i = 0; i < n; i++) {
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        out[i] = (uint8_t)(x >> 24);
    }
}

/* Rank-4 features of a network from Keras come pixel by pixel, each with its channels: so their mean over the pixels is
 * the average. */
static void unpooled_features_are_in_keras_s_order(void **state) {
    (void)state;
    enum { PIXELS = 2 * 2, CHANNELS = 1280, SIZE = 64 };
    struct pom_model_options unpooled = {.size = SIZE, .output_layer = "out_relu"}, pooled = {.size = SIZE};
    uint8_t *pixels = malloc((size_t)SIZE * SIZE * 3);
    float *grid = malloc(sizeof *grid * PIXELS * CHANNELS), average[CHANNELS];
    fill_noise(pixels, (size_t)SIZE * SIZE * 3);
    struct pom_model *model = load(MOBILENET, unpooled);
    assert_int_equal(pom_model_info(model)->features, PIXELS * CHANNELS);
    run(model, pixels, grid);
    pom_model_free(model);
    model = load(MOBILENET, pooled);
    assert_int_equal(pom_model_info(model)->features, CHANNELS);
    run(model, pixels, average);
    pom_model_free(model);
    for (int c = 0; c < CHANNELS; c++) {
        float sum = 0;
        for (int p = 0; p < PIXELS; p++)
            sum += grid[p * CHANNELS + c];
        assert_float_equal(sum / PIXELS, average[c], 1e-5);
    }
    free(grid);
    free(pixels);
}

static void a_batch_gives_the_bits_of_its_images(void **state) {
    (void)state;
    enum { N = 3, SIZE = 64, CHANNELS = 1280 };
    struct pom_message msg = {0};
    struct pom_session *session = NULL;
    size_t picture = (size_t)SIZE * SIZE * 3;
    uint8_t *pixels = malloc(N * picture);
    float *together = malloc(sizeof *together * N * CHANNELS), one[CHANNELS];
    fill_noise(pixels, N * picture);
    struct pom_model *model = load(MOBILENET, (struct pom_model_options){.size = SIZE});
    assert_int_equal(pom_session_new(model, N, &session, &msg), POM_OK);
    assert_int_equal(pom_session_run(session, pixels, N, together, &msg), POM_OK);
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(pom_session_run(session, pixels + i * picture, 1, one, &msg), POM_OK);
        assert_memory_equal(one, together + i * CHANNELS, sizeof one);
    }
    pom_session_free(session);
    pom_model_free(model);
    free(together);
    free(pixels);
}

/* A PNG of one white pixel, written by Pillow. */
static const uint8_t white_png[] = {0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48,
    0x44, 0x52, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x00, 0x00, 0x00, 0x90, 0x77, 0x53, 0xde,
    0x00, 0x00, 0x00, 0x0c, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xf8, 0xff, 0xff, 0x3f, 0x00, 0x05, 0xfe, 0x02,
    0xfe, 0x0d, 0xef, 0x46, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};

static void bad_images_leave_the_others_alone(void **state) {
    (void)state;
    enum { N = 5 };
    struct pom_message msg = {0}, messages[N] = {0};
    struct pom_featurizer *featurizer = NULL;
    struct pom_model *model = load("pixels", (struct pom_model_options){.size = 2});
    struct pom_bytes good = {white_png, sizeof white_png}, cut = {white_png, 40}, empty = {NULL, 0};
    struct pom_bytes images[N] = {good, cut, good, empty, good};
    enum pom_status statuses[N];
    float features[N * 12];
    assert_int_equal(
        pom_featurizer_new(model, &(struct pom_featurizer_options){.max_batch = 2}, &featurizer, &msg), POM_OK);
    assert_int_equal(pom_featurize(featurizer, images, N, features, statuses, messages, &msg), POM_OK);
    for (int i = 0; i < N; i++) {
        bool fine = i % 2 == 0;
        assert_true((statuses[i] == POM_OK) == fine);
        assert_true((messages[i].text[0] == '\0') == fine);
        for (int j = 0; j < 12; j++)
            assert_true(features[i * 12 + j] == (fine ? 255.0F : 0.0F));
    }
    assert_int_equal(pom_featurize(featurizer, NULL, 0, NULL, NULL, NULL, &msg), POM_OK);
    pom_featurizer_free(featurizer);
    pom_model_free(model);
}

static int set_up(void **state) {
    (void)state;
    struct pom_message msg = {0};
    struct pom_keras_imported imported;
    fixture_mobilenetv2("test-mobilenetv2.h5");
    return pom_keras_import("test-mobilenetv2.h5", MOBILENET, &imported, &msg) != POM_OK;
}

static int tear_down(void **state) {
    (void)state;
    return unlink("test-mobilenetv2.h5") || unlink(MOBILENET) || unlink(TINY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_are_their_own_features),
        cmocka_unit_test(preprocessing_comes_from_the_file_or_is_asked_for),
        cmocka_unit_test(what_cannot_be_loaded_is_explained),
        cmocka_unit_test(the_info_tells_what_was_loaded),
        cmocka_unit_test(precisions_that_are_not_offered_are_refused),
        cmocka_unit_test(batches_are_bounded),
        cmocka_unit_test(unpooled_features_are_in_keras_s_order),
        cmocka_unit_test(a_batch_gives_the_bits_of_its_images),
        cmocka_unit_test(bad_images_leave_the_others_alone),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
