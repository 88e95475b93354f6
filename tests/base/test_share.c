/* Work shared by threads: every part is run once, before pom_share returns. */
#include "cmocka_include.h"

#include "base/share.h"
#include <stdatomic.h>

enum { MOST = 1000 };

static void count(void *context, int part) {
    atomic_int *runs = context;
    atomic_fetch_add(&runs[part], 1);
}

static void every_part_is_run_once(void **state) {
    (void)state;
    for (int parts = 0; parts <= MOST; parts = parts < 3 ? parts + 1 : parts * 7) {
        atomic_int runs[MOST + 1] = {0};
        pom_share(parts, count, runs);
        for (int i = 0; i <= MOST; i++)
            assert_int_equal(runs[i], i < parts);
    }
}

/* A part may share work in turn. */
static void share_again(void *context, int part) {
    pom_share(3, count, (atomic_int *)context + (ptrdiff_t)3 * part);
}

static void parts_may_share_too(void **state) {
    (void)state;
    atomic_int runs[12] = {0};
    pom_share(4, share_again, runs);
    for (int i = 0; i < 12; i++)
        assert_int_equal(runs[i], 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_part_is_run_once), cmocka_unit_test(parts_may_share_too)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
