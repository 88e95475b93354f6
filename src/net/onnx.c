#include "net/onnx.h"

#include "net/onnx.pb-c.h"
#include "net/op.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIELD_MODEL_GRAPH = 7, FIELD_GRAPH_INITIALIZER = 5, FIELD_TENSOR_RAW_DATA = 9 };
enum { MAX_NESTING = 24, DEFAULT_SIDE = 224, IMAGE_RANK = 4 };
#define MAX_GRAPH_BYTES ((size_t)1 << 28) /* without initializers */

struct reader {
    const struct pom_onnx_choices *choices;
    struct pom_graph *graph;
    struct pom_message *msg;
};

static const char *text_of(const char *text) {
    return text ? text : "";
}

static enum pom_status read_metadata(struct reader *reader, const Onnx__ModelProto *model) {
    struct pom_graph *graph = reader->graph;
    for (size_t i = 0; i < model->n_metadata_props; i++) {
        const char *key = text_of(model->metadata_props[i]->key), *value = text_of(model->metadata_props[i]->value);
        if (strcmp(key, "pomona.layout") == 0)
            graph->nhwc_output = strcmp(value, "nhwc") == 0;
        if (strcmp(key, "pomona.preprocess") != 0)
            continue;
        graph->preprocess = pom_arena_strdup(&graph->arena, value);
        if (!graph->preprocess)
            return pom_fail_memory(reader->msg, "an ONNX model");
    }
    return POM_OK;
}

static enum pom_status read_opset(struct reader *reader, const Onnx__ModelProto *model) {
    int64_t opset = 0;
    for (size_t i = 0; i < model->n_opset_import; i++) {
        const char *domain = text_of(model->opset_import[i]->domain);
        if (*domain == '\0' || strcmp(domain, "ai.onnx") == 0)
            opset = model->opset_import[i]->version;
    }
    if (opset < POM_GRAPH_FIRST_OPSET || opset > POM_GRAPH_LAST_OPSET)
        return pom_fail(reader->msg, POM_ERR_UNSUPPORTED,
            "the model uses ONNX operator set %lld; %d to %d are supported", (long long)opset, POM_GRAPH_FIRST_OPSET,
            POM_GRAPH_LAST_OPSET);
    reader->graph->opset = (int)opset;
    return POM_OK;
}

/* Initializers */

static enum pom_status unpack_initializer(
    struct reader *reader, struct pom_span whole, struct pom_spans *raw, struct pom_buffer *rest) {
    POM_TRY(pom_wire_cut(whole, FIELD_TENSOR_RAW_DATA, raw, rest, reader->msg));
    Onnx__TensorProto *tensor = onnx__tensor_proto__unpack(NULL, rest->size, (const uint8_t *)rest->data);
    if (!tensor)
        return pom_fail(reader->msg, POM_ERR_FORMAT, "an initializer of the ONNX model is damaged");
    struct pom_span data =
        raw->n > 0 && raw->items[raw->n - 1].size > 0 ? raw->items[raw->n - 1] : (struct pom_span){0};
    struct pom_value *value;
    enum pom_status status = POM_OK;
    if (!tensor->name || !*tensor->name)
        status = pom_fail(reader->msg, POM_ERR_FORMAT, "an initializer of the ONNX model has no name");
    if (status == POM_OK)
        status = pom_graph_add_value(reader->graph, tensor->name, &value, reader->msg);
    if (status == POM_OK)
        status = pom_onnx_tensor(tensor, data, reader->graph, value, reader->msg);
    onnx__tensor_proto__free_unpacked(tensor, NULL);
    return status;
}

static enum pom_status read_initializers(struct reader *reader, const struct pom_spans *initializers) {
    for (size_t i = 0; i < initializers->n; i++) {
        struct pom_spans raw = {0};
        struct pom_buffer rest = {0};
        enum pom_status status = unpack_initializer(reader, initializers->items[i], &raw, &rest);
        free(raw.items);
        pom_buffer_clean_up(&rest);
        POM_TRY(status);
    }
    return POM_OK;
}

/* Inputs */

