/* Networks from the inside: folding, fusing, the memory map, and the functions of mathf.h. */
#include "base/memory.h"
#include "net/fuse.h"
#include "net/infer.h"
#include "net/mathf.h"
#include "net/onnx.h"
#include "net/plan.h"
#include "nets.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka needs the four above
#include <cmocka.h>

struct planned {
    struct pom_graph graph;
    struct pom_plan plan;
};

static void make_plan(struct net_writer *writer, struct planned *out) {
    struct pom_onnx_choices choices = {.single_is_one = true};
    struct pom_span bytes = {(const uint8_t *)writer->bytes.data, writer->bytes.size};
    struct pom_message msg = {{0}};
    *out = (struct planned){0};
    enum pom_status status = pom_onnx_read(bytes, &choices, &out->graph, &msg);
    pom_graph_prune(&out->graph);
    if (status == POM_OK)
        status = pom_infer(&out->graph, POM_ISA_REF, &msg);
    if (status == POM_OK)
        status = pom_fuse(&out->graph, &msg);
    if (status == POM_OK)
        status = pom_plan_build(&out->graph, POM_ISA_REF, &(struct pom_net_options){0}, &out->plan, &msg);
    if (status != POM_OK)
        fail_msg("%s", msg.text);
}

static void clean_up(struct planned *planned, struct net_writer *writer) {
    pom_plan_clean_up(&planned->plan);
    pom_graph_clean_up(&planned->graph);
    pom_buffer_clean_up(&writer->bytes);
}

static int count_nodes(const struct pom_graph *graph, const char *type) {
    int n = 0;
    for (int i = 0; i < graph->n_nodes; i++)
        n += strcmp(graph->nodes[i]->type, type) == 0;
    return n;
}

static void folds_and_fuses(void **state) {
    (void)state;
    struct net_writer writer = {0};
    struct planned planned;
    net_write_backbone(&writer);
    make_plan(&writer, &planned);
    assert_int_equal(count_nodes(&planned.graph, "Conv"), 3);
    assert_int_equal(count_nodes(&planned.graph, "BatchNormalization"), 0);
    assert_int_equal(count_nodes(&planned.graph, "Relu"), 0);
    assert_int_equal(count_nodes(&planned.graph, "Add"), 0);
    clean_up(&planned, &writer);
}

/* A convolution read twice keeps its own output; so does one that is an output of the network. */
static void shared_values_stay(void **state) {
    (void)state;
    struct net_writer writer = {0};
    struct planned planned;
    net_input(&writer, "image", (int64_t[]){0, 3, 8, 8}, 4);
    net_conv(&writer, "image", "a", 3, 8, 1);
    net_batch_norm(&writer, "a", "a.bn", 8);
    net_node(&writer, "Relu", "a", "a.relu", NULL);
    net_node(&writer, "Add", "a.bn,a.relu", "sum", NULL);
    net_conv(&writer, "sum", "b", 8, 8, 3);
    net_node(&writer, "Relu", "b", "b.relu", NULL);
    net_output(&writer, "b.relu");
    net_output(&writer, "b");
    net_finish(&writer);
    make_plan(&writer, &planned);
    assert_int_equal(count_nodes(&planned.graph, "BatchNormalization"), 1);
    assert_int_equal(count_nodes(&planned.graph, "Relu"), 2);
    assert_int_equal(count_nodes(&planned.graph, "Add"), 1);
    clean_up(&planned, &writer);
}

/* The sum of a value with itself has no residual to wait for, and a pad that reflects is not zeros. */
static void odd_cases_stay(void **state) {
    (void)state;
    struct net_writer writer = {0};
    struct planned planned;
    net_input(&writer, "image", (int64_t[]){0, 3, 8, 8}, 4);
    net_ints(&writer, "pads", (int64_t[]){0, 0, 1, 1, 0, 0, 1, 1}, 8);
    net_node(&writer, "Pad", "image,pads", "reflected", "mode=Reflect");
    net_node(&writer, "Pad", "image,pads", "padded", NULL);
    net_conv(&writer, "padded", "a", 3, 8, 1);
    net_node(&writer, "Add", "a,a", "twice", NULL);
    net_output(&writer, "twice");
    net_finish(&writer);
    make_plan(&writer, &planned);
    assert_int_equal(count_nodes(&planned.graph, "Pad"), 0); /* one folded, one not needed */
    assert_int_equal(count_nodes(&planned.graph, "Add"), 1);
    clean_up(&planned, &writer);
}

