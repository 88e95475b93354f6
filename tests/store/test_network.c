/* The parts of the network that need none: timers, retries, the throttle. */
#include "store/retry.h"
#include "store/throttle.h"
#include "store/timers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { N = 200 };

static uint64_t called[N];
static size_t n_called;

static void note(struct pom_timer *timer) {
    called[n_called++] = timer->at_ns;
}

static void timers_are_called_in_order(void **state) {
    (void)state;
    struct pom_timers timers = {0};
    struct pom_timer list[N] = {0};
    n_called = 0;
    for (size_t i = 0; i < N; i++) {
        list[i].call = note;
        assert_true(pom_timers_set(&timers, &list[i], 1 + i * 7919 % N));
    }
    for (size_t i = 0; i < N; i += 3)
        pom_timers_stop(&timers, &list[i]);
    for (size_t i = 1; i < N; i += 3)
        assert_true(pom_timers_set(&timers, &list[i], list[i].at_ns + N)); /* moved */
    assert_true(pom_timers_next(&timers) > 0);
    pom_timers_run(&timers, N / 2);
    for (size_t i = 0; i < n_called; i++)
        assert_true(called[i] <= N / 2);
    pom_timers_run(&timers, 2 * N);
    assert_int_equal(n_called, N - (N + 2) / 3);
    for (size_t i = 1; i < n_called; i++)
        assert_true(called[i - 1] <= called[i]);
    assert_true(pom_timers_next(&timers) == UINT64_MAX);
    pom_timers_clean_up(&timers);
}

static void what_passes_is_tried_again(void **state) {
    (void)state;
    static const int passing[] = {408, 500, 502, 504}, final[] = {400, 401, 403, 404, 409, 412, 416, 501};
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
        assert_int_equal(pom_retry_judge_status(passing[i]), POM_VERDICT_RETRY);
    for (size_t i = 0; i < sizeof final / sizeof *final; i++)
        assert_int_equal(pom_retry_judge_status(final[i]), POM_VERDICT_FAIL);
    assert_int_equal(pom_retry_judge_status(206), POM_VERDICT_DONE);
    assert_int_equal(pom_retry_judge_status(503), POM_VERDICT_SLOW_DOWN);
    assert_int_equal(pom_retry_judge_end(POM_HTTP_BROKEN), POM_VERDICT_RETRY);
    assert_int_equal(pom_retry_judge_end(POM_HTTP_STALLED), POM_VERDICT_RETRY);
    assert_int_equal(pom_retry_judge_end(POM_HTTP_UNTRUSTED), POM_VERDICT_FAIL);
}

static void pauses_grow_and_end(void **state) {
    (void)state;
    uint64_t most = 100000000;
    for (int attempt = 1; attempt <= 40; attempt++) {
        assert_true(pom_retry_delay_ns(attempt, 0) == 0);
        for (uint64_t random = 1; random < 1000; random++)
            assert_true(pom_retry_delay_ns(attempt, random * 0x9E3779B97F4A7C15U) <= most);
        assert_true(pom_retry_delay_ns(attempt, most) == most);
        most = 2 * most < 20000000000 ? 2 * most : 20000000000;
    }
}

/* A network that is gone uses the quota up; one that loses one request in twenty never does. */
static void a_job_has_a_number_of_retries(void **state) {
    (void)state;
    struct pom_retry_quota quota = {0};
    int taken = 0;
    while (pom_retry_quota_take(&quota))
        taken++;
    assert_true(taken >= 1000 && taken <= 10000);
    quota = (struct pom_retry_quota){0};
    for (int i = 0; i < 1000000; i++) {
        if (i % 20 == 0)
            assert_true(pom_retry_quota_take(&quota));
        pom_retry_quota_refill(&quota);
    }
}

static const uint64_t ms = 1000000;

static void the_limit_grows_while_latency_does_not(void **state) {
    (void)state;
    struct pom_throttle throttle;
    pom_throttle_init(&throttle);
    for (int i = 0; i < 2000; i++)
        pom_throttle_answered(&throttle, 100 * ms + (uint64_t)(i % 5) * ms / 10, pom_throttle_limit(&throttle));
    assert_int_equal(pom_throttle_limit(&throttle), POM_THROTTLE_MOST);
    for (uint64_t i = 1; i <= 20; i++)
        pom_throttle_slow_down(&throttle, i * 1000 * ms);
    assert_int_equal(pom_throttle_limit(&throttle), POM_THROTTLE_LEAST);
}

