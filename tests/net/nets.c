#include "nets.h"

#include "base/memory.h"
#include "net/onnx.pb-c.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPSET = 17, MAX_PARTS = 16, MAX_DIMS = 8 };
enum { GRAPH_NODE = 1, GRAPH_INITIALIZER = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };

void net_random(float *out, size_t n, unsigned seed) {
    uint32_t state = seed * 2654435761u + 1;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        out[i] = (float)(state >> 8) / (float)(1 << 23) - 1.0f;
    }
}

static void put_varint(struct pom_buffer *to, uint64_t value) {
    do {
        unsigned char byte = (unsigned char)((value & 0x7F) | (value > 0x7F ? 0x80 : 0));
        pom_buffer_append(to, &byte, 1);
        value >>= 7;
    } while (value);
}

/* A packed message as field `number` of the graph. */
static void put_message(struct net_writer *writer, unsigned number, const ProtobufCMessage *message) {
    size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *packed = malloc(size + 1);
    if (!packed)
        abort();
    protobuf_c_message_pack(message, packed);
    put_varint(&writer->graph, number << 3 | 2);
    put_varint(&writer->graph, size);
    pom_buffer_append(&writer->graph, packed, size);
    free(packed);
}

static void put_value(struct net_writer *writer, unsigned field, const char *name, const int64_t *dims, int n) {
    Onnx__TensorShapeProto__Dimension sides[MAX_DIMS], *side_pointers[MAX_DIMS];
    Onnx__TensorShapeProto shape = ONNX__TENSOR_SHAPE_PROTO__INIT;
    Onnx__TypeProto__Tensor tensor = ONNX__TYPE_PROTO__TENSOR__INIT;
    Onnx__TypeProto type = ONNX__TYPE_PROTO__INIT;
    Onnx__ValueInfoProto value = ONNX__VALUE_INFO_PROTO__INIT;
    char open[] = "n";
    for (int i = 0; i < n; i++) {
        onnx__tensor_shape_proto__dimension__init(&sides[i]);
        sides[i].value_case = dims[i] > 0 ? ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE
                                          : ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM;
        if (dims[i] > 0)
            sides[i].dim_value = dims[i];
        else
            sides[i].dim_param = open;
        side_pointers[i] = &sides[i];
    }
    shape.n_dim = (size_t)n;
    shape.dim = side_pointers;
    tensor.has_elem_type = 1;
    tensor.elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    tensor.shape = n > 0 ? &shape : NULL;
    type.value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    type.tensor_type = &tensor;
    value.name = (char *)(uintptr_t)name;
    value.type = &type;
    put_message(writer, field, &value.base);
}

void net_input(struct net_writer *writer, const char *name, const int64_t *dims, int n) {
    put_value(writer, GRAPH_INPUT, name, dims, n);
}

void net_output(struct net_writer *writer, const char *name) {
    put_value(writer, GRAPH_OUTPUT, name, NULL, 0);
}

static void put_tensor(
    struct net_writer *writer, const char *name, int type, const void *data, size_t size, const int64_t *dims, int n) {
    Onnx__TensorProto tensor = ONNX__TENSOR_PROTO__INIT;
    tensor.name = (char *)(uintptr_t)name;
    tensor.has_data_type = 1;
    tensor.data_type = type;
    tensor.n_dims = (size_t)n;
    tensor.dims = (int64_t *)(uintptr_t)dims;
    tensor.has_raw_data = 1;
    tensor.raw_data.data = (uint8_t *)(uintptr_t)data;
    tensor.raw_data.len = size;
    put_message(writer, GRAPH_INITIALIZER, &tensor.base);
}

void net_floats(struct net_writer *writer, const char *name, const float *values, const int64_t *dims, int n) {
    size_t elements = 1;
    for (int i = 0; i < n; i++)
        elements *= (size_t)dims[i];
    float *random = pom_calloc(elements, sizeof(float));
    if (!random)
        abort();
    net_random(random, elements, ++writer->seed);
    put_tensor(writer, name, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, values ? values : random, elements * sizeof(float),
        dims, n);
    free(random);
}

