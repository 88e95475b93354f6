#include "model/onnx_writer.h"

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "onnx.pb-c.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IR_VERSION = 8, OPSET = 17 };

/* protobuf-c wants arrays of pointers to messages. */
struct list {
    void *items;
    size_t n, capacity;
};

struct pom_onnx {
    struct pom_arena arena;
    const char *name;
    struct list nodes, weights, inputs, outputs, metadata;
    bool failed;
};

struct pom_onnx_node {
    Onnx__NodeProto proto;
    struct list attributes;
};

struct pom_onnx *pom_onnx_new(const char *graph_name) {
    struct pom_onnx *model = pom_calloc(1, sizeof *model);
    if (!model || (model->name = pom_arena_strdup(&model->arena, graph_name)))
        return model;
    pom_onnx_free(model);
    return NULL;
}

void pom_onnx_free(struct pom_onnx *model) {
    if (!model)
        return;
    for (size_t i = 0; i < model->nodes.n; i++)
        free(((struct pom_onnx_node **)model->nodes.items)[i]->attributes.items);
    free(model->nodes.items);
    free(model->weights.items);
    free(model->inputs.items);
    free(model->outputs.items);
    free(model->metadata.items);
    pom_arena_clean_up(&model->arena);
    free(model);
}

static void *allocate(struct pom_onnx *model, size_t n, size_t size) {
    void *out = model->failed ? NULL : pom_arena_alloc(&model->arena, n, size);
    model->failed |= !out;
    return out;
}

static char *copy(struct pom_onnx *model, const char *text) {
    char *out = model->failed ? NULL : pom_arena_strdup(&model->arena, text);
    model->failed |= !out;
    return out;
}

static void append(struct pom_onnx *model, struct list *list, void *item) {
    model->failed |= !pom_grow(&list->items, &list->capacity, list->n + 1, sizeof(void *));
    if (!model->failed)
        ((void **)list->items)[list->n++] = item;
}

float *pom_onnx_weight(struct pom_onnx *model, const char *name, int rank, const int64_t *dims) {
    size_t elements = 1, bytes = 0;
    for (int i = 0; i < rank; i++)
        model->failed |= !pom_size_mul(elements, (size_t)dims[i], &elements);
    model->failed |= !pom_size_mul(elements, sizeof(float), &bytes);
    Onnx__TensorProto *tensor = allocate(model, 1, sizeof *tensor);
    int64_t *own_dims = allocate(model, (size_t)rank, sizeof *own_dims);
    char *own_name = copy(model, name);
    float *data = allocate(model, bytes, 1);
    if (model->failed)
        return NULL;
    onnx__tensor_proto__init(tensor);
    if (rank)
        memcpy(own_dims, dims, (size_t)rank * sizeof *dims);
    tensor->n_dims = (size_t)rank;
    tensor->dims = own_dims;
    tensor->has_data_type = 1;
    tensor->data_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    tensor->name = own_name;
    tensor->has_raw_data = 1; /* little-endian, as every machine that Pomona runs on */
    tensor->raw_data = (ProtobufCBinaryData){.len = bytes, .data = (uint8_t *)data};
    append(model, &model->weights, tensor);
    return data;
}

struct pom_onnx_node *pom_onnx_node(
    struct pom_onnx *model, const char *operator, const char * output, const char *const *inputs, size_t n_inputs) {
    struct pom_onnx_node *node = allocate(model, 1, sizeof *node);
    char **names = allocate(model, n_inputs + 1, sizeof *names);
    char *own_operator = copy(model, operator), *own_output = copy(model, output);
    if (model->failed)
        return NULL;
    names[0] = own_output;
    for (size_t i = 0; i < n_inputs; i++)
        names[i + 1] = copy(model, inputs[i]);
    onnx__node_proto__init(&node->proto);
    node->proto.op_type = own_operator;
    node->proto.name = own_output;
    node->proto.output = names;
    node->proto.n_output = 1;
    node->proto.input = names + 1;
    node->proto.n_input = n_inputs;
    append(model, &model->nodes, node);
    return model->failed ? NULL : node;
}

static Onnx__AttributeProto *attribute(
    struct pom_onnx *model, struct pom_onnx_node *node, const char *name, Onnx__AttributeProto__AttributeType type) {
    Onnx__AttributeProto *out = allocate(model, 1, sizeof *out);
    char *own_name = copy(model, name);
    if (model->failed)
        return NULL;
    onnx__attribute_proto__init(out);
    out->name = own_name;
    out->has_type = 1;
    out->type = type;
    append(model, &node->attributes, out);
    return model->failed ? NULL : out;
}

void pom_onnx_int(struct pom_onnx *model, struct pom_onnx_node *node, const char *name, int64_t value) {
    Onnx__AttributeProto *out = attribute(model, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT);
    if (out) {
        out->has_i = 1;
        out->i = value;
    }
}

void pom_onnx_float(struct pom_onnx *model, struct pom_onnx_node *node, const char *name, float value) {
    Onnx__AttributeProto *out = attribute(model, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT);
    if (out) {
        out->has_f = 1;
        out->f = value;
    }
}

void pom_onnx_text(struct pom_onnx *model, struct pom_onnx_node *node, const char *name, const char *value) {
    Onnx__AttributeProto *out = attribute(model, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING);
    char *own = copy(model, value);
    if (out && own) {
        out->has_s = 1;
        out->s = (ProtobufCBinaryData){.len = strlen(own), .data = (uint8_t *)own};
    }
}

void pom_onnx_ints(
    struct pom_onnx *model, struct pom_onnx_node *node, const char *name, const int64_t *values, size_t n) {
    Onnx__AttributeProto *out = attribute(model, node, name, ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS);
    int64_t *own = allocate(model, n, sizeof *own);
    if (out && own) {
        memcpy(own, values, n * sizeof *values);
        out->ints = own;
        out->n_ints = n;
    }
}

