/* Damaged, hostile and unsupported files: an error that names the node, never a crash. */
#include "base/memory.h"
#include "nets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
// cmocka needs the three above, and stddef.h
#include <cmocka.h>

enum { STEP = 13 };

static enum pom_status load(const void *bytes, size_t n, struct pom_message *msg) {
    struct pom_net *net = NULL;
    enum pom_status status = pom_net_load(bytes, n, NULL, &net, msg);
    if (status == POM_OK)
        pom_net_free(net);
    else if (!msg->text[0])
        fail_msg("an error without a message");
    return status;
}

/* The model must be refused with a message that holds both texts. */
static void assert_refused(struct net_writer *writer, enum pom_status expected, const char *one, const char *other) {
    struct pom_message msg = {{0}};
    net_finish(writer);
    enum pom_status status = load(writer->bytes.data, writer->bytes.size, &msg);
    if (status != expected || !strstr(msg.text, one) || !strstr(msg.text, other))
        fail_msg("status %d (%d expected), '%s' and '%s' in: %s", status, expected, one, other, msg.text);
    pom_buffer_clean_up(&writer->bytes);
}

/* A copy of exactly n bytes, so that a sanitizer sees one read too far. */
static unsigned char *exact_copy(const void *bytes, size_t n) {
    unsigned char *copy = malloc(n ? n : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, n);
    return copy;
}

static void truncations(void **state) {
    (void)state;
    struct net_writer writer = {0};
    struct pom_message msg;
    net_write_backbone(&writer);
    for (size_t n = 0; n < writer.bytes.size; n += n < 4096 || n + 4096 > writer.bytes.size ? STEP : 101 * STEP) {
        unsigned char *copy = exact_copy(writer.bytes.data, n);
        msg.text[0] = '\0';
        assert_int_not_equal(load(copy, n, &msg), POM_OK);
        free(copy);
    }
    pom_buffer_clean_up(&writer.bytes);
}

static void bit_flips(void **state) {
    (void)state;
    struct net_writer writer = {0};
    net_write_backbone(&writer);
    unsigned char *copy = exact_copy(writer.bytes.data, writer.bytes.size);
    struct pom_message msg;
    for (size_t i = 0; i < writer.bytes.size; i += i < 2048 || i + 4096 > writer.bytes.size ? 5 : 997) {
        unsigned char flip = (unsigned char)(1u << (i / 5 % 8));
        copy[i] ^= flip;
        msg.text[0] = '\0';
        load(copy, writer.bytes.size, &msg); /* some are still models */
        copy[i] ^= flip;
    }
    free(copy);
    pom_buffer_clean_up(&writer.bytes);
}

static void garbage(void **state) {
    (void)state;
    struct pom_message msg = {{0}};
    assert_int_equal(load("", 0, &msg), POM_ERR_FORMAT);
    assert_int_equal(load("\x89PNG\r\n\x1a\n and so on", 18, &msg), POM_ERR_FORMAT);
}

/* 100,000 messages inside each other: graph (7) -> node (1) -> attribute (5) -> graph (6) -> ... */
static void deep_nesting(void **state) {
    (void)state;
    enum { DEPTH = 100000, ROOM = 8 * DEPTH };
    unsigned char *bytes = malloc(ROOM), *at = bytes + ROOM;
    assert_non_null(bytes);
    size_t size = 0;
    for (int i = DEPTH - 1; i >= 0; i--) {
        static const unsigned char fields[] = {1, 5, 6};
        unsigned char varint[8];
        size_t n = 0, left = size;
        do {
            varint[n++] = (unsigned char)((left & 0x7F) | (left > 0x7F ? 0x80 : 0));
            left >>= 7;
        } while (left);
        at -= n;
        memcpy(at, varint, n);
        *--at = (unsigned char)((i == 0 ? 7 : fields[(i - 1) % 3]) << 3 | 2);
        size += n + 1;
    }
    struct pom_message msg = {{0}};
    assert_int_equal(load(at, size, &msg), POM_ERR_LIMIT);
    free(bytes);
}

