#include "model/keras_builder.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const class_names[POM_KERAS_CLASSES] = {
    [POM_KERAS_CONV] = "conv2d",
    [POM_KERAS_DEPTHWISE] = "depthwise_conv2d",
    [POM_KERAS_NORM] = "batch_normalization",
    [POM_KERAS_DENSE] = "dense",
};

static void fail(struct pom_keras_builder *b, enum pom_status status) {
    if (b->status == POM_OK)
        b->status = status;
}

const char *pom_keras_name(struct pom_keras_builder *b, const char *format, ...) {
    char text[128];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *name = pom_arena_strdup(&b->names, text);
    if (!name)
        fail(b, pom_fail_memory(b->msg, "names of layers"));
    return name ? name : "";
}

/* Finding layers */

/* Keras's published ResNet50 calls its classifier "probs". */
static bool is_called(const struct pom_keras_layer *layer, const char *name) {
    return layer->name &&
           (strcmp(layer->name, name) == 0 || (strcmp(name, "predictions") == 0 && strcmp(layer->name, "probs") == 0));
}

static bool is_wanted(const struct pom_keras_builder *b, const struct pom_keras_layer *layer, size_t place,
    const char *name, enum pom_keras_class class) {
    char group[64];
    switch (b->match) {
    case POM_KERAS_BY_NAME:
        return is_called(layer, name);
    case POM_KERAS_BY_CLASS:
        snprintf(group, sizeof group, b->read_of[class] ? "%s_%d" : "%s", class_names[class], b->read_of[class]);
        return layer->group && strcmp(layer->group, group) == 0;
    default:
        return place == b->read;
    }
}

static const struct pom_keras_layer *find(
    const struct pom_keras_builder *b, const char *name, enum pom_keras_class class) {
    size_t n;
    const struct pom_keras_layer *layers = pom_keras_layers(b->file, &n);
    for (size_t i = 0; i < n; i++)
        if (is_wanted(b, &layers[i], i, name, class))
            return &layers[i];
    return NULL;
}

/* The layer that is next to be read; NULL after a failure. */
static const struct pom_keras_layer *next_layer(
    struct pom_keras_builder *b, const char *name, enum pom_keras_class class, int n_weights) {
    if (b->status != POM_OK)
        return NULL;
    const struct pom_keras_layer *layer = find(b, name, class);
    if (!layer)
        fail(b,
            pom_fail(b->msg, POM_ERR_FORMAT, "%s holds no weights for layer %s, which the network has", b->path, name));
    else if (layer->n_weights != n_weights)
        fail(b, pom_fail(b->msg, POM_ERR_FORMAT, "%s: layer %s has %d arrays of weights instead of %d", b->path, name,
                    layer->n_weights, n_weights));
    b->read++;
    b->read_of[class]++;
    return b->status == POM_OK ? layer : NULL;
}

/* Reading arrays */