static int64_t dim_of(const Onnx__TensorShapeProto__Dimension *dim) {
    return dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE ? dim->dim_value : -1;
}

/* Fills in what the file leaves open (-1): the batch, and the sides of an image. */
static enum pom_status settle_dims(struct reader *reader, const char *name, int rank, int64_t *dims, bool *batched) {
    const struct pom_onnx_choices *choices = reader->choices;
    bool image = rank == IMAGE_RANK;
    *batched =
        rank > 0 && (dims[0] < 0 || (image && (choices->image_input || (choices->single_is_one && dims[0] == 1))));
    if (*batched)
        dims[0] = 1;
    int first_side = image && dims[3] > 0 && dims[3] <= 4 && dims[1] != dims[3] ? 1 : 2; /* 1: channels come last */
    for (int i = 1; i < rank; i++) {
        bool side = image && (i == first_side || i == first_side + 1);
        if (side && choices->size > 0)
            dims[i] = choices->size;
        else if (side && dims[i] < 0)
            dims[i] = DEFAULT_SIDE;
        else if (dims[i] < 0)
            return pom_fail(reader->msg, POM_ERR_UNSUPPORTED,
                "side %d of input '%.80s' is left open; export the model with fixed sides (only the batch, and the "
                "height and "
                "width of an image, may be open)",
                i, name);
    }
    return POM_OK;
}

static enum pom_status read_input(struct reader *reader, const Onnx__ValueInfoProto *info) {
    struct pom_graph *graph = reader->graph;
    const char *name = text_of(info->name);
    if (pom_graph_find(graph, name)) /* old files list initializers as inputs too */
        return POM_OK;
    if (!*name || !info->type || info->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE ||
        !info->type->tensor_type)
        return pom_fail(reader->msg, POM_ERR_UNSUPPORTED, "input '%.80s' of the model is not a tensor", name);
    const Onnx__TypeProto__Tensor *type = info->type->tensor_type;
    struct pom_value *value;
    POM_TRY(pom_graph_add_value(graph, name, &value, reader->msg));
    graph->inputs[graph->n_inputs++] = value;
    value->element = type->elem_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT ? POM_ELEMENT_FLOAT : POM_ELEMENT_INT;
    if (!type->shape)
        return pom_fail(reader->msg, POM_ERR_UNSUPPORTED, "input '%.80s' has no shape", name);
    if (type->shape->n_dim > POM_NET_MAX_RANK)
        return pom_fail(reader->msg, POM_ERR_LIMIT, "input '%.80s' has rank %zu", name, type->shape->n_dim);
    int64_t dims[POM_NET_MAX_RANK];
    int rank = (int)type->shape->n_dim;
    for (int i = 0; i < rank; i++)
        dims[i] = dim_of(type->shape->dim[i]);
    bool batched;
    POM_TRY(settle_dims(reader, name, rank, dims, &batched));
    return pom_value_set_shape(value, rank, dims, batched, reader->msg);
}

/* Nodes */

static enum pom_status read_attribute(
    struct reader *reader, const Onnx__AttributeProto *from, struct pom_attribute *to) {
    struct pom_graph *graph = reader->graph;
    bool one_float = from->has_f && from->type == ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
    bool one_int = from->has_i && from->type == ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
    size_t n_floats = one_float ? 1 : from->n_floats, n_ints = one_int ? 1 : from->n_ints;
    float *floats = pom_arena_alloc(&graph->arena, n_floats, sizeof(float));
    int64_t *ints = pom_arena_alloc(&graph->arena, n_ints, sizeof(int64_t));
    char *text = pom_arena_alloc(&graph->arena, from->has_s ? from->s.len + 1 : 1, 1);
    *to = (struct pom_attribute){.name = pom_arena_strdup(&graph->arena, text_of(from->name))};
    if (!floats || !ints || !text || !to->name)
        return pom_fail_memory(reader->msg, "an ONNX model");
    if (from->t) {
        POM_TRY(pom_graph_add_value(graph, "", &to->tensor, reader->msg));
        return pom_onnx_tensor(from->t, (struct pom_span){0}, graph, to->tensor, reader->msg);
    }
    if (from->type == ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING) {
        if (from->has_s && from->s.len > 0)
            memcpy(text, from->s.data, from->s.len);
        to->text = text;
    } else if (from->type == ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT || n_floats > 0) {
        if (n_floats > 0)
            memcpy(floats, one_float ? &from->f : from->floats, n_floats * sizeof(float));
        to->floats = floats;
        to->n = n_floats;
    } else {
        if (n_ints > 0)
            memcpy(ints, one_int ? &from->i : from->ints, n_ints * sizeof(int64_t));
        to->ints = ints;
        to->n = n_ints;
    }
    return POM_OK;
}

