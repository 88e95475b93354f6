/* Precision int8 from the inside: which steps work in 8 bits, and that the results stay near those of floats. */
#include "cmocka_include.h"

#include "base/memory.h"
#include "nets.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE = 12, IMAGE = 3 * SIDE * SIDE, SAMPLES = 8, MOST_WATCHED = 32, MOST_FEATURES = 4096 };

/* What a watched net saw of all samples. */
struct seen {
    struct pom_net_range ranges[MOST_WATCHED];
    float *numbers[MOST_WATCHED];
    int n;
};

static void merge(float *into, const float *one, size_t channels, int i) {
    for (size_t c = 0; c < channels; c++) {
        into[c] = i == 0 ? one[c] : fminf(into[c], one[c]);
        into[channels + c] = i == 0 ? one[channels + c] : fmaxf(into[channels + c], one[channels + c]);
        into[2 * channels + c] += one[2 * channels + c] / SAMPLES;
    }
}

static void watch(const struct net_writer *writer, const float *in, struct seen *seen) {
    struct pom_net *net = net_load(writer, NULL, &(struct pom_net_options){.watch = true});
    const struct pom_net_info *info = pom_net_info(net);
    struct pom_net_session *session = NULL;
    float *outputs[1 + MOST_WATCHED] = {calloc(info->outputs[0].elements, sizeof(float))};
    assert_in_range(info->n_watched, 0, MOST_WATCHED);
    seen->n = info->n_watched;
    for (int k = 0; k < seen->n; k++) {
        size_t channels = (size_t)info->watched[k].channels;
        outputs[1 + k] = calloc(3 * channels, sizeof(float));
        float *numbers = seen->numbers[k] = calloc(3 * channels, sizeof(float));
        seen->ranges[k] = (struct pom_net_range){
            strdup(info->watched[k].name), (int)channels, numbers, numbers + channels, numbers + 2 * channels};
    }
    assert_int_equal(pom_net_session_new(net, 1, &session, NULL), POM_OK);
    for (int i = 0; i < SAMPLES; i++) {
        assert_int_equal(
            pom_net_run(session, (const float *const[]){in + (ptrdiff_t)i * IMAGE}, 1, outputs, NULL), POM_OK);
        for (int k = 0; k < seen->n; k++)
            merge(seen->numbers[k], outputs[1 + k], (size_t)seen->ranges[k].channels, i);
    }
    for (int k = 0; k <= seen->n; k++)
        free(outputs[k]);
    pom_net_session_free(session);
    pom_net_free(net);
}

static void forget(struct seen *seen) {
    for (int k = 0; k < seen->n; k++) {
        free(seen->numbers[k]);
        free((void *)(uintptr_t)seen->ranges[k].name);
    }
}

static int int8_convs(const char *plan) {
    return net_count(plan, " int8_conv") + net_count(plan, " int8_gemm") + net_count(plan, " int8_depthwise");
}

static int all_convs(const char *plan) {
    return net_count(plan, " of weights\n");
}

/* Finishes the network where it is not, runs it in floats and in 8 bits, alone and in a batch, on the portable path
 * too. Returns the plan. */
static char *check(struct net_writer *writer, double least) {
    static float in[SAMPLES * IMAGE], wide[SAMPLES * MOST_FEATURES], narrow[SAMPLES * MOST_FEATURES],
        again[SAMPLES * MOST_FEATURES];
    struct seen seen = {0};
    if (writer->bytes.size == 0)
        net_finish(writer);
    net_random(in, SAMPLES * IMAGE, 5);
    watch(writer, in, &seen);
    struct pom_net_options options = {.ranges = seen.ranges, .n_ranges = seen.n};
    struct pom_net *exact = net_load(writer, NULL, NULL), *int8 = net_load(writer, NULL, &options);
    size_t features = pom_net_info(exact)->outputs[0].elements;
    assert_true(features <= MOST_FEATURES);
    net_run(exact, SAMPLES, in, SAMPLES, wide);
    net_run(int8, SAMPLES, in, SAMPLES, narrow);
    assert_true(net_cosine(wide, narrow, SAMPLES * features) >= least);
    for (size_t i = 0; i < SAMPLES; i++)
        net_run(int8, 1, in + i * IMAGE, 1, again + i * features);
    assert_memory_equal(narrow, again, SAMPLES * features * sizeof(float));
    char *plan = net_plan(int8);
    pom_net_free(int8);
    int8 = net_load(writer, "ref", &options);
    net_run(int8, SAMPLES, in, SAMPLES, again);
    assert_memory_equal(narrow, again, SAMPLES * features * sizeof(float));
    pom_net_free(int8);
    pom_net_free(exact);
    forget(&seen);
    pom_buffer_clean_up(&writer->bytes);
    return plan;
}