/* How many answers it takes until all requests that are allowed may be under way, where each takes this long. */
static int answers_until_most(uint64_t latency_ns) {
    struct pom_throttle throttle;
    int n = 0;
    pom_throttle_init(&throttle);
    for (; pom_throttle_limit(&throttle) < POM_THROTTLE_MOST && n < 10000; n++)
        pom_throttle_answered(&throttle, latency_ns, n ? pom_throttle_limit(&throttle) : 1);
    return n;
}

static void a_distant_server_is_soon_kept_busy(void **state) {
    (void)state;
    assert_int_equal(answers_until_most(100 * ms), 1);
    assert_true(answers_until_most(30 * ms) <= 300);          /* within the third round trip */
    assert_true(answers_until_most(ms) > POM_THROTTLE_START); /* one that is near is asked with care */
}

/* Requests wait a third of the time: more of them still do more. */
static void some_waiting_is_borne(void **state) {
    (void)state;
    struct pom_throttle throttle;
    pom_throttle_init(&throttle);
    for (int i = 0; i < 2000; i++)
        pom_throttle_answered(&throttle, i % 10 ? 130 * ms : 100 * ms, pom_throttle_limit(&throttle));
    assert_int_equal(pom_throttle_limit(&throttle), POM_THROTTLE_MOST);
}

static void after_a_slow_down_the_limit_grows_with_care(void **state) {
    (void)state;
    struct pom_throttle throttle;
    pom_throttle_init(&throttle);
    pom_throttle_slow_down(&throttle, 1000 * ms);
    int before = pom_throttle_limit(&throttle);
    for (int i = 0; i < 10; i++)
        pom_throttle_answered(&throttle, 100 * ms, pom_throttle_limit(&throttle));
    assert_int_equal(pom_throttle_limit(&throttle), before + 10);
}

/* A server that can do one at a time: more requests only wait longer. */
static void the_limit_stays_where_requests_queue(void **state) {
    (void)state;
    struct pom_throttle throttle;
    pom_throttle_init(&throttle);
    for (int i = 0; i < 20000; i++) {
        int under_way = pom_throttle_limit(&throttle);
        pom_throttle_answered(&throttle, i < 10 ? ms : (uint64_t)under_way * ms, under_way);
    }
    assert_true(pom_throttle_limit(&throttle) <= 2 * POM_THROTTLE_START);
}

static void slow_down_counts_once_for_all_that_were_under_way(void **state) {
    (void)state;
    struct pom_throttle throttle;
    pom_throttle_init(&throttle);
    for (int i = 0; i < 100; i++)
        pom_throttle_slow_down(&throttle, 1000 * ms + (uint64_t)i * ms);
    assert_int_equal(pom_throttle_limit(&throttle), POM_THROTTLE_START / 2);
}

static void stragglers_are_told_by_the_percentile(void **state) {
    (void)state;
    struct pom_throttle throttle;
    pom_throttle_init(&throttle);
    assert_true(pom_throttle_hedge_ns(&throttle) == 0);
    for (int i = 0; i < 1000; i++)
        pom_throttle_answered(&throttle, i % 100 < 3 ? 5000 * ms : 100 * ms, 10);
    assert_true(pom_throttle_hedge_ns(&throttle) >= 200 * ms && pom_throttle_hedge_ns(&throttle) <= 300 * ms);
    int hedges = 0;
    while (pom_throttle_take_hedge(&throttle))
        hedges++;
    assert_true(hedges > 0 && hedges <= 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_are_called_in_order),
        cmocka_unit_test(what_passes_is_tried_again),
        cmocka_unit_test(pauses_grow_and_end),
        cmocka_unit_test(a_job_has_a_number_of_retries),
        cmocka_unit_test(the_limit_grows_while_latency_does_not),
        cmocka_unit_test(a_distant_server_is_soon_kept_busy),
        cmocka_unit_test(some_waiting_is_borne),
        cmocka_unit_test(after_a_slow_down_the_limit_grows_with_care),
        cmocka_unit_test(the_limit_stays_where_requests_queue),
        cmocka_unit_test(slow_down_counts_once_for_all_that_were_under_way),
        cmocka_unit_test(stragglers_are_told_by_the_percentile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
