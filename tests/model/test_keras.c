/* Reading Keras's weights: what a file may be, and what is said of one that is not. */
#include "cmocka_include.h"

#include "base/file.h"
#include "keras_fixture.h"
#include "model/keras.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const H5 = "test-keras.h5", *const ONNX = "test-keras.onnx";

static const char *crashers; /* a folder */

static int clean(void **state) {
    (void)state;
    unlink(H5);
    unlink(ONNX);
    return 0;
}

/* Imports, expects the status, and that the message holds text; nothing may be written. */
static void expect_refused(enum pom_status expected, const char *text) {
    struct pom_message msg = {0};
    struct pom_keras_imported imported;
    assert_int_equal(pom_keras_import(H5, ONNX, &imported, &msg), expected);
    if (!strstr(msg.text, text))
        fail_msg("\"%s\" does not tell of \"%s\"", msg.text, text);
    assert_false(pom_file_exists(ONNX));
}

static void put(const void *bytes, size_t n) {
    FILE *file = fopen(H5, "wb");
    assert_true(fwrite(bytes, 1, n, file) == n && fclose(file) == 0);
}

static void the_published_names_are_known_by_their_order(void **state) {
    (void)state;
    struct pom_message msg = {0};
    struct pom_keras_imported imported = {0};
    fixture_mobilenetv2(H5);
    assert_int_equal(pom_keras_import(H5, ONNX, &imported, &msg), POM_OK);
    assert_string_equal(imported.network, "mobilenetv2");
    assert_false(imported.classifier);
    assert_true(pom_file_exists(ONNX));
}

static void what_is_no_hdf5_is_refused(void **state) {
    (void)state;
    expect_refused(POM_ERR_NOT_FOUND, H5);
    put("", 0);
    expect_refused(POM_ERR_FORMAT, "not an HDF5 file");
    put("PK\3\4", 4);
    expect_refused(POM_ERR_UNSUPPORTED, "model.weights.h5");
    put("<html>404 Not Found</html>", 26);
    expect_refused(POM_ERR_FORMAT, "not an HDF5 file");
}

static void another_network_is_named_by_its_first_layer(void **state) {
    (void)state;
    struct keras_fixture fixture;
    fixture_start(&fixture, H5);
    fixture_layer(&fixture, "lstm_1", 2, 2, (hsize_t[]){4, 5}, 5, 0);
    fixture_finish(&fixture);
    expect_refused(POM_ERR_UNSUPPORTED, "lstm_1");
}