void net_ints(struct net_writer *writer, const char *name, const int64_t *values, int n) {
    int64_t dims[] = {n};
    put_tensor(writer, name, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, values, (size_t)n * sizeof *values, dims, 1);
}

/* Splits text in place at `at`. */
static size_t split(char *text, const char *at, char **parts) {
    size_t n = 0;
    for (char *rest = text, *part; n < MAX_PARTS && (part = strsep(&rest, at));)
        parts[n++] = part;
    return n;
}

/* "name=1,2", "name=0.5f" or "name=text" */
static void parse_attribute(char *text, Onnx__AttributeProto *out, int64_t *ints) {
    char *value = strchr(text, '='), *parts[MAX_PARTS];
    onnx__attribute_proto__init(out);
    *value++ = '\0';
    out->name = text;
    out->has_type = 1;
    if (value[0] >= 'A' && value[0] != 'f') {
        out->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING;
        out->has_s = 1;
        out->s.data = (uint8_t *)value;
        out->s.len = strlen(value);
    } else if (value[strlen(value) - 1] == 'f') {
        out->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
        out->has_f = 1;
        out->f = strtof(value, NULL);
    } else if (!strchr(value, ',')) {
        out->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
        out->has_i = 1;
        out->i = strtoll(value, NULL, 10);
    } else {
        out->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
        out->n_ints = split(value, ",", parts);
        out->ints = ints;
        for (size_t i = 0; i < out->n_ints; i++)
            ints[i] = strtoll(parts[i], NULL, 10);
    }
}

void net_node(
    struct net_writer *writer, const char *type, const char *inputs, const char *output, const char *attributes) {
    char *input_text = strdup(inputs), *attribute_text = strdup(attributes ? attributes : "");
    char *names[MAX_PARTS], *outputs[] = {(char *)(uintptr_t)output}, *parts[MAX_PARTS];
    Onnx__AttributeProto made[MAX_PARTS], *pointers[MAX_PARTS];
    int64_t ints[MAX_PARTS][MAX_PARTS];
    Onnx__NodeProto node = ONNX__NODE_PROTO__INIT;
    if (!input_text || !attribute_text)
        abort();
    node.op_type = (char *)(uintptr_t)type;
    node.name = outputs[0];
    node.n_input = *inputs ? split(input_text, ",", names) : 0;
    node.input = names;
    node.n_output = 1;
    node.output = outputs;
    node.n_attribute = attributes ? split(attribute_text, ";", parts) : 0;
    node.attribute = pointers;
    for (size_t i = 0; i < node.n_attribute; i++) {
        parse_attribute(parts[i], &made[i], ints[i]);
        pointers[i] = &made[i];
    }
    put_message(writer, GRAPH_NODE, &node.base);
    free(input_text);
    free(attribute_text);
}

void net_metadata(struct net_writer *writer, const char *key, const char *value) {
    enum { MODEL_METADATA = 14, ENTRY_KEY = 1, ENTRY_VALUE = 2 };
    size_t key_size = strlen(key), value_size = strlen(value);
    put_varint(&writer->bytes, MODEL_METADATA << 3 | 2);
    put_varint(&writer->bytes, 2 + key_size + 2 + value_size); /* both below 128 bytes */
    put_varint(&writer->bytes, ENTRY_KEY << 3 | 2);
    put_varint(&writer->bytes, key_size);
    pom_buffer_append(&writer->bytes, key, key_size);
    put_varint(&writer->bytes, ENTRY_VALUE << 3 | 2);
    put_varint(&writer->bytes, value_size);
    pom_buffer_append(&writer->bytes, value, value_size);
}