static struct net_writer start(void) {
    struct net_writer writer = {0};
    net_input(&writer, "image", (int64_t[]){0, 3, SIDE, SIDE}, 4);
    return writer;
}

/* The last convolution gives floats: what only averages is not narrowed. */
static void a_chain_stays_in_8_bits(void **state) {
    (void)state;
    struct net_writer writer = start();
    net_conv(&writer, "image", "a", 3, 16, 3);
    net_node(&writer, "Relu", "a", "a.relu", NULL);
    net_conv(&writer, "a.relu", "b", 16, 24, 1);
    net_conv(&writer, "b", "c", 24, 24, 3);
    net_node(&writer, "Add", "b,c", "sum", NULL);
    net_conv(&writer, "sum", "d", 24, 16, 1);
    net_node(&writer, "GlobalAveragePool", "d", "features", NULL);
    net_output(&writer, "features");
    char *plan = check(&writer, 0.999);
    assert_int_equal(int8_convs(plan), 4);
    assert_int_equal(net_count(plan, "int8_quantise"), 1);
    assert_int_equal(net_count(plan, "int8_dequantise"), 0);
    assert_int_equal(net_count(plan, "f32_global_average"), 1);
    free(plan);
}

static void pools_and_concatenations_move_bytes(void **state) {
    (void)state;
    struct net_writer writer = start();
    net_conv(&writer, "image", "a", 3, 16, 3);
    net_node(&writer, "MaxPool", "a", "pooled", "kernel_shape=2,2;strides=2,2");
    net_conv(&writer, "pooled", "b", 16, 8, 1);
    net_conv(&writer, "pooled", "c", 16, 8, 3);
    net_node(&writer, "Concat", "b,c,pooled", "joined", "axis=1");
    net_conv(&writer, "joined", "features", 32, 8, 1);
    net_output(&writer, "features");
    char *plan = check(&writer, 0.999);
    assert_int_equal(int8_convs(plan), 4);
    assert_int_equal(net_count(plan, "int8_max_pool"), 1);
    assert_int_equal(net_count(plan, "36 rows of"), 3);
    assert_int_equal(net_count(plan, "int8_dequantise"), 0);
    free(plan);
}

/* What has no 8-bit form works in floats between the two conversions. */
static void other_operators_stay_float(void **state) {
    (void)state;
    struct net_writer writer = start();
    net_conv(&writer, "image", "a", 3, 16, 3);
    net_node(&writer, "LeakyRelu", "a", "leaky", "alpha=0.1f");
    net_conv(&writer, "leaky", "b", 16, 16, 1);
    net_node(&writer, "Sigmoid", "b", "gate", NULL);
    net_conv(&writer, "gate", "c", 16, 16, 1);
    net_node(&writer, "Mul", "c,gate", "gated", NULL);
    net_floats(&writer, "g.w", NULL, (int64_t[]){16, 4, 1, 1}, 4);
    net_node(&writer, "Conv", "gated,g.w", "features", "group=4");
    net_output(&writer, "features");
    char *plan = check(&writer, 0.999);
    assert_int_equal(int8_convs(plan), 2);
    assert_int_equal(net_count(plan, "int8_quantise"), 2);
    assert_int_equal(net_count(plan, "f32_unary"), 1);
    assert_int_equal(all_convs(plan), 4); /* the one with the leaky epilogue, and the grouped one */
    free(plan);
}

/* A value that is both read by a convolution and handed out, or reshaped, is there as floats too. */
static void values_are_held_in_both_forms(void **state) {
    (void)state;
    struct net_writer writer = start();
    net_conv(&writer, "image", "a", 3, 8, 3);
    net_conv(&writer, "a", "b", 8, 8, 1);
    net_node(&writer, "Flatten", "a", "flat.a", "axis=1");
    net_node(&writer, "Flatten", "b", "flat.b", "axis=1");
    net_node(&writer, "Concat", "flat.a,flat.b", "features", "axis=1");
    net_output(&writer, "features");
    char *plan = check(&writer, 0.999);
    assert_int_equal(int8_convs(plan), 2);
    assert_int_equal(net_count(plan, "int8_dequantise"), 1);
    free(plan);
}

