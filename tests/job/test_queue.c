/* The queue between stages: order, bounds, sharing, closing, and many threads at once. */
#include "base/memory.h"
#include "job/queue.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static void items_come_out_in_order(void **state) {
    (void)state;
    struct pom_queue *queue = pom_queue_new(4);
    int values[6];
    void *out[8];
    for (int i = 0; i < 4; i++)
        assert_true(pom_queue_push(queue, &values[i]));
    assert_int_equal(pom_queue_pop(queue, out, 2, 1), 2);
    assert_ptr_equal(out[0], &values[0]);
    assert_true(pom_queue_push(queue, &values[4]));
    assert_true(pom_queue_push(queue, &values[5]));
    assert_int_equal(pom_queue_pop(queue, out, 8, 1), 4);
    for (int i = 0; i < 4; i++)
        assert_ptr_equal(out[i], &values[2 + i]);
    pom_queue_free(queue);
}

static void the_last_items_are_shared(void **state) {
    (void)state;
    struct pom_queue *queue = pom_queue_new(16);
    int value;
    void *out[8];
    for (int i = 0; i < 5; i++)
        assert_true(pom_queue_push(queue, &value));
    assert_int_equal(pom_queue_pop(queue, out, 8, 2), 3);
    assert_int_equal(pom_queue_pop(queue, out, 8, 2), 1);
    assert_int_equal(pom_queue_pop(queue, out, 8, 2), 1);
    pom_queue_free(queue);
}

static void closed_queues_drain(void **state) {
    (void)state;
    struct pom_queue *queue = pom_queue_new(2);
    int value;
    void *out[2];
    assert_true(pom_queue_push(queue, &value));
    pom_queue_close(queue);
    assert_false(pom_queue_push(queue, &value));
    assert_int_equal(pom_queue_pop(queue, out, 2, 1), 1);
    assert_int_equal(pom_queue_pop(queue, out, 2, 1), 0);
    pom_queue_free(queue);
}

static void *push_one(void *user) {
    int value;
    return pom_queue_push(user, &value) ? NULL : user;
}

static void closing_wakes_a_waiting_push(void **state) {
    (void)state;
    struct pom_queue *queue = pom_queue_new(1);
    pthread_t thread;
    int value;
    void *refused;
    assert_true(pom_queue_push(queue, &value));
    assert_int_equal(pthread_create(&thread, NULL, push_one, queue), 0);
    usleep(20000);
    pom_queue_close(queue);
    pthread_join(thread, &refused);
    assert_ptr_equal(refused, queue);
    pom_queue_free(queue);
}

enum { PRODUCERS = 3, CONSUMERS = 3, EACH = 20000 };

struct crowd {
    struct pom_queue *queue;
    _Atomic uint64_t taken, sum;
};

static void *produce(void *user) {
    struct crowd *crowd = user;
    for (uintptr_t i = 1; i <= EACH; i++)
        if (!pom_queue_push(crowd->queue, (void *)i)) /* NOLINT(performance-no-int-to-ptr) */
            return user;
    return NULL;
}

static void *consume(void *user) {
    struct crowd *crowd = user;
    void *out[7];
    size_t n;
    while ((n = pom_queue_pop(crowd->queue, out, 7, CONSUMERS)) > 0) {
        atomic_fetch_add(&crowd->taken, n);
        for (size_t i = 0; i < n; i++)
            atomic_fetch_add(&crowd->sum, (uint64_t)(uintptr_t)out[i]);
    }
    return NULL;
}

static void nothing_is_lost_or_doubled(void **state) {
    (void)state;
    struct crowd crowd = {.queue = pom_queue_new(5)};
    pthread_t producers[PRODUCERS], consumers[CONSUMERS];
    void *refused;
    for (int i = 0; i < CONSUMERS; i++)
        assert_int_equal(pthread_create(&consumers[i], NULL, consume, &crowd), 0);
    for (int i = 0; i < PRODUCERS; i++)
        assert_int_equal(pthread_create(&producers[i], NULL, produce, &crowd), 0);
    for (int i = 0; i < PRODUCERS; i++) {
        pthread_join(producers[i], &refused);
        assert_null(refused);
    }
    pom_queue_close(crowd.queue);
    for (int i = 0; i < CONSUMERS; i++)
        pthread_join(consumers[i], NULL);
    assert_int_equal(crowd.taken, PRODUCERS * EACH);
    assert_int_equal(crowd.sum, (uint64_t)PRODUCERS * EACH * (EACH + 1) / 2);
    pom_queue_free(crowd.queue);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_come_out_in_order),
        cmocka_unit_test(the_last_items_are_shared),
        cmocka_unit_test(closed_queues_drain),
        cmocka_unit_test(closing_wakes_a_waiting_push),
        cmocka_unit_test(nothing_is_lost_or_doubled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