void net_finish(struct net_writer *writer) {
    enum { MODEL_IR_VERSION = 1, MODEL_GRAPH = 7, MODEL_OPSET = 8, IR_VERSION = 8 };
    put_varint(&writer->bytes, MODEL_IR_VERSION << 3);
    put_varint(&writer->bytes, IR_VERSION);
    const unsigned char opset[] = {MODEL_OPSET << 3 | 2, 2, 2 << 3, OPSET};
    pom_buffer_append(&writer->bytes, opset, sizeof opset);
    put_varint(&writer->bytes, MODEL_GRAPH << 3 | 2);
    put_varint(&writer->bytes, writer->graph.size);
    pom_buffer_append(&writer->bytes, writer->graph.data, writer->graph.size);
    pom_buffer_clean_up(&writer->graph);
}

void net_conv(struct net_writer *writer, const char *input, const char *output, int c_in, int c_out, int k) {
    char weights[64], inputs[160], attributes[64];
    snprintf(weights, sizeof weights, "%s.w", output);
    snprintf(inputs, sizeof inputs, "%s,%s", input, weights);
    snprintf(attributes, sizeof attributes, "pads=%d,%d,%d,%d", k / 2, k / 2, k / 2, k / 2);
    net_floats(writer, weights, NULL, (int64_t[]){c_out, c_in, k, k}, 4);
    net_node(writer, "Conv", inputs, output, attributes);
}

void net_batch_norm(struct net_writer *writer, const char *input, const char *output, int channels) {
    static const char *const statistics[] = {"scale", "bias", "mean"};
    char name[64], inputs[256];
    size_t used = (size_t)snprintf(inputs, sizeof inputs, "%s", input);
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s.%s", output, statistics[i]);
        net_floats(writer, name, NULL, (int64_t[]){channels}, 1);
        used += (size_t)snprintf(inputs + used, sizeof inputs - used, ",%s", name);
    }
    float *variance = pom_calloc((size_t)channels, sizeof(float));
    if (!variance)
        abort();
    net_random(variance, (size_t)channels, ++writer->seed);
    for (int i = 0; i < channels; i++)
        variance[i] = 1.5f + variance[i];
    snprintf(name, sizeof name, "%s.variance", output);
    net_floats(writer, name, variance, (int64_t[]){channels}, 1);
    snprintf(inputs + used, sizeof inputs - used, ",%s", name);
    net_node(writer, "BatchNormalization", inputs, output, "epsilon=0.001f");
    free(variance);
}

void net_write_backbone(struct net_writer *w) {
    net_input(w, "image", (int64_t[]){0, 3, 12, 12}, 4);
    net_conv(w, "image", "stem", 3, 16, 3);
    net_batch_norm(w, "stem", "stem.bn", 16);
    net_node(w, "Relu", "stem.bn", "stem.relu", NULL);
    net_conv(w, "stem.relu", "body", 16, 16, 3);
    net_batch_norm(w, "body", "body.bn", 16);
    net_node(w, "Add", "stem.relu,body.bn", "sum", NULL);
    net_node(w, "Relu", "sum", "sum.relu", NULL);
    net_node(w, "MaxPool", "sum.relu", "pool", "kernel_shape=3,3;strides=2,2;pads=1,1,1,1");
    net_node(w, "AveragePool", "sum.relu", "average", "kernel_shape=2,2;strides=2,2");
    net_node(w, "Concat", "pool,average", "both", "axis=1");
    net_node(w, "GlobalAveragePool", "both", "squeeze", NULL);
    net_conv(w, "squeeze", "excite", 32, 32, 1);
    net_node(w, "Sigmoid", "excite", "gate", NULL);
    net_node(w, "Mul", "both,gate", "gated", NULL);
    net_node(w, "HardSwish", "gated", "swish", NULL);
    net_node(w, "Flatten", "swish", "flat", NULL);
    net_floats(w, "dense.w", NULL, (int64_t[]){10, 32 * 36}, 2);
    net_node(w, "Gemm", "flat,dense.w", "dense", "transB=1");
    net_node(w, "Softmax", "dense", "features", NULL);
    net_output(w, "features");
    net_finish(w);
}