static void a_file_without_layers_is_refused(void **state) {
    (void)state;
    hid_t file = H5Fcreate(H5, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    expect_refused(POM_ERR_FORMAT, "no weights");
}

/* VGG16's 13 convolutions, all of one shape, so that the first is refused. */
static void write_small_vgg(void) {
    static const int convs[] = {2, 2, 3, 3, 3};
    struct keras_fixture fixture;
    char name[64];
    fixture_start(&fixture, H5);
    for (int block = 1; block <= 5; block++)
        for (int i = 1; i <= convs[block - 1]; i++) {
            snprintf(name, sizeof name, "block%d_conv%d", block, i);
            fixture_layer(&fixture, name, 2, 4, (hsize_t[]){3, 3, 3, 2}, 2, 0);
        }
    fixture_finish(&fixture);
}

static void a_wrong_shape_names_the_layer(void **state) {
    (void)state;
    write_small_vgg();
    expect_refused(POM_ERR_FORMAT, "layer block1_conv1 has an array of shape 3x3x3x2 where the network has 3x3x3x64");
}

static void a_missing_layer_is_named(void **state) {
    (void)state;
    struct keras_fixture fixture;
    fixture_start(&fixture, H5);
    fixture_layer(&fixture, "block5_conv3", 2, 4, (hsize_t[]){3, 3, 512, 512}, 512, 0);
    fixture_finish(&fixture);
    expect_refused(POM_ERR_FORMAT, "layer block1_conv1");
}

static void a_missing_array_names_the_layer(void **state) {
    (void)state;
    struct keras_fixture fixture;
    fixture_start(&fixture, H5);
    fixture_layer(&fixture, "block1_conv1", 1, 4, (hsize_t[]){3, 3, 3, 64}, 0, 0);
    fixture_layer(&fixture, "block5_conv3", 2, 4, (hsize_t[]){3, 3, 512, 512}, 512, 0);
    fixture_finish(&fixture);
    expect_refused(POM_ERR_FORMAT, "layer block1_conv1 has 1 arrays");
}

static void links_to_other_files_are_not_followed(void **state) {
    (void)state;
    write_small_vgg();
    hid_t file = H5Fopen(H5, H5F_ACC_RDWR, H5P_DEFAULT);
    H5Lcreate_external("/etc/passwd", "/", file, "elsewhere", H5P_DEFAULT, H5P_DEFAULT);
    H5Fclose(file);
    expect_refused(POM_ERR_FORMAT, "table of groups");
}

static void every_truncation_is_refused(void **state) {
    (void)state;
    struct pom_message msg = {0};
    struct pom_buffer whole = {0};
    write_small_vgg();
    assert_int_equal(pom_file_read(H5, 1 << 20, &whole, &msg), POM_OK);
    for (size_t n = 0; n < whole.size; n += whole.size / 97 + 1) {
        put(whole.data, n);
        expect_refused(POM_ERR_FORMAT, H5);
    }
    pom_buffer_clean_up(&whole);
}

/* None can be imported, as the shapes are wrong to begin with; what counts is that each comes to an end with a message.
 */
static void flipped_bits_are_survived(void **state) {
    (void)state;
    struct pom_message msg = {0};
    struct pom_buffer whole = {0};
    uint32_t x = 2463534242;
    write_small_vgg();
    assert_int_equal(pom_file_read(H5, 1 << 20, &whole, &msg), POM_OK);
    for (int i = 0; i < 300; i++) {
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        size_t place = x % whole.size;
        whole.data[place] = (char)(whole.data[place] ^ (1 << (x >> 29)));
        put(whole.data, whole.size);
        struct pom_keras_imported imported;
        assert_int_not_equal(pom_keras_import(H5, ONNX, &imported, &msg), POM_OK);
        assert_true(strlen(msg.text) > 0);
        whole.data[place] = (char)(whole.data[place] ^ (1 << (x >> 29)));
    }
    pom_buffer_clean_up(&whole);
}

/* What fuzzing found: libhdf5 reads past its buffers. It does so in a process of its own. */
static void crashers_are_survived(void **state) {
    (void)state;
    static const char *const names[] = {"wild-address.h5", "past-the-end.h5"};
    signal(SIGSEGV, SIG_DFL); /* in the child too: cmocka would go on there */
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[512];
        struct pom_message msg = {0};
        struct pom_keras_imported imported;
        snprintf(path, sizeof path, "%s/%s", crashers, names[i]);
        assert_true(pom_file_exists(path));
        assert_int_not_equal(pom_keras_import(path, ONNX, &imported, &msg), POM_OK);
        assert_true(strlen(msg.text) > 0);
        assert_false(pom_file_exists(ONNX));
    }
}

int main(int argc, char **argv) {
    crashers = argc > 1 ? argv[1] : "tests/model/crashers-h5";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_published_names_are_known_by_their_order, clean),
        cmocka_unit_test_teardown(what_is_no_hdf5_is_refused, clean),
        cmocka_unit_test_teardown(another_network_is_named_by_its_first_layer, clean),
        cmocka_unit_test_teardown(a_file_without_layers_is_refused, clean),
        cmocka_unit_test_teardown(a_wrong_shape_names_the_layer, clean),
        cmocka_unit_test_teardown(a_missing_layer_is_named, clean),
        cmocka_unit_test_teardown(a_missing_array_names_the_layer, clean),
        cmocka_unit_test_teardown(links_to_other_files_are_not_followed, clean),
        cmocka_unit_test_teardown(every_truncation_is_refused, clean),
        cmocka_unit_test_teardown(flipped_bits_are_survived, clean),
        cmocka_unit_test_teardown(crashers_are_survived, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