static enum pom_status read_attributes(struct reader *reader, const Onnx__NodeProto *from, struct pom_node *node) {
    node->attributes = pom_arena_alloc(&reader->graph->arena, from->n_attribute, sizeof *node->attributes);
    if (!node->attributes)
        return pom_fail_memory(reader->msg, "an ONNX model");
    for (size_t i = 0; i < from->n_attribute; i++) {
        POM_TRY(read_attribute(reader, from->attribute[i], &node->attributes[i]));
        node->n_attributes++;
    }
    return POM_OK;
}

static enum pom_status connect(struct reader *reader, const Onnx__NodeProto *from, struct pom_node *node) {
    for (size_t i = 0; i < from->n_input; i++) {
        if (!*from->input[i])
            continue;
        node->inputs[i] = pom_graph_find(reader->graph, from->input[i]);
        if (!node->inputs[i])
            return pom_fail(reader->msg, POM_ERR_FORMAT,
                "reads tensor '%.80s', which neither the model's inputs nor an earlier node provide (a missing name or "
                "a cycle)",
                from->input[i]);
    }
    for (size_t i = 0; i < from->n_output; i++) {
        if (!*from->output[i] && i > 0)
            continue;
        POM_TRY(pom_graph_add_value(reader->graph, from->output[i], &node->outputs[i], reader->msg));
        node->outputs[i]->producer = node;
    }
    return POM_OK;
}

/* An operator that we lack matters only where the node is needed: infer reports it. */
static enum pom_status read_operator(struct reader *reader, const Onnx__NodeProto *from, struct pom_node *node) {
    const char *domain = text_of(from->domain), *type = text_of(from->op_type);
    bool standard = !*domain || strcmp(domain, "ai.onnx") == 0;
    char full[128];
    snprintf(full, sizeof full, "%.60s%s%.60s", standard ? "" : domain, standard ? "" : ":", type);
    node->type = pom_arena_strdup(&reader->graph->arena, full);
    node->op = standard ? pom_op_find(type) : NULL;
    return node->type ? POM_OK : pom_fail_memory(reader->msg, "an ONNX model");
}

static enum pom_status read_node(struct reader *reader, const Onnx__NodeProto *from, size_t index) {
    enum { MAX_ENDS = 1 << 16 };
    struct pom_node *node;
    if (from->n_input > MAX_ENDS || from->n_output > MAX_ENDS || from->n_output == 0)
        return pom_fail(reader->msg, POM_ERR_FORMAT, "node #%zu has %zu inputs and %zu outputs", index, from->n_input,
            from->n_output);
    POM_TRY(pom_graph_add_node(reader->graph, (int)from->n_input, (int)from->n_output, &node, reader->msg));
    char number[32];
    snprintf(number, sizeof number, "#%zu", index);
    node->name = pom_arena_strdup(&reader->graph->arena, from->name && *from->name ? from->name : number);
    if (!node->name)
        return pom_fail_memory(reader->msg, "an ONNX model");
    POM_TRY(read_operator(reader, from, node));
    enum pom_status status = connect(reader, from, node);
    if (status == POM_OK)
        status = read_attributes(reader, from, node);
    return status == POM_OK ? status : pom_fail_in(reader->msg, status, "node %.80s (%.40s)", node->name, node->type);
}

/* The graph */

