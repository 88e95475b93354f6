/* The default model tells real photographs apart: its padding, preprocessing and weights are right.
 * usage: test_lite0 SOURCE_ROOT */
#include "cmocka_include.h"

#include "base/buffer.h"
#include "base/file.h"
#include <glob.h>
#include <pomona/pomona.h>
#include <stdio.h>
#include <stdlib.h>

enum { CLASSES = 1000, MAX_BYTES = 1 << 24 };

/* Labels of ../shared/data/grocery that are classes of ImageNet. */
static const struct {
    const char *label;
    int class;
} labels[] = {{"Granny-Smith", 948}, {"Banana", 954}, {"Orange", 950}, {"Lemon", 951}, {"Pineapple", 953},
    {"Pomegranate", 957}, {"Zucchini", 939}, {"Red-Bell-Pepper", 945}};

static const char *root;

static int best_class(const float *logits) {
    int best = 0;
    for (int i = 1; i < CLASSES; i++)
        if (logits[i] > logits[best])
            best = i;
    return best;
}

/* How many of the photographs of a label get its class; *n counts them. */
static int count_right(struct pom_featurizer *featurizer, const char *label, int class, int *n) {
    char pattern[512];
    glob_t found = {0};
    int right = 0;
    snprintf(pattern, sizeof pattern, "%s/../shared/data/grocery/Test/%s/*.jpg", root, label);
    glob(pattern, 0, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++, ++*n) {
        struct pom_buffer bytes = {0};
        struct pom_message msg = {0};
        float logits[CLASSES];
        enum pom_status status;
        assert_int_equal(pom_file_read(found.gl_pathv[i], MAX_BYTES, &bytes, &msg), POM_OK);
        struct pom_bytes image = {bytes.data, bytes.size};
        assert_int_equal(pom_featurize(featurizer, &image, 1, logits, &status, NULL, &msg), POM_OK);
        assert_int_equal(status, POM_OK);
        right += best_class(logits) == class;
        pom_buffer_clean_up(&bytes);
    }
    globfree(&found);
    return right;
}

static void photographs_get_their_imagenet_class(void **state) {
    (void)state;
    char path[512];
    struct pom_message msg = {0};
    struct pom_model *model = NULL;
    struct pom_featurizer *featurizer = NULL;
    int n = 0, right = 0;
    snprintf(path, sizeof path, "%s/.deps/models/efficientnet-lite0.onnx", root);
    if (!pom_file_exists(path)) {
        print_message("SKIPPED the default model: no %s (make deps)\n", path);
        skip();
    }
    assert_int_equal(pom_model_load(path, &(struct pom_model_options){.output_layer = "logits"}, &model, &msg), POM_OK);
    assert_int_equal(pom_model_info(model)->features, CLASSES);
    assert_int_equal(pom_featurizer_new(model, NULL, &featurizer, &msg), POM_OK);
    for (size_t i = 0; i < sizeof labels / sizeof *labels; i++)
        right += count_right(featurizer, labels[i].label, labels[i].class, &n);
    pom_featurizer_free(featurizer);
    pom_model_free(model);
    if (n == 0) {
        print_message("SKIPPED the default model on photographs: no ../shared/data/grocery\n");
        skip();
    }
    print_message("%d of %d photographs right\n", right, n);
    assert_true(right * 10 >= n * 9);
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 1;
    root = argv[1];
    const struct CMUnitTest tests[] = {cmocka_unit_test(photographs_get_their_imagenet_class)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