static void start(struct net_writer *writer) {
    *writer = (struct net_writer){0};
    net_input(writer, "image", (int64_t[]){0, 3, 8, 8}, 4);
}

static void bad_graphs_name_the_node(void **state) {
    (void)state;
    struct net_writer w;
    start(&w);
    net_node(&w, "Frobnicate", "image", "odd", NULL);
    net_output(&w, "odd");
    assert_refused(&w, POM_ERR_UNSUPPORTED, "odd", "Frobnicate");
    start(&w);
    net_node(&w, "Relu", "nothing", "lonely", NULL);
    net_output(&w, "lonely");
    assert_refused(&w, POM_ERR_FORMAT, "lonely", "nothing");
    start(&w);
    net_node(&w, "Relu", "b", "a", NULL);
    net_node(&w, "Relu", "a", "b", NULL);
    net_output(&w, "b");
    assert_refused(&w, POM_ERR_FORMAT, "node a", "cycle");
    start(&w);
    net_node(&w, "Relu", "image", "same", NULL);
    net_node(&w, "Relu", "image", "same", NULL);
    net_output(&w, "same");
    assert_refused(&w, POM_ERR_FORMAT, "same", "two tensors");
    start(&w);
    net_output(&w, "missing");
    assert_refused(&w, POM_ERR_FORMAT, "missing", "output");
}

static void bad_shapes_name_the_node(void **state) {
    (void)state;
    struct net_writer w;
    start(&w);
    net_conv(&w, "image", "wrong", 5, 8, 3);
    net_output(&w, "wrong");
    assert_refused(&w, POM_ERR_FORMAT, "node wrong (Conv)", "3 channels");
    start(&w);
    net_node(&w, "MaxPool", "image", "wide", "kernel_shape=99,99");
    net_output(&w, "wide");
    assert_refused(&w, POM_ERR_FORMAT, "node wide (MaxPool)", "window");
    start(&w);
    net_ints(&w, "shape", (int64_t[]){0, 5, -1}, 3);
    net_node(&w, "Reshape", "image,shape", "reshaped", NULL);
    net_output(&w, "reshaped");
    assert_refused(&w, POM_ERR_FORMAT, "node reshaped (Reshape)", "elements");
    start(&w);
    net_node(&w, "Flatten", "image", "flat", "axis=0");
    net_output(&w, "flat");
    assert_refused(&w, POM_ERR_UNSUPPORTED, "node flat (Flatten)", "batch");
}

static void huge_sizes_are_refused(void **state) {
    (void)state;
    struct net_writer w;
    w = (struct net_writer){0};
    net_input(&w, "image", (int64_t[]){0, 1 << 20, 1 << 20, 1 << 20}, 4);
    net_output(&w, "image");
    assert_refused(&w, POM_ERR_LIMIT, "image", "elements");
    start(&w);
    net_ints(&w, "shape", (int64_t[]){1 << 20, 1 << 20, 1 << 20, 1 << 20}, 4);
    net_node(&w, "ConstantOfShape", "shape", "filled", NULL);
    net_output(&w, "filled");
    assert_refused(&w, POM_ERR_LIMIT, "filled", "elements");
    start(&w);
    net_ints(&w, "shape", (int64_t[]){1 << 14, 1 << 14}, 2);
    net_node(&w, "ConstantOfShape", "shape", "filled", NULL);
    net_output(&w, "filled");
    assert_refused(&w, POM_ERR_LIMIT, "filled", "constants");
    start(&w);
    net_ints(&w, "pads", (int64_t[]){0, 0, 0, 0, 0, 0, INT64_MAX, 1}, 8);
    net_node(&w, "Pad", "image,pads", "padded", NULL);
    net_output(&w, "padded");
    assert_refused(&w, POM_ERR_FORMAT, "padded", "range");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(truncations),
        cmocka_unit_test(bit_flips),
        cmocka_unit_test(garbage),
        cmocka_unit_test(deep_nesting),
        cmocka_unit_test(bad_graphs_name_the_node),
        cmocka_unit_test(bad_shapes_name_the_node),
        cmocka_unit_test(huge_sizes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
