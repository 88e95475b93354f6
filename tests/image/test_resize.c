/* Resizing: the golden set of Pillow's results on every instruction set that this CPU runs. */
#include "base/cpu.h"
#include "image/resize.h"

#include "cmocka_include.h"
#include "golden.h"
#include <stdlib.h>
#include <string.h>

/* The instruction sets to test: those of this build that this CPU has. */
static int available(enum pom_isa isas[4]) {
    int n = 0;
    isas[n++] = POM_ISA_REF;
    for (enum pom_isa isa = POM_ISA_AVX2; isa < POM_ISA_COUNT; isa++)
        if (isa == pom_isa_base(isa) && pom_cpu_has(isa))
            isas[n++] = isa;
    return n;
}

static void check_goldens(const struct pom_resize_kernels *kernels, const char *isa) {
    char name[128], filter_name[32], hash[32], last[128] = "";
    int width, height, n = 0, wrong = 0;
    FILE *list = golden_list("resize.txt");
    struct pom_resizer resizer = {.kernels = kernels};
    struct pom_image src = {0}, dst = {0};
    while (fscanf(list, "%127s %31s %d %d %31s", name, filter_name, &width, &height, hash) == 5) {
        enum pom_filter filter;
        if (strcmp(name, last) != 0)
            golden_decode(name, &src);
        memcpy(last, name, sizeof last);
        assert_int_equal(pom_filter_parse(filter_name, &filter, NULL), POM_OK);
        assert_int_equal(pom_resizer_run(&resizer, &src, width, height, filter, &dst, NULL), POM_OK);
        n++;
        if (golden_hash_is(dst.rgb, image_bytes(&dst), hash))
            continue;
        print_error("%s %s %dx%d on %s: other pixels than Pillow's\n", name, filter_name, width, height, isa);
        wrong++;
    }
    fclose(list);
    pom_resizer_clean_up(&resizer);
    pom_image_clean_up(&src);
    pom_image_clean_up(&dst);
    assert_int_equal(wrong, 0);
    assert_true(n >= 500);
}

static void results_equal_pillows(void **state) {
    (void)state;
    enum pom_isa isas[4];
    for (int i = 0, n = available(isas); i < n; i++)
        check_goldens(pom_resize_kernels_for(isas[i]), pom_isa_name(isas[i]));
}

static void equal_sizes_allocate_once(void **state) {
    (void)state;
    struct pom_resizer resizer = {0};
    struct pom_image src = {0}, dst = {0};
    golden_decode("resize-photo-61x47.png", &src);
    assert_int_equal(pom_resizer_run(&resizer, &src, 30, 90, POM_FILTER_BICUBIC, &dst, NULL), POM_OK);
    struct pom_resizer before = resizer;
    const uint8_t *rgb = dst.rgb;
    assert_int_equal(pom_resizer_run(&resizer, &src, 30, 90, POM_FILTER_BICUBIC, &dst, NULL), POM_OK);
    assert_memory_equal(&resizer, &before, sizeof resizer);
    assert_ptr_equal(dst.rgb, rgb);
    pom_resizer_clean_up(&resizer);
    pom_image_clean_up(&src);
    pom_image_clean_up(&dst);
}

static void bad_arguments_are_refused(void **state) {
    (void)state;
    uint8_t pixel[3] = {1, 2, 3};
    struct pom_image src = {.rgb = pixel, .width = 1, .height = 1}, none = {0}, dst = {0};
    struct pom_message msg;
    assert_int_equal(pom_image_resize(&src, 0, 5, POM_FILTER_BOX, &dst, &msg), POM_ERR_ARGUMENT);
    assert_int_equal(pom_image_resize(&src, 5, 65536, POM_FILTER_BOX, &dst, &msg), POM_ERR_ARGUMENT);
    assert_non_null(strstr(msg.text, "5x65536"));
    assert_int_equal(pom_image_resize(&none, 5, 5, POM_FILTER_BOX, &dst, &msg), POM_ERR_ARGUMENT);
    assert_int_equal(pom_image_resize(&src, 5, 5, POM_FILTER_BOX, &src, &msg), POM_ERR_ARGUMENT);
    assert_int_equal(pom_image_resize(&src, 5, 5, (enum pom_filter)5, &dst, &msg), POM_ERR_ARGUMENT);
    assert_int_equal(pom_image_resize(&src, 2, 2, POM_FILTER_LANCZOS, &dst, &msg), POM_OK);
    assert_memory_equal(dst.rgb, "\1\2\3\1\2\3\1\2\3\1\2\3", 12);
    pom_image_clean_up(&dst);
}

static void filters_have_names(void **state) {
    (void)state;
    enum pom_filter filter;
    struct pom_message msg;
    for (int i = 0; i <= POM_FILTER_NEAREST; i++) {
        assert_int_equal(pom_filter_parse(pom_filter_name((enum pom_filter)i), &filter, &msg), POM_OK);
        assert_int_equal(filter, i);
    }
    assert_int_equal(pom_filter_parse("cubic", &filter, &msg), POM_ERR_ARGUMENT);
    assert_non_null(strstr(msg.text, "bicubic"));
    assert_string_equal(pom_filter_name((enum pom_filter)77), "unknown");
}

int main(int argc, char **argv) {
    golden_folder = argc > 1 ? argv[1] : "tests/image/golden";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_equal_pillows),
        cmocka_unit_test(equal_sizes_allocate_once),
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(filters_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
