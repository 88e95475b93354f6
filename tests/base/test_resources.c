/* Threads and memory follow the affinity mask and the cgroup. */
#include "base/resources.h"

#include "cmocka_include.h"
#include <sched.h>
#include <time.h>

static void threads_follow_the_affinity_mask(void **state) {
    (void)state;
    cpu_set_t saved, one;
    assert_int_equal(sched_getaffinity(0, sizeof saved, &saved), 0);
    assert_in_range(pom_cpu_count(), 1, CPU_COUNT(&saved));
    int cpu = 0;
    while (!CPU_ISSET(cpu, &saved))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(pom_cpu_count(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof saved, &saved), 0);
}

static void memory_is_at_most_the_machines(void **state) {
    (void)state;
    assert_true(pom_memory_limit() > (size_t)16 << 20);
    assert_true(pom_peak_memory() > (size_t)1 << 20);
    assert_true(pom_peak_memory() < pom_memory_limit());
}

static void the_clock_goes_forward(void **state) {
    (void)state;
    uint64_t before = pom_now_ns();
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    assert_true(pom_now_ns() - before >= 2000000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_follow_the_affinity_mask),
        cmocka_unit_test(memory_is_at_most_the_machines),
        cmocka_unit_test(the_clock_goes_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
