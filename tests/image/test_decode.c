/* Decoding: every golden picture equals Pillow's, everything else is refused with a message that helps. */
#include "image/probe.h"

#include "cmocka_include.h"
#include "golden.h"
#include <stdlib.h>
#include <string.h>

static void pictures_equal_pillows(void **state) {
    (void)state;
    char name[128], hash[32];
    int width, height, n = 0, wrong = 0;
    FILE *list = golden_list("decode.txt");
    struct pom_image image = {0};
    while (fscanf(list, "%127s %d %d %31s", name, &width, &height, hash) == 4) {
        golden_decode(name, &image);
        n++;
        if (image.width == width && image.height == height && golden_hash_is(image.rgb, image_bytes(&image), hash))
            continue;
        print_error("%s: other pixels than Pillow's\n", name);
        wrong++;
    }
    fclose(list);
    pom_image_clean_up(&image);
    assert_int_equal(wrong, 0);
    assert_true(n >= 150);
}

static enum pom_status status_named(const char *name) {
    if (strcmp(name, "unsupported") == 0)
        return POM_ERR_UNSUPPORTED;
    return strcmp(name, "limit") == 0 ? POM_ERR_LIMIT : POM_ERR_FORMAT;
}

static void other_files_are_refused_by_name(void **state) {
    (void)state;
    char name[128], status[32], words[128];
    int n = 0, wrong = 0;
    FILE *list = golden_list("bad.txt");
    struct pom_buffer bytes = {0};
    while (fscanf(list, "%127s %31s %127[^\n]", name, status, words) == 3) {
        struct pom_image image = {0};
        struct pom_message msg = {""};
        golden_read(name, &bytes);
        enum pom_status got = pom_image_decode(bytes.data, bytes.size, NULL, &image, &msg);
        n++;
        if (got != status_named(status) || !strstr(msg.text, words)) {
            print_error("%s: %s: %s\n", name, pom_status_name(got), msg.text);
            wrong++;
        }
        pom_image_clean_up(&image);
    }
    fclose(list);
    pom_buffer_clean_up(&bytes);
    assert_int_equal(wrong, 0);
    assert_true(n >= 35);
}

static void limits_are_kept(void **state) {
    (void)state;
    const char *const names[] = {"jpeg-420.jpg", "jpeg-progressive-444.jpg", "png-gamma.png", "webp-lossy.webp"};
    struct pom_buffer bytes = {0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct pom_image image = {0};
        struct pom_message msg;
        golden_read(names[i], &bytes);
        struct pom_image_limits pixels = {.max_pixels = 100}, memory = {.max_memory_bytes = 1000};
        assert_int_equal(pom_image_decode(bytes.data, bytes.size, &pixels, &image, &msg), POM_ERR_LIMIT);
        assert_non_null(strstr(msg.text, "100 pixels"));
        assert_int_equal(pom_image_decode(bytes.data, bytes.size, &memory, &image, &msg), POM_ERR_LIMIT);
        assert_null(image.rgb);
        struct pom_image_limits enough = {.max_pixels = 45 * 37, .max_memory_bytes = 1 << 20};
        assert_int_equal(pom_image_decode(bytes.data, bytes.size, &enough, &image, &msg), POM_OK);
        pom_image_clean_up(&image);
    }
    pom_buffer_clean_up(&bytes);
}

static void turning_counts_as_memory(void **state) {
    (void)state;
    struct pom_buffer bytes = {0};
    struct pom_image image = {0};
    struct pom_image_limits memory = {.max_memory_bytes = 21 * 14 * 5};
    golden_read("jpeg-orientation-6.jpg", &bytes);
    assert_int_equal(pom_image_decode(bytes.data, bytes.size, &memory, &image, NULL), POM_ERR_LIMIT);
    golden_read("jpeg-orientation-1.jpg", &bytes);
    assert_int_equal(pom_image_decode(bytes.data, bytes.size, &memory, &image, NULL), POM_OK);
    pom_image_clean_up(&image);
    pom_buffer_clean_up(&bytes);
}

static void the_buffer_is_reused(void **state) {
    (void)state;
    struct pom_image image = {0};
    golden_decode("jpeg-444.jpg", &image);
    const uint8_t *first = image.rgb;
    golden_decode("jpeg-gray.jpg", &image);
    assert_ptr_equal(image.rgb, first);
    assert_int_equal(image.width, 31);
    pom_image_clean_up(&image);
    assert_null(image.rgb);
    assert_int_equal(image.width, 0);
}

static void content_is_told_by_its_head(void **state) {
    (void)state;
    const char *name;
    const struct {
        const char *head, *name;
        size_t n;
        enum pom_image_format format;
    } cases[] = {
        {"\xff\xd8\xff\xe0", "JPEG", 4, POM_IMAGE_JPEG},
        {"\x89PNG\r\n\x1a\n", "PNG", 8, POM_IMAGE_PNG},
        {"RIFF\1\2\3\4WEBP", "WebP", 12, POM_IMAGE_WEBP},
        {"RIFF\1\2\3\4WAVE", NULL, 12, POM_IMAGE_UNKNOWN},
        {"\xff\xd8", NULL, 2, POM_IMAGE_UNKNOWN},
        {"\xff\x0a", "JPEG XL", 2, POM_IMAGE_UNKNOWN},
        {"BM is how this text starts", "text", 26, POM_IMAGE_UNKNOWN},
        {"%PDF-1.7", "PDF", 8, POM_IMAGE_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(pom_image_probe((const uint8_t *)cases[i].head, cases[i].n, &name), cases[i].format);
        if (cases[i].name)
            assert_string_equal(name, cases[i].name);
        else
            assert_null(name);
    }
}

int main(int argc, char **argv) {
    golden_folder = argc > 1 ? argv[1] : "tests/image/golden";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_equal_pillows),
        cmocka_unit_test(other_files_are_refused_by_name),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(turning_counts_as_memory),
        cmocka_unit_test(the_buffer_is_reused),
        cmocka_unit_test(content_is_told_by_its_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
