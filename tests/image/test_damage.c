/* Every golden picture, cut and with flipped bits: an error with a message, or a picture; never more (see also the
 * sanitizer builds). */
#include "cmocka_include.h"
#include "golden.h"
#include <stdlib.h>
#include <string.h>

enum { CUTS = 24, FLIPS = 48 };

static const struct pom_image_limits limits = {.max_pixels = 1 << 20, .max_memory_bytes = 64 << 20};

/* Decodes an exact copy, so that a sanitizer sees a read past the end. */
static enum pom_status decode_copy(const char *bytes, size_t n) {
    char *copy = malloc(n + (n == 0));
    assert_non_null(copy);
    memcpy(copy, bytes, n);
    struct pom_image image = {0};
    struct pom_message msg = {""};
    enum pom_status status = pom_image_decode(copy, n, &limits, &image, &msg);
    free(copy);
    if (status == POM_OK)
        assert_true(image.rgb && image.width > 0 && image.height > 0 && image_bytes(&image) <= image.capacity);
    else
        assert_true(msg.text[0] != '\0');
    assert_true(
        status == POM_OK || status == POM_ERR_FORMAT || status == POM_ERR_UNSUPPORTED || status == POM_ERR_LIMIT);
    pom_image_clean_up(&image);
    return status;
}

static void each_picture(void (*visit)(const char *name, struct pom_buffer *bytes)) {
    char name[128];
    FILE *list = golden_list("decode.txt");
    struct pom_buffer bytes = {0};
    while (fscanf(list, "%127s %*d %*d %*s", name) == 1) {
        golden_read(name, &bytes);
        visit(name, &bytes);
    }
    fclose(list);
    pom_buffer_clean_up(&bytes);
}

static void cut(const char *name, struct pom_buffer *bytes) {
    (void)name;
    for (size_t i = 0; i < CUTS; i++)
        decode_copy(bytes->data, bytes->size * i / CUTS);
    decode_copy(bytes->data, bytes->size - 1);
}

static void cut_files_do_no_harm(void **state) {
    (void)state;
    each_picture(cut);
}

/* A picture that lost the second half of its bytes must not pass as whole. */
static void cut_in_half(const char *name, struct pom_buffer *bytes) {
    if (strncmp(name, "webp-animated", 13) != 0 && decode_copy(bytes->data, bytes->size / 2) == POM_OK)
        fail_msg("%s: half of the file was taken for a picture", name);
}

static void half_a_file_is_an_error(void **state) {
    (void)state;
    each_picture(cut_in_half);
}

static uint32_t random_bits(uint32_t *seed) {
    *seed = *seed * 1664525U + 1013904223U; /* Numerical Recipes */
    return *seed >> 8;
}

static void flip(const char *name, struct pom_buffer *bytes) {
    (void)name;
    uint32_t seed = (uint32_t)bytes->size;
    for (int i = 0; i < FLIPS; i++) {
        size_t at = random_bits(&seed) % bytes->size;
        char kept = bytes->data[at];
        bytes->data[at] ^= (char)(1U << random_bits(&seed) % 8);
        decode_copy(bytes->data, bytes->size);
        bytes->data[at] = kept;
    }
}

static void flipped_bits_do_no_harm(void **state) {
    (void)state;
    each_picture(flip);
}

int main(int argc, char **argv) {
    golden_folder = argc > 1 ? argv[1] : "tests/image/golden";
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_files_do_no_harm),
        cmocka_unit_test(half_a_file_is_an_error),
        cmocka_unit_test(flipped_bits_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
