/* Precision bf16 from the inside: which steps work in it, that the results stay near those of floats, and that the
 * portable path gives the same bits. */
#include "cmocka_include.h"

#include "nets.h"
#include <stdlib.h>
#include <string.h>

enum { SIDE = 12, IMAGE = 3 * SIDE * SIDE, SAMPLES = 4, MOST_FEATURES = 4096 };

/* Finishes the network, runs it in floats and in bf16, alone and in a batch, on the best path and the portable one.
 * Returns the plan of bf16. */
static char *check(struct net_writer *writer) {
    static float in[SAMPLES * IMAGE], wide[SAMPLES * MOST_FEATURES], narrow[SAMPLES * MOST_FEATURES],
        again[SAMPLES * MOST_FEATURES];
    net_finish(writer);
    net_random(in, SAMPLES * IMAGE, 5);
    const struct pom_net_options bf16 = {.bf16 = true};
    struct pom_net *exact = net_load(writer, NULL, NULL), *best = net_load(writer, NULL, &bf16);
    struct pom_net *portable = net_load(writer, "ref", &bf16);
    size_t features = pom_net_info(exact)->outputs[0].elements;
    assert_true(features <= MOST_FEATURES);
    net_run(exact, SAMPLES, in, SAMPLES, wide);
    net_run(best, SAMPLES, in, SAMPLES, narrow);
    assert_true(net_cosine(wide, narrow, SAMPLES * features) >= 0.9995);
    assert_memory_not_equal(wide, narrow, SAMPLES * features * sizeof(float));
    for (size_t i = 0; i < SAMPLES; i++)
        net_run(best, 1, in + i * IMAGE, 1, again + i * features);
    assert_memory_equal(narrow, again, SAMPLES * features * sizeof(float));
    net_run(portable, SAMPLES, in, SAMPLES, again);
    assert_memory_equal(narrow, again, SAMPLES * features * sizeof(float));
    char *plan = net_plan(best);
    pom_net_free(exact);
    pom_net_free(best);
    pom_net_free(portable);
    pom_buffer_clean_up(&writer->bytes);
    return plan;
}

static int bf16_convs(const char *plan) {
    return net_count(plan, " bf16_conv") + net_count(plan, " bf16_gemm") + net_count(plan, " bf16_depthwise");
}

static void input(struct net_writer *writer) {
    net_input(writer, "image", (const int64_t[]){0, 3, SIDE, SIDE}, 4);
}

/* The picture has an odd number of channels: its layer stays float. */
static void a_chain_stays_in_bf16(void **state) {
    (void)state;
    struct net_writer writer = {0};
    input(&writer);
    net_conv(&writer, "image", "a", 3, 16, 3);
    net_node(&writer, "Relu", "a", "b", NULL);
    net_conv(&writer, "b", "c", 16, 16, 1);
    net_conv(&writer, "c", "d", 16, 16, 1);
    net_node(&writer, "Add", "d,c", "e", NULL);
    net_node(&writer, "GlobalAveragePool", "e", "features", NULL);
    net_output(&writer, "features");
    char *plan = check(&writer);
    assert_int_equal(bf16_convs(plan), 2);
    assert_int_equal(net_count(plan, " bf16_narrow"), 1);
    assert_int_equal(net_count(plan, " bf16_widen"), 0);
    assert_int_equal(net_count(plan, " bf16_global_average"), 1);
    free(plan);
}

static void pools_and_concatenations_take_bf16(void **state) {
    (void)state;
    struct net_writer writer = {0};
    input(&writer);
    net_conv(&writer, "image", "a", 3, 8, 3);
    net_conv(&writer, "a", "b", 8, 6, 1);
    net_conv(&writer, "a", "c", 8, 10, 1);
    net_node(&writer, "Concat", "b,c", "d", "axis=1");
    net_node(&writer, "MaxPool", "d", "e", "kernel_shape=2,2;strides=2,2");
    net_conv(&writer, "e", "features", 16, 4, 1);
    net_output(&writer, "features");
    char *plan = check(&writer);
    assert_int_equal(bf16_convs(plan), 3);
    assert_int_equal(net_count(plan, " bf16_max_pool"), 1);
    assert_int_equal(net_count(plan, " bf16_narrow"), 1);
    assert_int_equal(net_count(plan, " bf16_widen"), 1); /* the result */
    free(plan);
}

/* Odd numbers of channels and operators without a form in bf16, between layers that have one. */
static void what_has_no_form_stays_float(void **state) {
    (void)state;
    struct net_writer writer = {0};
    input(&writer);
    net_conv(&writer, "image", "a", 3, 8, 3);
    net_conv(&writer, "a", "b", 8, 8, 1);
    net_node(&writer, "Sigmoid", "b", "c", NULL);
    net_conv(&writer, "c", "d", 8, 7, 1);
    net_conv(&writer, "d", "e", 7, 8, 1);
    net_conv(&writer, "e", "features", 8, 8, 1);
    net_output(&writer, "features");
    char *plan = check(&writer);
    assert_int_equal(bf16_convs(plan), 2);
    assert_int_equal(net_count(plan, " bf16_narrow"), 2);
    assert_int_equal(net_count(plan, " bf16_widen"), 2);
    free(plan);
}

static void batch_norms_and_average_pools(void **state) {
    (void)state;
    struct net_writer writer = {0};
    input(&writer);
    net_conv(&writer, "image", "a", 3, 16, 3);
    net_batch_norm(&writer, "a", "b", 16);
    net_node(&writer, "Clip", "b", "c", "min=0.0f;max=6.0f");
    net_conv(&writer, "c", "d", 16, 24, 3);
    net_node(&writer, "AveragePool", "d", "e", "kernel_shape=2,2;strides=2,2");
    net_conv(&writer, "e", "f", 24, 32, 1);
    net_node(&writer, "Flatten", "f", "features", NULL);
    net_output(&writer, "features");
    char *plan = check(&writer);
    assert_int_equal(bf16_convs(plan), 2);
    free(plan);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_stays_in_bf16),
        cmocka_unit_test(pools_and_concatenations_take_bf16),
        cmocka_unit_test(what_has_no_form_stays_float),
        cmocka_unit_test(batch_norms_and_average_pools),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
