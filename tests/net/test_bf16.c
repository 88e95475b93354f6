/* Precision bf16 from the inside: which steps work in it, that the results stay near those of floats, and that the
 * portable path gives the same bits. */
#include "nets.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka needs the four above
#include <cmocka.h>

enum { SIDE = 12, IMAGE = 3 * SIDE * SIDE, SAMPLES = 4, MOST_FEATURES = 4096 };

static struct pom_net *load(const struct net_writer *writer, const char *isa, bool bf16) {
    struct pom_net *net = NULL;
    struct pom_message msg = {{0}};
    if (isa)
        setenv("POMONA_CPU", isa, 1);
    if (pom_net_load(writer->bytes.data, writer->bytes.size, &(struct pom_net_options){.bf16 = bf16}, &net, &msg))
        fail_msg("%s", msg.text);
    unsetenv("POMONA_CPU");
    return net;
}

static void run(const struct pom_net *net, const float *in, int n, float *out) {
    struct pom_net_session *session = NULL;
    assert_int_equal(pom_net_session_new(net, n, &session, NULL), POM_OK);
    assert_int_equal(pom_net_run(session, (const float *const[]){in}, n, (float *const[]){out}, NULL), POM_OK);
    pom_net_session_free(session);
}

static double cosine(const float *a, const float *b, size_t n) {
    double ab = 0, aa = 0, bb = 0;
    for (size_t i = 0; i < n; i++) {
        ab += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return ab / sqrt(aa * bb);
}

/* Finishes the network, runs it in floats and in bf16, alone and in a batch, on the best path and the portable one.
 * Returns the plan of bf16. */
static char *check(struct net_writer *writer) {
    static float in[SAMPLES * IMAGE], wide[SAMPLES * MOST_FEATURES], narrow[SAMPLES * MOST_FEATURES],
        again[SAMPLES * MOST_FEATURES];
    net_finish(writer);
    net_random(in, SAMPLES * IMAGE, 5);
    struct pom_net *exact = load(writer, NULL, false), *best = load(writer, NULL, true);
    struct pom_net *portable = load(writer, "ref", true);
    size_t features = pom_net_info(exact)->outputs[0].elements;
    assert_true(features <= MOST_FEATURES);
    run(exact, in, SAMPLES, wide);
    run(best, in, SAMPLES, narrow);
    assert_true(cosine(wide, narrow, SAMPLES * features) >= 0.9995);
    assert_memory_not_equal(wide, narrow, SAMPLES * features * sizeof(float));
    for (size_t i = 0; i < SAMPLES; i++)
        run(best, in + i * IMAGE, 1, again + i * features);
    assert_memory_equal(narrow, again, SAMPLES * features * sizeof(float));
    run(portable, in, SAMPLES, again);
    assert_memory_equal(narrow, again, SAMPLES * features * sizeof(float));
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    pom_net_print_plan(best, out);
    fclose(out);
    pom_net_free(exact);
    pom_net_free(best);
    pom_net_free(portable);
    pom_buffer_clean_up(&writer->bytes);
    return text;
}

static int count(const char *text, const char *word) {
    int n = 0;
    for (const char *at = text; (at = strstr(at, word)); at++)
        n++;
    return n;
}

static int bf16_convs(const char *plan) {
    return count(plan, " bf16_conv") + count(plan, " bf16_gemm") + count(plan, " bf16_depthwise");
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
    assert_int_equal(count(plan, " bf16_narrow"), 1);
    assert_int_equal(count(plan, " bf16_widen"), 0);
    assert_int_equal(count(plan, " bf16_global_average"), 1);
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
    assert_int_equal(count(plan, " bf16_max_pool"), 1);
    assert_int_equal(count(plan, " bf16_narrow"), 1);
    assert_int_equal(count(plan, " bf16_widen"), 1); /* the result */
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
    assert_int_equal(count(plan, " bf16_narrow"), 2);
    assert_int_equal(count(plan, " bf16_widen"), 2);
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
