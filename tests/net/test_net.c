/* Networks from the outside: loading, options, batches, printing. */
#include "cmocka_include.h"

#include "nets.h"
#include <stdlib.h>
#include <string.h>

enum { IMAGE = 3 * 12 * 12, FEATURES = 10, MOST = 16 };

static void batches_give_the_same_bits(void **state) {
    (void)state;
    static float in[MOST * IMAGE], one[MOST * FEATURES], many[MOST * FEATURES];
    struct net_writer writer = {0};
    net_write_backbone(&writer);
    struct pom_net *net = net_load(&writer, NULL, NULL);
    net_random(in, MOST * IMAGE, 7);
    for (int i = 0; i < MOST; i++)
        net_run(net, 1, in + i * IMAGE, 1, one + i * FEATURES);
    net_run(net, MOST, in, MOST, many);
    assert_memory_equal(one, many, sizeof one);
    net_run(net, MOST, in, 3, many);
    assert_memory_equal(one, many, 3 * FEATURES * sizeof(float));
    assert_memory_not_equal(one, one + FEATURES, FEATURES * sizeof(float));
    pom_net_free(net);
    pom_buffer_clean_up(&writer.bytes);
}

static void every_path_gives_the_same_bits(void **state) {
    (void)state;
    static const char *const paths[] = {"avx2", "avx512", "avx512vnni", "neon", "neondot"};
    static float in[2 * IMAGE], reference[2 * FEATURES], out[2 * FEATURES];
    struct net_writer writer = {0};
    net_write_backbone(&writer);
    net_random(in, 2 * IMAGE, 9);
    setenv("POMONA_CPU", "ref", 1);
    struct pom_net *net = net_load(&writer, NULL, NULL);
    net_run(net, 2, in, 2, reference);
    pom_net_free(net);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        setenv("POMONA_CPU", paths[i], 1);
        enum pom_isa isa;
        if (pom_cpu_isa(&isa, NULL) != POM_OK)
            continue;
        net = net_load(&writer, NULL, NULL);
        net_run(net, 2, in, 2, out);
        assert_memory_equal(reference, out, sizeof out);
        pom_net_free(net);
    }
    unsetenv("POMONA_CPU");
    pom_buffer_clean_up(&writer.bytes);
}

static void info_counts(void **state) {
    (void)state;
    struct net_writer writer = {0};
    net_write_backbone(&writer);
    struct pom_net *net = net_load(&writer, NULL, NULL);
    const struct pom_net_info *info = pom_net_info(net);
    assert_int_equal(info->n_inputs, 1);
    assert_int_equal(info->n_outputs, 1);
    assert_true(info->inputs[0].batched);
    assert_int_equal(info->inputs[0].elements, IMAGE);
    assert_int_equal(info->outputs[0].elements, FEATURES);
    assert_string_equal(info->outputs[0].name, "features");
    int64_t convolutions = 16 * 27 + 16 * 144, rest = 32 * 32 + 10 * 32 * 36;
    assert_int_equal(info->macs, convolutions * 144 + rest);
    assert_int_equal(info->parameters, convolutions + rest + 2 * 4 * 16);
    pom_net_free(net);
    pom_buffer_clean_up(&writer.bytes);
}

static void output_stops_at_a_layer(void **state) {
    (void)state;
    struct net_writer writer = {0};
    net_write_backbone(&writer);
    struct pom_net_options options = {.output = "pool"};
    struct pom_net *net = net_load(&writer, NULL, &options);
    const struct pom_net_tensor *out = &pom_net_info(net)->outputs[0];
    assert_int_equal(out->rank, 4);
    assert_int_equal(out->elements, 16 * 6 * 6);
    assert_int_equal(pom_net_info(net)->macs, (16 * 27 + 16 * 144) * 144);
    pom_net_free(net);
    options.output = "nowhere";
    struct pom_message msg = {{0}};
    assert_int_equal(pom_net_load(writer.bytes.data, writer.bytes.size, &options, &net, &msg), POM_ERR_NOT_FOUND);
    assert_non_null(strstr(msg.text, "nowhere"));
    assert_non_null(strstr(msg.text, "dense"));
    pom_buffer_clean_up(&writer.bytes);
}

/* out[c][p] == nhwc[p][c] */
static void assert_turned(const float *nchw, const float *nhwc, int channels, int pixels) {
    for (int c = 0; c < channels; c++)
        for (int p = 0; p < pixels; p++)
            assert_true(nchw[c * pixels + p] == nhwc[p * channels + c]);
}

static void channels_last_outside(void **state) {
    (void)state;
    static float nchw[IMAGE], nhwc[IMAGE], rows[32 * 36], last[32 * 36];
    struct net_writer writer = {0};
    net_write_backbone(&writer);
    net_random(nchw, IMAGE, 3);
    for (int c = 0; c < 3; c++)
        for (int p = 0; p < 144; p++)
            nhwc[p * 3 + c] = nchw[c * 144 + p];
    struct pom_net *net = net_load(&writer, NULL, &(struct pom_net_options){.output = "swish"});
    net_run(net, 1, nchw, 1, rows);
    pom_net_free(net);
    net_metadata(&writer, "pomona.layout", "nhwc");
    net = net_load(&writer, NULL, &(struct pom_net_options){.output = "swish", .image_input = true});
    assert_int_equal(pom_net_info(net)->inputs[0].dims[3], 3);
    assert_int_equal(pom_net_info(net)->outputs[0].dims[3], 32);
    net_run(net, 1, nhwc, 1, last);
    assert_turned(rows, last, 32, 36);
    pom_net_free(net);
    pom_buffer_clean_up(&writer.bytes);
}