static void print_shape(char *out, size_t size, int rank, const int64_t *dims) {
    size_t at = 0;
    out[0] = '\0';
    for (int i = 0; i < rank && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%lld", i ? "x" : "", (long long)dims[i]);
}

static bool shape_is(
    struct pom_keras_builder *b, const char *layer, const char *weight, int rank, const int64_t *dims) {
    int64_t found[POM_KERAS_MAX_RANK];
    int found_rank = 0;
    enum pom_status status = pom_keras_shape(b->file, weight, &found_rank, found, b->msg);
    if (status == POM_OK && found_rank == rank && memcmp(found, dims, (size_t)rank * sizeof *dims) == 0)
        return true;
    if (status == POM_OK) {
        char is[96], should[96];
        print_shape(is, sizeof is, found_rank, found);
        print_shape(should, sizeof should, rank, dims);
        status = pom_fail(b->msg, POM_ERR_FORMAT, "%s: layer %s has an array of shape %s where the network has %s",
            b->path, layer, is, should);
    }
    fail(b, status);
    return false;
}

/* Reads an array of exactly dims into out; nothing after a failure. */
static void read_array(
    struct pom_keras_builder *b, const char *layer, const char *weight, int rank, const int64_t *dims, float *out) {
    if (!out)
        fail(b, pom_fail_memory(b->msg, "weights"));
    if (b->status == POM_OK && shape_is(b, layer, weight, rank, dims))
        fail(b, pom_keras_read(b->file, weight, out, b->msg));
}

/* Adds a constant "layer/what" that holds the file's array as it is. Returns its name. */
static const char *add_array(struct pom_keras_builder *b, const char *layer, const char *what, const char *weight,
    int rank, const int64_t *dims) {
    const char *name = pom_keras_name(b, "%s/%s", layer, what);
    if (b->status == POM_OK)
        read_array(b, layer, weight, rank, dims, pom_onnx_weight(b->onnx, name, rank, dims));
    return name;
}

static const char *add_vector(
    struct pom_keras_builder *b, const char *layer, const char *what, const char *weight, int64_t n) {
    return add_array(b, layer, what, weight, 1, &n);
}

/* Height, width, in, out -> out, in, height, width. A depthwise kernel (height, width, channels, 1) has its channels as
 * out. */
static void transpose_kernel(const float *from, size_t pixels, size_t in, size_t out, float *to) {
    for (size_t o = 0; o < out; o++)
        for (size_t i = 0; i < in; i++)
            for (size_t p = 0; p < pixels; p++)
                *to++ = from[(p * in + i) * out + o];
}

static const char *add_kernel(
    struct pom_keras_builder *b, const char *layer, const char *weight, int in, struct pom_keras_conv conv) {
    const char *name = pom_keras_name(b, "%s/kernel", layer);
    size_t pixels = (size_t)conv.kernel * (size_t)conv.kernel;
    int out = conv.depthwise ? in : conv.filters, fan = conv.depthwise ? 1 : in;
    int64_t keras[] = {conv.kernel, conv.kernel, in, conv.depthwise ? 1 : out};
    int64_t onnx[] = {out, fan, conv.kernel, conv.kernel};
    float *from = pom_calloc(pixels * (size_t)fan, (size_t)out * sizeof *from);
    read_array(b, layer, weight, 4, keras, from);
    float *to = b->status == POM_OK ? pom_onnx_weight(b->onnx, name, 4, onnx) : NULL;
    if (to)
        transpose_kernel(from, pixels, (size_t)fan, (size_t)out, to);
    free(from);
    return name;
}

/* Layers */

static struct pom_onnx_node *add_node(
    struct pom_keras_builder *b, const char *operator, const char * name, size_t n, ...) {
    const char *inputs[5] = {0};
    va_list args;
    va_start(args, n);
    for (size_t i = 0; i < n; i++)
        inputs[i] = va_arg(args, const char *);
    va_end(args);
    return b->status == POM_OK ? pom_onnx_node(b->onnx, operator, name, inputs, n) : NULL;
}

static void add_pair(struct pom_keras_builder *b, struct pom_onnx_node *node, const char *name, int value) {
    pom_onnx_ints(b->onnx, node, name, (const int64_t[]){value, value}, 2);
}

static void add_pad(struct pom_keras_builder *b, struct pom_onnx_node *node, int pad) {
    if (pad == POM_KERAS_SAME)
        pom_onnx_text(b->onnx, node, "auto_pad", "SAME_UPPER");
    else
        pom_onnx_ints(b->onnx, node, "pads", (const int64_t[]){pad, pad, pad, pad}, 4);
}

struct pom_keras_tensor pom_keras_conv(
    struct pom_keras_builder *b, struct pom_keras_tensor x, const char *name, struct pom_keras_conv conv) {
    const struct pom_keras_layer *layer =
        next_layer(b, name, conv.depthwise ? POM_KERAS_DEPTHWISE : POM_KERAS_CONV, conv.bias ? 2 : 1);
    struct pom_keras_tensor y = {name, conv.depthwise ? x.channels : conv.filters};
    if (!layer)
        return y;
    const char *kernel = add_kernel(b, name, layer->weights[0], x.channels, conv);
    const char *bias = conv.bias ? add_vector(b, name, "bias", layer->weights[1], y.channels) : NULL;
    const char *linear = conv.relu ? pom_keras_name(b, "%s/linear", name) : name;
    struct pom_onnx_node *node = add_node(b, "Conv", linear, bias ? 3 : 2, x.name, kernel, bias);
    if (b->status != POM_OK)
        return y;
    add_pair(b, node, "kernel_shape", conv.kernel);
    add_pair(b, node, "strides", conv.stride ? conv.stride : 1);
    add_pad(b, node, conv.pad);
    pom_onnx_int(b->onnx, node, "group", conv.depthwise ? x.channels : 1);
    if (conv.relu)
        add_node(b, "Relu", name, 1, linear);
    return y;
}

struct pom_keras_tensor pom_keras_norm(
    struct pom_keras_builder *b, struct pom_keras_tensor x, const char *name, float epsilon) {
    static const char *const whats[] = {"gamma", "beta", "moving_mean", "moving_variance"};
    const struct pom_keras_layer *layer = next_layer(b, name, POM_KERAS_NORM, 4);
    const char *weights[4] = {0};
    for (int i = 0; layer && i < 4; i++)
        weights[i] = add_vector(b, name, whats[i], layer->weights[i], x.channels);
    if (b->status == POM_OK) {
        struct pom_onnx_node *node =
            add_node(b, "BatchNormalization", name, 5, x.name, weights[0], weights[1], weights[2], weights[3]);
        pom_onnx_float(b->onnx, node, "epsilon", epsilon);
    }
    return (struct pom_keras_tensor){name, x.channels};
}

struct pom_keras_tensor pom_keras_simple(
    struct pom_keras_builder *b, const char *operator, struct pom_keras_tensor x, const char *name) {
    add_node(b, operator, name, 1, x.name);
    return (struct pom_keras_tensor){name, x.channels};
}

struct pom_keras_tensor pom_keras_relu6(struct pom_keras_builder *b, struct pom_keras_tensor x, const char *name) {
    const char *high = pom_keras_name(b, "%s/high", name), *low = pom_keras_name(b, "%s/low", name);
    float *low_value = b->status == POM_OK ? pom_onnx_weight(b->onnx, low, 0, NULL) : NULL;
    float *high_value = b->status == POM_OK ? pom_onnx_weight(b->onnx, high, 0, NULL) : NULL;
    if (low_value && high_value)
        *low_value = 0, *high_value = 6;
    add_node(b, "Clip", name, 3, x.name, low, high);
    return (struct pom_keras_tensor){name, x.channels};
}

struct pom_keras_tensor pom_keras_add(
    struct pom_keras_builder *b, struct pom_keras_tensor x, struct pom_keras_tensor y, const char *name) {
    add_node(b, "Add", name, 2, x.name, y.name);
    return (struct pom_keras_tensor){name, x.channels};
}

struct pom_keras_tensor pom_keras_max_pool(
    struct pom_keras_builder *b, struct pom_keras_tensor x, const char *name, int kernel, int stride, int pad) {
    struct pom_onnx_node *node = add_node(b, "MaxPool", name, 1, x.name);
    if (b->status == POM_OK) {
        add_pair(b, node, "kernel_shape", kernel);
        add_pair(b, node, "strides", stride);
        add_pad(b, node, pad);
    }
    return (struct pom_keras_tensor){name, x.channels};
}

static struct pom_keras_tensor flatten(
    struct pom_keras_builder *b, struct pom_keras_tensor x, const char *name, int values) {
    struct pom_onnx_node *node = add_node(b, "Flatten", name, 1, x.name);
    if (b->status == POM_OK)
        pom_onnx_int(b->onnx, node, "axis", 1);
    return (struct pom_keras_tensor){name, values};
}

struct pom_keras_tensor pom_keras_global_average(
    struct pom_keras_builder *b, struct pom_keras_tensor x, const char *name) {
    struct pom_keras_tensor pooled = pom_keras_simple(b, "GlobalAveragePool", x, pom_keras_name(b, "%s/pool", name));
    return flatten(b, pooled, name, x.channels);
}

struct pom_keras_tensor pom_keras_flatten(
    struct pom_keras_builder *b, struct pom_keras_tensor x, const char *name, int size) {
    const char *transposed = pom_keras_name(b, "%s/nhwc", name);
    struct pom_onnx_node *node = add_node(b, "Transpose", transposed, 1, x.name);
    if (b->status == POM_OK)
        pom_onnx_ints(b->onnx, node, "perm", (const int64_t[]){0, 2, 3, 1}, 4);
    return flatten(b, (struct pom_keras_tensor){transposed, x.channels}, name, size * size * x.channels);
}

/* How many values a fully connected layer gives from `inputs`; 0 where it takes another number. */
static int dense_units(const struct pom_keras_builder *b, const struct pom_keras_layer *layer, int inputs) {
    int64_t dims[POM_KERAS_MAX_RANK];
    int rank = 0;
    if (layer->n_weights != 2 || pom_keras_shape(b->file, layer->weights[0], &rank, dims, NULL) != POM_OK)
        return 0;
    return rank == 2 && dims[0] == inputs ? (int)dims[1] : 0;
}

bool pom_keras_has_dense(struct pom_keras_builder *b, const char *name, int inputs) {
    const struct pom_keras_layer *layer = b->status == POM_OK ? find(b, name, POM_KERAS_DENSE) : NULL;
    return layer && dense_units(b, layer, inputs) > 0;
}

struct pom_keras_tensor pom_keras_dense(
    struct pom_keras_builder *b, struct pom_keras_tensor x, const char *name, const char *activation) {
    const struct pom_keras_layer *layer = next_layer(b, name, POM_KERAS_DENSE, 2);
    int units = layer ? dense_units(b, layer, x.channels) : 0;
    if (layer && units == 0)
        fail(b, pom_fail(b->msg, POM_ERR_FORMAT, "%s: layer %s does not take the network's %d values", b->path, name,
                    x.channels));
    if (units == 0)
        return x;
    const char *kernel = add_array(b, name, "kernel", layer->weights[0], 2, (const int64_t[]){x.channels, units});
    const char *bias = add_vector(b, name, "bias", layer->weights[1], units),
               *linear = pom_keras_name(b, "%s/linear", name);
    add_node(b, "Gemm", linear, 3, x.name, kernel, bias);
    add_node(b, activation, name, 1, linear);
    return (struct pom_keras_tensor){name, units};
}