static enum pom_status read_outputs(struct reader *reader, const Onnx__GraphProto *from) {
    struct pom_graph *graph = reader->graph;
    for (size_t i = 0; i < from->n_output; i++) {
        struct pom_value *value = pom_graph_find(graph, text_of(from->output[i]->name));
        if (!value)
            return pom_fail(reader->msg, POM_ERR_FORMAT, "no node provides the model's output '%.80s'",
                text_of(from->output[i]->name));
        graph->outputs[graph->n_outputs++] = value;
    }
    if (graph->n_outputs == 0)
        return pom_fail(reader->msg, POM_ERR_FORMAT, "the ONNX model has no outputs");
    return POM_OK;
}

static enum pom_status read_graph(struct reader *reader, const Onnx__GraphProto *from) {
    struct pom_graph *graph = reader->graph;
    if (from->n_sparse_initializer > 0)
        return pom_fail(reader->msg, POM_ERR_UNSUPPORTED, "the ONNX model has sparse initializers");
    graph->inputs = pom_arena_alloc(&graph->arena, from->n_input, sizeof(struct pom_value *));
    graph->outputs = pom_arena_alloc(&graph->arena, from->n_output, sizeof(struct pom_value *));
    if (!graph->inputs || !graph->outputs)
        return pom_fail_memory(reader->msg, "an ONNX model");
    for (size_t i = 0; i < from->n_input; i++)
        POM_TRY(read_input(reader, from->input[i]));
    for (size_t i = 0; i < from->n_node; i++)
        POM_TRY(read_node(reader, from->node[i], i));
    return read_outputs(reader, from);
}

static enum pom_status unpack_graph(
    struct reader *reader, struct pom_span bytes, struct pom_spans *initializers, struct pom_buffer *rest) {
    POM_TRY(pom_wire_cut(bytes, FIELD_GRAPH_INITIALIZER, initializers, rest, reader->msg));
    if (rest->size > MAX_GRAPH_BYTES)
        return pom_fail(reader->msg, POM_ERR_LIMIT, "the ONNX graph without its weights is larger than %zu MiB",
            MAX_GRAPH_BYTES >> 20);
    POM_TRY(read_initializers(reader, initializers));
    Onnx__GraphProto *graph = onnx__graph_proto__unpack(NULL, rest->size, (const uint8_t *)rest->data);
    if (!graph)
        return pom_fail(reader->msg, POM_ERR_FORMAT, "the ONNX graph is damaged");
    enum pom_status status = read_graph(reader, graph);
    onnx__graph_proto__free_unpacked(graph, NULL);
    return status;
}

static enum pom_status unpack_model(
    struct reader *reader, struct pom_span bytes, struct pom_spans *graphs, struct pom_buffer *rest) {
    POM_TRY(pom_wire_check(bytes, &onnx__model_proto__descriptor, MAX_NESTING, reader->msg));
    POM_TRY(pom_wire_cut(bytes, FIELD_MODEL_GRAPH, graphs, rest, reader->msg));
    if (graphs->n != 1)
        return pom_fail(reader->msg, POM_ERR_FORMAT, "not an ONNX model: the file holds %zu graphs", graphs->n);
    Onnx__ModelProto *model = onnx__model_proto__unpack(NULL, rest->size, (const uint8_t *)rest->data);
    if (!model)
        return pom_fail(reader->msg, POM_ERR_FORMAT, "not an ONNX model, or a damaged one");
    enum pom_status status = read_opset(reader, model);
    if (status == POM_OK)
        status = read_metadata(reader, model);
    onnx__model_proto__free_unpacked(model, NULL);
    return status;
}

enum pom_status pom_onnx_read(
    struct pom_span model, const struct pom_onnx_choices *choices, struct pom_graph *graph, struct pom_message *msg) {
    struct reader reader = {choices, graph, msg};
    struct pom_spans graphs = {0}, initializers = {0};
    struct pom_buffer rest = {0};
    enum pom_status status = unpack_model(&reader, model, &graphs, &rest);
    pom_buffer_clean_up(&rest);
    if (status == POM_OK)
        status = unpack_graph(&reader, graphs.items[0], &initializers, &rest);
    pom_buffer_clean_up(&rest);
    free(graphs.items);
    free(initializers.items);
    return status;
}