static void size_is_taken_or_refused(void **state) {
    (void)state;
    struct net_writer writer = {0};
    net_write_backbone(&writer);
    struct pom_net *net = net_load(&writer, NULL, &(struct pom_net_options){.size = 20, .output = "swish"});
    assert_int_equal(pom_net_info(net)->inputs[0].elements, 3 * 20 * 20);
    assert_int_equal(pom_net_info(net)->outputs[0].elements, 32 * 10 * 10);
    pom_net_free(net);
    struct pom_message msg = {{0}};
    struct pom_net_options options = {.size = 20};
    assert_int_not_equal(pom_net_load(writer.bytes.data, writer.bytes.size, &options, &net, &msg), POM_OK);
    assert_non_null(strstr(msg.text, "size 20"));
    assert_non_null(strstr(msg.text, "dense"));
    pom_buffer_clean_up(&writer.bytes);
}

static void a_batch_fixed_at_one_is_open(void **state) {
    (void)state;
    static float in[2 * 3 * 16], out[2 * 4];
    struct net_writer writer = {0};
    net_input(&writer, "image", (int64_t[]){1, 3, 4, 4}, 4);
    net_conv(&writer, "image", "conv", 3, 4, 1);
    net_node(&writer, "ReduceMean", "conv", "mean", "axes=2,3;keepdims=0");
    net_output(&writer, "mean");
    net_finish(&writer);
    struct pom_net *net = net_load(&writer, NULL, NULL);
    assert_true(pom_net_info(net)->inputs[0].batched);
    net_random(in, 2 * 48, 1);
    net_run(net, 2, in, 2, out);
    pom_net_free(net);
    pom_buffer_clean_up(&writer.bytes);
}

static void sessions_check_their_batch(void **state) {
    (void)state;
    struct net_writer writer = {0};
    net_write_backbone(&writer);
    struct pom_net *net = net_load(&writer, NULL, NULL);
    struct pom_net_session *session = NULL;
    assert_int_equal(pom_net_session_new(net, 0, &session, NULL), POM_ERR_ARGUMENT);
    assert_int_equal(pom_net_session_new(net, 2, &session, NULL), POM_OK);
    assert_int_equal(pom_net_run(session, NULL, 3, NULL, NULL), POM_ERR_ARGUMENT);
    pom_net_session_free(session);
    pom_net_free(net);
    pom_buffer_clean_up(&writer.bytes);
}

static void printing_names_layers_and_kernels(void **state) {
    (void)state;
    char *text = NULL;
    size_t size = 0;
    struct net_writer writer = {0};
    net_write_backbone(&writer);
    struct pom_net *net = net_load(&writer, NULL, NULL);
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    pom_net_print_layers(net, out);
    pom_net_print_plan(net, out);
    assert_int_equal(fclose(out), 0);
    static const char *const expected[] = {
        "stem.bn", "BatchNormalization", "16x12x12", "f32_max_pool", "batch", "-> out0", "a thread: "};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        if (!strstr(text, expected[i]))
            fail_msg("no '%s' in\n%s", expected[i], text);
    free(text);
    pom_net_free(net);
    pom_buffer_clean_up(&writer.bytes);
}

static void steps_are_timed(void **state) {
    (void)state;
    static float in[2 * IMAGE], plain[2 * FEATURES], timed[2 * FEATURES];
    struct net_writer writer = {0};
    net_write_backbone(&writer);
    net_random(in, 2 * IMAGE, 3);
    struct pom_net *net = net_load(&writer, NULL, NULL);
    struct pom_net_session *session = NULL;
    uint64_t *step_ns = calloc((size_t)pom_net_steps(net), sizeof *step_ns);
    assert_non_null(step_ns);
    net_run(net, 2, in, 2, plain);
    assert_int_equal(pom_net_session_new(net, 2, &session, NULL), POM_OK);
    pom_net_time_steps(session, step_ns);
    assert_int_equal(pom_net_run(session, (const float *const[]){in}, 2, (float *const[]){timed}, NULL), POM_OK);
    assert_memory_equal(plain, timed, sizeof plain);
    for (int i = 0; i < pom_net_steps(net); i++)
        assert_true(step_ns[i] > 0);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    pom_net_print_times(net, step_ns, 2, 100.0, out);
    assert_int_equal(fclose(out), 0);
    assert_non_null(strstr(text, "f32_max_pool"));
    assert_non_null(strstr(text, "sum"));
    free(text);
    free(step_ns);
    pom_net_session_free(session);
    pom_net_free(net);
    pom_buffer_clean_up(&writer.bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_give_the_same_bits),
        cmocka_unit_test(every_path_gives_the_same_bits),
        cmocka_unit_test(info_counts),
        cmocka_unit_test(steps_are_timed),
        cmocka_unit_test(output_stops_at_a_layer),
        cmocka_unit_test(channels_last_outside),
        cmocka_unit_test(size_is_taken_or_refused),
        cmocka_unit_test(a_batch_fixed_at_one_is_open),
        cmocka_unit_test(sessions_check_their_batch),
        cmocka_unit_test(printing_names_layers_and_kernels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
