/* The EXIF reader on whole, odd and hostile blocks. */
#include "image/exif.h"

#include "cmocka_include.h"
#include <stdlib.h>
#include <string.h>

/* A little-endian block of one entry; tests bend it. */
static const uint8_t block[26] = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0};

/* On an exact heap copy, so that a sanitizer sees a read outside. */
static int orientation_of(const uint8_t *data, size_t n) {
    uint8_t *copy = malloc(n + (n == 0));
    assert_non_null(copy);
    memcpy(copy, data, n);
    int orientation = pom_exif_orientation(copy, n);
    free(copy);
    return orientation;
}

static int bent(size_t at, uint8_t value) {
    uint8_t copy[sizeof block];
    memcpy(copy, block, sizeof block);
    copy[at] = value;
    return orientation_of(copy, sizeof copy);
}

static void whole_blocks_are_read(void **state) {
    (void)state;
    assert_int_equal(orientation_of(block, sizeof block), 6);
    const uint8_t big[26] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 5};
    assert_int_equal(orientation_of(big, sizeof big), 5);
    uint8_t prefixed[32] = "Exif";
    memcpy(prefixed + 6, block, sizeof block);
    assert_int_equal(orientation_of(prefixed, sizeof prefixed), 6);
    for (uint8_t i = 1; i <= 8; i++)
        assert_int_equal(bent(18, i), i);
}

static void damage_means_upright(void **state) {
    (void)state;
    assert_int_equal(bent(0, 'X'), 1);  /* byte order */
    assert_int_equal(bent(1, 'M'), 1);  /* byte order */
    assert_int_equal(bent(2, 43), 1);   /* version */
    assert_int_equal(bent(4, 20), 1);   /* the table beyond the end, by a little */
    assert_int_equal(bent(7, 0xff), 1); /* and by far */
    assert_int_equal(bent(8, 0), 1);    /* no entries */
    assert_int_equal(bent(9, 0xff), 6); /* more entries than there are bytes: those that fit count */
    assert_int_equal(bent(12, 2), 1);   /* text */
    assert_int_equal(bent(12, 4), 6);   /* LONG */
    assert_int_equal(bent(14, 2), 1);   /* two values */
    assert_int_equal(bent(18, 0), 1);   /* no such orientation */
    assert_int_equal(bent(18, 9), 1);   /* no such orientation */
    assert_int_equal(bent(19, 1), 1);   /* 262 */
}

static void cut_blocks_do_no_harm(void **state) {
    (void)state;
    for (size_t n = 0; n < 22; n++)
        assert_int_equal(orientation_of(block, n), 1);
    for (size_t at = 0; at < sizeof block; at++)
        for (int value = 0; value < 256; value++) {
            int orientation = bent(at, (uint8_t)value);
            assert_true(orientation >= 1 && orientation <= 8);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_blocks_are_read),
        cmocka_unit_test(damage_means_upright),
        cmocka_unit_test(cut_blocks_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
