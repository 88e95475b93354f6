/* Decoding and resizing row by row gives what the two give one after the other. */
#include "image/stretch.h"

#include "cmocka_include.h"
#include "golden.h"
#include <dirent.h>
#include <string.h>

struct size {
    int width, height;
};

/* Smaller, larger, wide (rows first), tall, and as some of the pictures are. */
static const struct size sizes[] = {{24, 24}, {300, 280}, {90, 3}, {3, 120}, {48, 32}, {1, 1}};

static void check_same(const char *name, const struct pom_buffer *file, const struct pom_image *whole) {
    struct pom_image wanted = {0}, got = {0};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (int f = POM_FILTER_BICUBIC; f <= POM_FILTER_NEAREST; f++) {
            const struct size size = sizes[i];
            enum pom_filter filter = (enum pom_filter)f;
            assert_int_equal(pom_image_resize(whole, size.width, size.height, filter, &wanted, NULL), POM_OK);
            assert_int_equal(
                pom_image_stretch(file->data, file->size, NULL, size.width, size.height, filter, &got, NULL), POM_OK);
            assert_int_equal(got.width, size.width);
            assert_int_equal(got.height, size.height);
            if (memcmp(got.rgb, wanted.rgb, image_bytes(&wanted)) != 0)
                fail_msg("%s, %s, %dx%d: other pixels", name, pom_filter_name(filter), size.width, size.height);
        }
    }
    pom_image_clean_up(&wanted);
    pom_image_clean_up(&got);
}

/* True where the picture is one. */
static bool check_picture(const char *name) {
    struct pom_buffer file = {0};
    struct pom_image whole = {0}, got = {0};
    golden_read(name, &file);
    enum pom_status status = pom_image_decode(file.data, file.size, NULL, &whole, NULL);
    if (status == POM_OK)
        check_same(name, &file, &whole);
    else
        assert_int_equal(pom_image_stretch(file.data, file.size, NULL, 9, 9, POM_FILTER_BOX, &got, NULL), status);
    pom_image_clean_up(&whole);
    pom_image_clean_up(&got);
    pom_buffer_clean_up(&file);
    return status == POM_OK;
}

static void rows_give_the_same_pixels(void **state) {
    (void)state;
    char path[512];
    int pictures = 0;
    snprintf(path, sizeof path, "%s/files", golden_folder);
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            pictures += check_picture(entry->d_name);
    closedir(folder);
    assert_true(pictures >= 100);
}

static void check_limit(const char *name) {
    struct pom_buffer file = {0};
    struct pom_image image = {0};
    struct pom_message msg = {0};
    size_t needed = 0;
    struct pom_image_limits limits = {.max_memory_bytes = 4000, .needed_bytes = &needed};
    golden_read(name, &file);
    assert_int_equal(pom_image_decode(file.data, file.size, &limits, &image, &msg), POM_ERR_LIMIT);
    assert_true(needed > 4000);
    assert_int_equal(
        pom_image_stretch(file.data, file.size, &limits, 16, 16, POM_FILTER_BICUBIC, &image, &msg), POM_OK);
    limits.max_memory_bytes = 100;
    assert_int_equal(
        pom_image_stretch(file.data, file.size, &limits, 16, 16, POM_FILTER_BICUBIC, &image, &msg), POM_ERR_LIMIT);
    assert_true(needed > 100);
    assert_non_null(strstr(msg.text, "over the memory limit"));
    pom_image_clean_up(&image);
    pom_buffer_clean_up(&file);
}

static void the_limit_is_of_rows_not_of_pictures(void **state) {
    (void)state;
    check_limit("jpeg-420.jpg");
    check_limit("resize-photo-100x100.png");
}

/* Of a PNG that has no rows in order the limit is the whole picture's. */
static void interlaced_pictures_are_held_whole(void **state) {
    (void)state;
    struct pom_buffer file = {0};
    struct pom_image image = {0};
    size_t needed = 0;
    struct pom_image_limits limits = {.max_memory_bytes = 100, .needed_bytes = &needed};
    golden_read("png-size-9x8-interlaced.png", &file);
    assert_int_equal(
        pom_image_stretch(file.data, file.size, &limits, 4, 4, POM_FILTER_BOX, &image, NULL), POM_ERR_LIMIT);
    assert_int_equal(needed, 9 * 8 * 4);
    pom_buffer_clean_up(&file);
}

int main(int argc, char **argv) {
    golden_folder = argc > 1 ? argv[1] : "tests/image/golden";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_give_the_same_pixels),
        cmocka_unit_test(the_limit_is_of_rows_not_of_pictures),
        cmocka_unit_test(interlaced_pictures_are_held_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