/* A dead input channel of no range before a weight that is beyond it: floats. */
static void numbers_without_an_8_bit_form_stay_float(void **state) {
    (void)state;
    static const float weights[] = {1e30F, 1.0F, 1.0F, 1.0F, 1.0F, 1.0F};
    struct net_writer writer = start();
    net_floats(&writer, "w", weights, (int64_t[]){2, 3, 1, 1}, 4);
    net_node(&writer, "Conv", "image,w", "a", NULL);
    net_node(&writer, "Clip", "a", "clipped", "min=0f;max=1f");
    net_conv(&writer, "clipped", "features", 2, 8, 1);
    net_output(&writer, "features");
    char *plan = check(&writer, 0.99);
    assert_int_equal(int8_convs(plan), 1);
    assert_int_equal(all_convs(plan), 2);
    free(plan);
}

static void a_whole_network_comes_close(void **state) {
    (void)state;
    struct net_writer writer = {0};
    net_write_backbone(&writer);
    free(check(&writer, 0.995));
}

/* Weights that 8 bits hold exactly, behind a picture with its channels first or last. */
static void write_first_layer(struct net_writer *writer, bool channels_last) {
    static const float weights[] = {1, 0, -1, 1, 1, 1, 0, -1, 1, 1, 1, 0};
    net_input(writer, "image", channels_last ? (int64_t[]){0, SIDE, SIDE, 3} : (int64_t[]){0, 3, SIDE, SIDE}, 4);
    if (channels_last)
        net_node(writer, "Transpose", "image", "turned", "perm=0,3,1,2");
    net_floats(writer, "w", weights, (int64_t[]){4, 3, 1, 1}, 4);
    net_node(writer, "Conv", channels_last ? "turned,w" : "image,w", "features", NULL);
    net_output(writer, "features");
    net_finish(writer);
}

static void run_bytes(const struct net_writer *writer, const struct pom_net_options *options, const uint8_t *bytes,
    float *out, int floats) {
    struct pom_net *net = net_load(writer, NULL, options);
    struct pom_net_session *session = NULL;
    char *plan = net_plan(net);
    assert_int_equal(net_count(plan, "f32_pixels"), floats);
    assert_int_equal(pom_net_session_new(net, 2, &session, NULL), POM_OK);
    assert_int_equal(pom_net_run_pixels(session, bytes, 2, (float *const[]){out}, NULL), POM_OK);
    assert_int_equal(
        pom_net_run(session, (const float *const[]){out}, 1, (float *const[]){out}, NULL), POM_ERR_ARGUMENT);
    pom_net_session_free(session);
    pom_net_free(net);
    free(plan);
}

/* What is made of the bytes themselves is what is made of the floats for which they stand. */
static void check_pixels(const struct pom_net_pixels *pixels, bool channels_last) {
    enum { OUT = 2 * 4 * SIDE * SIDE };
    static const float nothing[3];
    static uint8_t bytes[2 * IMAGE];
    static float in[2 * IMAGE], wide[OUT], from_bytes[OUT], narrow[OUT];
    struct net_writer writer = {0};
    const struct pom_net_range range = {"image", 3, nothing, nothing, nothing};
    write_first_layer(&writer, channels_last);
    for (int i = 0; i < 2 * IMAGE; i++)
        bytes[i] = (uint8_t)(i * 7);
    for (int i = 0; i < 2 * IMAGE; i++)
        in[i] = pixels->value[i % 3][bytes[i - i % 3 + pixels->source[i % 3]]];
    struct pom_net_options options = {.image_input = true};
    struct pom_net *net = net_load(&writer, NULL, &options);
    net_run(net, 2, in, 2, wide);
    pom_net_free(net);
    options.pixels = pixels;
    run_bytes(&writer, &options, bytes, from_bytes, 1);
    assert_memory_equal(wide, from_bytes, sizeof wide);
    options.ranges = &range;
    options.n_ranges = 1;
    run_bytes(&writer, &options, bytes, narrow, 0);
    for (int i = 0; i < OUT; i++)
        assert_float_equal(narrow[i], wide[i], 2e-6F * 255.0F);
    pom_buffer_clean_up(&writer.bytes);
}

static void pictures_are_read_as_they_come(void **state) {
    (void)state;
    static float value[2][3][256];
    for (int c = 0; c < 3; c++)
        for (int x = 0; x < 256; x++) {
            value[0][c][x] = (float)x / 127.5F - 1.0F;
            value[1][c][x] = (float)x - (100.3F + 10.0F * (float)c);
        }
    for (int last = 0; last < 2; last++) {
        check_pixels(&(struct pom_net_pixels){{value[0][0], value[0][1], value[0][2]}, {0, 1, 2}}, last);
        check_pixels(&(struct pom_net_pixels){{value[1][0], value[1][1], value[1][2]}, {2, 0, 1}}, last);
    }
}