/* One channel, one weight: w' and b' as computed in double and rounded once. */
static void batch_norm_is_folded_in_double(void **state) {
    (void)state;
    const float w = 0.7f, gamma = 1.3f, beta = -0.2f, mean = 0.11f, variance = 0.83f, x = 0.37f, epsilon = 1e-5f;
    int64_t one[] = {1, 1, 1, 1};
    struct net_writer writer = {0};
    net_input(&writer, "x", (int64_t[]){0, 1, 1, 1}, 4);
    net_floats(&writer, "w", &w, one, 4);
    net_floats(&writer, "gamma", &gamma, one, 1);
    net_floats(&writer, "beta", &beta, one, 1);
    net_floats(&writer, "mean", &mean, one, 1);
    net_floats(&writer, "variance", &variance, one, 1);
    net_node(&writer, "Conv", "x,w", "conv", NULL);
    net_node(&writer, "BatchNormalization", "conv,gamma,beta,mean,variance", "y", NULL);
    net_output(&writer, "y");
    net_finish(&writer);
    struct pom_net *net = NULL;
    struct pom_net_session *session = NULL;
    float y = 0;
    assert_int_equal(pom_net_load(writer.bytes.data, writer.bytes.size, NULL, &net, NULL), POM_OK);
    assert_int_equal(pom_net_session_new(net, 1, &session, NULL), POM_OK);
    assert_int_equal(pom_net_run(session, (const float *const[]){&x}, 1, (float *const[]){&y}, NULL), POM_OK);
    double scale = (double)gamma / sqrt((double)variance + (double)epsilon);
    assert_true(y == fmaf(x, (float)((double)w * scale), (float)((double)beta - (double)mean * scale)));
    pom_net_session_free(session);
    pom_net_free(net);
    pom_buffer_clean_up(&writer.bytes);
}

/* Two buffers that live at the same time lie apart, unless a step works in place on purpose. */
static void check_map(const struct pom_plan *plan, int batch) {
    struct pom_memory_map map;
    assert_int_equal(pom_memory_map_new(plan, batch, &map, NULL), POM_OK);
    struct pom_lifetime *life = pom_calloc((size_t)plan->n_buffers, sizeof *life);
    assert_non_null(life);
    pom_plan_lifetimes(plan, life);
    for (int a = 0; a < plan->n_buffers; a++)
        for (int b = 0; b < a; b++) {
            bool both = plan->buffers[a].place == POM_PLACE_ARENA && plan->buffers[b].place == POM_PLACE_ARENA &&
                        life[a].first >= 0 && life[b].first >= 0;
            bool in_place = map.storage[a] == map.storage[b];
            if (!both || life[a].last < life[b].first || life[b].last < life[a].first)
                continue;
            if (in_place) { /* they may meet in the one step that reads one and writes the other */
                assert_true(life[a].first == life[b].last || life[b].first == life[a].last);
                continue;
            }
            size_t a_bytes =
                plan->buffers[a].elements * plan->buffers[a].width * (life[a].all_images ? (size_t)batch : 1);
            size_t b_bytes =
                plan->buffers[b].elements * plan->buffers[b].width * (life[b].all_images ? (size_t)batch : 1);
            assert_true(map.offsets[a] + a_bytes <= map.offsets[b] || map.offsets[b] + b_bytes <= map.offsets[a]);
            assert_true(map.offsets[a] + a_bytes <= map.arena_bytes);
        }
    free(life);
    pom_memory_map_clean_up(&map);
}

static void live_buffers_do_not_overlap(void **state) {
    (void)state;
    struct net_writer writer = {0};
    struct planned planned;
    net_write_backbone(&writer);
    make_plan(&writer, &planned);
    check_map(&planned.plan, 1);
    check_map(&planned.plan, 3);
    check_map(&planned.plan, 16);
    clean_up(&planned, &writer);
}

/* What crosses from the trunk to the dense layers is there for every image; the trunk's own buffers are there once. */
static void memory_grows_with_the_batch_only_where_it_must(void **state) {
    (void)state;
    struct net_writer writer = {0};
    struct planned planned;
    struct pom_memory_map one, many;
    net_write_backbone(&writer);
    make_plan(&writer, &planned);
    assert_int_equal(pom_memory_map_new(&planned.plan, 1, &one, NULL), POM_OK);
    assert_int_equal(pom_memory_map_new(&planned.plan, 16, &many, NULL), POM_OK);
    size_t flat = 32 * 36 * sizeof(float);
    assert_true(many.arena_bytes <= one.arena_bytes + 2 * 16 * flat);
    pom_memory_map_clean_up(&one);
    pom_memory_map_clean_up(&many);
    clean_up(&planned, &writer);
}

