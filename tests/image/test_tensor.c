/* Preprocessing, to the bit as the frameworks' float32 operations (make_golden.py does them in numpy). */
#include "image/tensor.h"

#include "cmocka_include.h"
#include "golden.h"
#include <string.h>

static void tensors_equal_the_frameworks(void **state) {
    (void)state;
    char name[32], hash[32];
    int n = 0;
    uint8_t rgb[256 * 3];
    float out[256 * 3];
    for (int i = 0; i < 256 * 3; i++)
        rgb[i] = (uint8_t)(i / 3);
    FILE *list = golden_list("tensor.txt");
    for (; fscanf(list, "%31s %31s", name, hash) == 2; n++) {
        enum pom_preprocess preprocess;
        struct pom_tensor_table table;
        assert_int_equal(pom_preprocess_parse(name, &preprocess, NULL), POM_OK);
        pom_tensor_table_make(preprocess, &table);
        pom_tensor_from_rgb(&table, rgb, 256, out);
        if (!golden_hash_is(out, sizeof out, hash))
            fail_msg("%s: other floats than the framework's", name);
    }
    fclose(list);
    assert_int_equal(n, 4);
}

static void caffe_turns_the_channels_round(void **state) {
    (void)state;
    const uint8_t rgb[] = {10, 20, 30, 200, 100, 0};
    float out[6];
    struct pom_tensor_table table;
    pom_tensor_table_make(POM_PREPROCESS_CAFFE, &table);
    pom_tensor_from_rgb(&table, rgb, 2, out);
    assert_true(out[0] == 30 - 103.939F && out[1] == 20 - 116.779F && out[2] == 10 - 123.68F);
    assert_true(out[3] == 0 - 103.939F && out[4] == 100 - 116.779F && out[5] == 200 - 123.68F);
}

static void preprocessings_have_names(void **state) {
    (void)state;
    enum pom_preprocess preprocess;
    struct pom_message msg;
    for (int i = 0; i <= POM_PREPROCESS_LITE; i++) {
        assert_int_equal(pom_preprocess_parse(pom_preprocess_name((enum pom_preprocess)i), &preprocess, &msg), POM_OK);
        assert_int_equal(preprocess, i);
    }
    assert_int_equal(pom_preprocess_parse("keras", &preprocess, &msg), POM_ERR_ARGUMENT);
    assert_non_null(strstr(msg.text, "caffe"));
}

int main(int argc, char **argv) {
    golden_folder = argc > 1 ? argv[1] : "tests/image/golden";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_equal_the_frameworks),
        cmocka_unit_test(caffe_turns_the_channels_round),
        cmocka_unit_test(preprocessings_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
