/* Real networks on real photographs: how close int8 comes to exact.
 * usage: test_int8_real SOURCE_ROOT [IMAGES]    IMAGES of each set, evenly spread; default 100 */
#include "cmocka_include.h"

#include "base/buffer.h"
#include "base/file.h"
#include <glob.h>
#include <math.h>
#include <pomona/pomona.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALIBRATION = 64, MAX_BYTES = 1 << 24, BATCH = 8 };

static const char *root;
static size_t wanted = 100;

/* Pictures of the size that a model takes, one after the other. */
static uint8_t *read_pictures(const glob_t *files, size_t n, size_t step, const struct pom_model *model) {
    size_t bytes = (size_t)pom_model_info(model)->width * (size_t)pom_model_info(model)->height * 3;
    struct pom_model *pixels = NULL;
    struct pom_featurizer *featurizer = NULL;
    float *row = malloc(bytes * sizeof *row);
    uint8_t *out = malloc(n * bytes);
    assert_true(row && out);
    assert_int_equal(
        pom_model_load("pixels", &(struct pom_model_options){.size = pom_model_info(model)->width}, &pixels, NULL),
        POM_OK);
    assert_int_equal(pom_featurizer_new(pixels, NULL, &featurizer, NULL), POM_OK);
    for (size_t i = 0; i < n; i++) {
        struct pom_buffer file = {0};
        enum pom_status status;
        assert_int_equal(pom_file_read(files->gl_pathv[i * step], MAX_BYTES, &file, NULL), POM_OK);
        assert_int_equal(
            pom_featurize(featurizer, &(struct pom_bytes){file.data, file.size}, 1, row, &status, NULL, NULL), POM_OK);
        assert_int_equal(status, POM_OK);
        for (size_t k = 0; k < bytes; k++)
            out[i * bytes + k] = (uint8_t)row[k];
        pom_buffer_clean_up(&file);
    }
    pom_featurizer_free(featurizer);
    pom_model_free(pixels);
    free(row);
    return out;
}

static float *run(const struct pom_model *model, const uint8_t *pixels, size_t n) {
    const struct pom_model_info *info = pom_model_info(model);
    size_t bytes = (size_t)info->width * (size_t)info->height * 3;
    struct pom_session *session = NULL;
    float *features = malloc(n * info->features * sizeof *features);
    assert_non_null(features);
    assert_int_equal(pom_session_new(model, BATCH, &session, NULL), POM_OK);
    for (size_t i = 0; i < n; i += BATCH)
        assert_int_equal(pom_session_run(session, pixels + i * bytes, (int)(n - i < BATCH ? n - i : BATCH),
                             features + i * info->features, NULL),
            POM_OK);
    pom_session_free(session);
    return features;
}

static double cosine(const float *a, const float *b, size_t n) {
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < n; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return ab / sqrt(aa * bb);
}

struct closeness {
    double mean, least;
};

static struct closeness compare(
    const struct pom_model *exact, const struct pom_model *int8, const uint8_t *pixels, size_t n) {
    struct closeness c = {0, 1};
    size_t d = pom_model_info(exact)->features;
    float *a = run(exact, pixels, n), *b = run(int8, pixels, n);
    for (size_t i = 0; i < n; i++) {
        double one = cosine(a + i * d, b + i * d, d);
        c.mean += one / (double)n;
        c.least = fmin(c.least, one);
    }
    free(a);
    free(b);
    return c;
}

static struct pom_model *narrow(const char *path, const struct pom_model *exact, const glob_t *files) {
    struct pom_message msg = {0};
    struct pom_model *model = NULL;
    void *blob = NULL;
    size_t n_bytes = 0;
    uint8_t *first = read_pictures(files, CALIBRATION, 1, exact);
    if (pom_model_calibrate(exact, first, CALIBRATION, &blob, &n_bytes, &msg) != POM_OK)
        fail_msg("%s", msg.text);
    struct pom_model_options options = {.precision = POM_PRECISION_INT8, .calibration = {blob, n_bytes}};
    if (pom_model_load(path, &options, &model, &msg) != POM_OK)
        fail_msg("%s", msg.text);
    free(first);
    free(blob);
    return model;
}

static void check_set(const char *path, const struct pom_model *exact, const char *set) {
    char pattern[512];
    glob_t files = {0};
    snprintf(pattern, sizeof pattern, "%s/../shared/data/%s/*/*/*.jpg", root, set);
    glob(pattern, 0, NULL, &files);
    if (files.gl_pathc < CALIBRATION) {
        print_message("SKIPPED photographs: no ../shared/data/%s\n", set);
        globfree(&files);
        return;
    }
    size_t n = wanted < files.gl_pathc ? wanted : files.gl_pathc;
    struct pom_model *int8 = narrow(path, exact, &files);
    uint8_t *pixels = read_pictures(&files, n, files.gl_pathc / n, exact);
    struct closeness c = compare(exact, int8, pixels, n);
    print_message("%s on %zu images of %s: cosine to exact %.5f mean, %.5f least\n", pom_model_info(exact)->name, n,
        set, c.mean, c.least);
    assert_true(c.mean >= 0.995 && c.least >= 0.97);
    free(pixels);
    pom_model_free(int8);
    globfree(&files);
}

static void check_model(const char *path) {
    char full[512];
    struct pom_model *exact = NULL;
    snprintf(full, sizeof full, "%s/%s", root, path);
    if (!pom_file_exists(full)) {
        print_message("SKIPPED a real network: no %s\n", full);
        return;
    }
    assert_int_equal(pom_model_load(full, NULL, &exact, NULL), POM_OK);
    check_set(full, exact, "fruits-360");
    check_set(full, exact, "grocery");
    pom_model_free(exact);
}

static void mobilenetv2_stays_close(void **state) {
    (void)state;
    check_model("../shared/models/mobilenetv2.onnx");
}

static void lite0_stays_close(void **state) {
    (void)state;
    check_model(".deps/models/efficientnet-lite0.onnx");
}

int main(int argc, char **argv) {
    if (argc < 2)
        return 1;
    root = argv[1];
    if (argc > 2)
        wanted = (size_t)atoi(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mobilenetv2_stays_close),
        cmocka_unit_test(lite0_stays_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