static Onnx__TensorShapeProto *shape(struct pom_onnx *model, const struct pom_onnx_dim *dims, size_t rank) {
    Onnx__TensorShapeProto *out = allocate(model, 1, sizeof *out);
    Onnx__TensorShapeProto__Dimension *own = allocate(model, rank, sizeof *own);
    Onnx__TensorShapeProto__Dimension **pointers = allocate(model, rank, sizeof(void *));
    if (model->failed)
        return NULL;
    onnx__tensor_shape_proto__init(out);
    for (size_t i = 0; i < rank; i++) {
        onnx__tensor_shape_proto__dimension__init(&own[i]);
        own[i].value_case = dims[i].symbol ? ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
                                           : ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        if (dims[i].symbol)
            own[i].dim_param = copy(model, dims[i].symbol);
        else
            own[i].dim_value = dims[i].value;
        pointers[i] = &own[i];
    }
    out->n_dim = rank;
    out->dim = pointers;
    return out;
}

static void add_value(
    struct pom_onnx *model, struct list *list, const char *name, const struct pom_onnx_dim *dims, size_t rank) {
    Onnx__ValueInfoProto *value = allocate(model, 1, sizeof *value);
    Onnx__TypeProto *type = allocate(model, 1, sizeof *type);
    Onnx__TypeProto__Tensor *tensor = allocate(model, 1, sizeof *tensor);
    Onnx__TensorShapeProto *own_shape = shape(model, dims, rank);
    char *own_name = copy(model, name);
    if (model->failed)
        return;
    onnx__type_proto__tensor__init(tensor);
    tensor->has_elem_type = 1;
    tensor->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    tensor->shape = own_shape;
    onnx__type_proto__init(type);
    type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    type->tensor_type = tensor;
    onnx__value_info_proto__init(value);
    value->name = own_name;
    value->type = type;
    append(model, list, value);
}

void pom_onnx_input(struct pom_onnx *model, const char *name, const struct pom_onnx_dim *dims, size_t rank) {
    add_value(model, &model->inputs, name, dims, rank);
}

void pom_onnx_output(struct pom_onnx *model, const char *name, const struct pom_onnx_dim *dims, size_t rank) {
    add_value(model, &model->outputs, name, dims, rank);
}

void pom_onnx_metadata(struct pom_onnx *model, const char *key, const char *value) {
    Onnx__StringStringEntryProto *entry = allocate(model, 1, sizeof *entry);
    char *own_key = copy(model, key), *own_value = copy(model, value);
    if (model->failed)
        return;
    onnx__string_string_entry_proto__init(entry);
    entry->key = own_key;
    entry->value = own_value;
    append(model, &model->metadata, entry);
}

/* Writing */

struct file_sink {
    ProtobufCBuffer base;
    FILE *file;
    bool failed;
};

static void sink_append(ProtobufCBuffer *base, size_t n, const uint8_t *data) {
    struct file_sink *sink = (struct file_sink *)base;
    sink->failed |= n > 0 && fwrite(data, n, 1, sink->file) != 1;
}

static bool write_message(const ProtobufCMessage *message, const char *path) {
    struct file_sink sink = {.base = {.append = sink_append}, .file = fopen(path, "wbe")};
    if (!sink.file)
        return false;
    protobuf_c_message_pack_to_buffer(message, &sink.base);
    sink.failed |= fclose(sink.file) != 0;
    return !sink.failed;
}

static Onnx__GraphProto as_graph(const struct pom_onnx *model) {
    Onnx__GraphProto graph = ONNX__GRAPH_PROTO__INIT;
    graph.name = (char *)model->name;
    graph.n_node = model->nodes.n;
    graph.node = model->nodes.items;
    for (size_t i = 0; i < graph.n_node; i++) {
        struct pom_onnx_node *node = (struct pom_onnx_node *)graph.node[i]; /* proto is its first member */
        node->proto.n_attribute = node->attributes.n;
        node->proto.attribute = node->attributes.items;
    }
    graph.n_initializer = model->weights.n;
    graph.initializer = model->weights.items;
    graph.n_input = model->inputs.n;
    graph.input = model->inputs.items;
    graph.n_output = model->outputs.n;
    graph.output = model->outputs.items;
    return graph;
}

static bool write_model(const struct pom_onnx *model, const char *path) {
    Onnx__GraphProto graph = as_graph(model);
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets[] = {&opset};
    opset.domain = (char *)"";
    opset.has_version = 1;
    opset.version = OPSET;
    Onnx__ModelProto proto = ONNX__MODEL_PROTO__INIT;
    proto.has_ir_version = 1;
    proto.ir_version = IR_VERSION;
    proto.producer_name = (char *)"pomona";
    proto.n_opset_import = 1;
    proto.opset_import = opsets;
    proto.graph = &graph;
    proto.n_metadata_props = model->metadata.n;
    proto.metadata_props = model->metadata.items;
    return write_message(&proto.base, path);
}

enum pom_status pom_onnx_save(struct pom_onnx *model, const char *path, struct pom_message *msg) {
    struct pom_buffer temporary = {0};
    if (model->failed || !pom_buffer_printf(&temporary, "%s.%ld.tmp", path, (long)getpid()))
        return pom_fail_memory(msg, path);
    enum pom_status status = POM_OK;
    if (write_model(model, temporary.data))
        status = pom_file_commit(temporary.data, path, msg);
    else
        status = pom_fail_errno(msg, POM_ERR_IO, "cannot write %s", temporary.data);
    if (status != POM_OK)
        unlink(temporary.data);
    pom_buffer_clean_up(&temporary);
    return status;
}