/* Nobody reads this picture as it comes: a pool, a layer of each channel alone, and what is added. */
static void pictures_become_floats_for_other_readers(void **state) {
    (void)state;
    static float value[256];
    static uint8_t bytes[2 * IMAGE];
    static float out[2 * 3 * SIDE * SIDE], wide[2 * 3 * SIDE * SIDE], in[2 * IMAGE];
    struct net_writer writer = start();
    net_node(&writer, "MaxPool", "image", "pooled", "kernel_shape=3,3;pads=1,1,1,1");
    net_floats(&writer, "w", NULL, (int64_t[]){3, 1, 1, 1}, 4);
    net_node(&writer, "Conv", "image,w", "alone", "group=3");
    net_conv(&writer, "pooled", "a", 3, 8, 3);
    net_conv(&writer, "a", "b", 8, 3, 1);
    net_node(&writer, "Add", "b,image", "sum", NULL);
    net_node(&writer, "Add", "sum,alone", "features", NULL);
    net_output(&writer, "features");
    net_finish(&writer);
    for (int x = 0; x < 256; x++)
        value[x] = (float)x / 255.0F - 0.3F;
    const struct pom_net_pixels pixels = {{value, value, value}, {2, 1, 0}};
    for (int i = 0; i < 2 * IMAGE; i++)
        bytes[i] = (uint8_t)(i * 7);
    for (int i = 0; i < 2 * IMAGE; i++)
        in[i] = value[bytes[i - i % 3 + pixels.source[i % 3]]];
    struct pom_net_options options = {.image_input = true};
    struct pom_net *net = net_load(&writer, NULL, &options);
    net_run(net, 2, in, 2, wide);
    pom_net_free(net);
    static const float low[] = {-0.3F, -0.3F, -0.3F}, high[] = {0.7F, 0.7F, 0.7F}, mean[3];
    const struct pom_net_range range = {"pooled", 3, low, high, mean};
    options.pixels = &pixels;
    options.ranges = &range;
    options.n_ranges = 1;
    run_bytes(&writer, &options, bytes, out, 1);
    assert_true(net_cosine(out, wide, sizeof out / sizeof *out) > 0.9999);
    pom_buffer_clean_up(&writer.bytes);
}

static void expect_refused(const struct net_writer *writer, const struct seen *seen, int n, const char *text) {
    struct pom_message msg = {{0}};
    struct pom_net *net = NULL;
    struct pom_net_options options = {.ranges = seen->ranges, .n_ranges = n};
    assert_int_not_equal(pom_net_load(writer->bytes.data, writer->bytes.size, &options, &net, &msg), POM_OK);
    assert_null(net);
    if (!strstr(msg.text, text))
        fail_msg("\"%s\" does not tell of \"%s\"", msg.text, text);
}

static void ranges_that_do_not_fit_are_refused(void **state) {
    (void)state;
    static float in[SAMPLES * IMAGE];
    struct net_writer writer = start();
    struct seen seen = {0};
    net_conv(&writer, "image", "a", 3, 8, 3);
    net_conv(&writer, "a", "features", 8, 8, 1);
    net_output(&writer, "features");
    net_finish(&writer);
    net_random(in, SAMPLES * IMAGE, 5);
    watch(&writer, in, &seen);
    assert_int_equal(seen.n, 2);
    expect_refused(&writer, &seen, 1, "1 tensors");
    struct pom_net_range good = seen.ranges[1];
    seen.ranges[1].name = "other";
    expect_refused(&writer, &seen, 2, "other");
    seen.ranges[1] = good;
    seen.ranges[1].channels = 7;
    expect_refused(&writer, &seen, 2, "7 channels");
    seen.ranges[1] = good;
    seen.numbers[1][3] = NAN;
    expect_refused(&writer, &seen, 2, "not finite");
    seen.numbers[1][3] = 1e9F; /* the low end above the high one */
    expect_refused(&writer, &seen, 2, "channel 3");
    forget(&seen);
    pom_buffer_clean_up(&writer.bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_stays_in_8_bits),
        cmocka_unit_test(pools_and_concatenations_move_bytes),
        cmocka_unit_test(other_operators_stay_float),
        cmocka_unit_test(values_are_held_in_both_forms),
        cmocka_unit_test(numbers_without_an_8_bit_form_stay_float),
        cmocka_unit_test(a_whole_network_comes_close),
        cmocka_unit_test(pictures_are_read_as_they_come),
        cmocka_unit_test(pictures_become_floats_for_other_readers),
        cmocka_unit_test(ranges_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