/* A large picture with few weights, then a small one with many: that one's weights meet all images at once. */
static void heavy_weights_meet_all_images_at_once(void **state) {
    (void)state;
    struct net_writer writer = {0};
    struct planned planned;
    net_input(&writer, "image", (int64_t[]){0, 3, 24, 24}, 4);
    net_conv(&writer, "image", "large", 3, 48, 1);
    net_node(&writer, "AveragePool", "large", "small", "kernel_shape=12,12;strides=12,12");
    net_conv(&writer, "small", "heavy", 48, 64, 3);
    net_output(&writer, "heavy");
    net_finish(&writer);
    make_plan(&writer, &planned);
    const struct pom_plan *plan = &planned.plan;
    assert_int_equal(plan->n_segments, 2);
    assert_int_equal(plan->segments[0].phase, POM_PHASE_IMAGE);
    assert_int_equal(plan->segments[1].phase, POM_PHASE_BATCH);
    int first = plan->segments[1].first;
    assert_string_equal(plan->steps[first].node, "heavy");
    check_map(plan, 5);
    clean_up(&planned, &writer);
}

static const struct pom_step *find_step(const struct pom_plan *plan, const char *node) {
    for (int i = 0; i < plan->n_steps; i++)
        if (strcmp(plan->steps[i].node, node) == 0)
            return &plan->steps[i];
    fail_msg("no step of node %s", node);
    return NULL;
}

/* What a convolution adds dies there, so the sum takes its place; unless it is also what the convolution reads. */
static void sums_take_the_place_of_what_they_add(void **state) {
    (void)state;
    struct net_writer writer = {0};
    struct planned planned;
    struct pom_memory_map map;
    net_input(&writer, "image", (int64_t[]){0, 3, 8, 8}, 4);
    net_conv(&writer, "image", "a", 3, 8, 1);
    net_conv(&writer, "a", "b", 8, 8, 3);
    net_node(&writer, "Add", "a,b", "first", NULL);
    net_conv(&writer, "first", "c", 8, 8, 3);
    net_conv(&writer, "c", "d", 8, 8, 3);
    net_node(&writer, "Add", "first,d", "second", NULL);
    net_conv(&writer, "second", "e", 8, 8, 3);
    net_output(&writer, "e");
    net_finish(&writer);
    make_plan(&writer, &planned);
    assert_int_equal(pom_memory_map_new(&planned.plan, 4, &map, NULL), POM_OK);
    const struct pom_step *first = find_step(&planned.plan, "b"), *second = find_step(&planned.plan, "d");
    assert_true(first->in[1] >= 0 && second->in[1] >= 0);
    assert_true(map.storage[first->out] != map.storage[first->in[1]]);
    assert_true(map.storage[second->out] == map.storage[second->in[1]]);
    pom_memory_map_clean_up(&map);
    check_map(&planned.plan, 4);
    clean_up(&planned, &writer);
}

static void powers_are_accurate(void **state) {
    (void)state;
    for (float x = -87.0f; x <= 88.0f; x += 0.0137f) {
        double expected = exp((double)x);
        assert_true(fabs((double)pom_expf(x) - expected) <= expected * 2.5e-7);
    }
    assert_true(pom_expf(0.0f) == 1.0f);
    assert_true(isnan(pom_expf(NAN)));
    assert_true(pom_sigmoidf(-INFINITY) < 1e-37f && pom_sigmoidf(INFINITY) == 1.0f && pom_sigmoidf(0.0f) == 0.5f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds_and_fuses),
        cmocka_unit_test(shared_values_stay),
        cmocka_unit_test(odd_cases_stay),
        cmocka_unit_test(batch_norm_is_folded_in_double),
        cmocka_unit_test(live_buffers_do_not_overlap),
        cmocka_unit_test(memory_grows_with_the_batch_only_where_it_must),
        cmocka_unit_test(heavy_weights_meet_all_images_at_once),
        cmocka_unit_test(sums_take_the_place_of_what_they_add),
        cmocka_unit_test(powers_are_accurate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
