#include "net/graph.h"

#include "base/file.h"
#include <stdlib.h>
#include <string.h>

enum pom_status pom_value_set_shape(
    struct pom_value *value, int rank, const int64_t *dims, bool batched, struct pom_message *msg) {
    if (rank < 0 || rank > POM_NET_MAX_RANK)
        return pom_fail(
            msg, POM_ERR_LIMIT, "tensor '%.80s' has rank %d, more than %d", value->name, rank, POM_NET_MAX_RANK);
    int64_t elements = 1;
    for (int i = 0; i < rank; i++) {
        if (dims[i] < 0)
            return pom_fail(msg, POM_ERR_FORMAT, "tensor '%.80s' has a side of %lld", value->name, (long long)dims[i]);
        if (dims[i] > POM_GRAPH_MAX_ELEMENTS || __builtin_mul_overflow(elements, dims[i], &elements) ||
            elements > POM_GRAPH_MAX_ELEMENTS)
            return pom_fail(msg, POM_ERR_LIMIT, "tensor '%.80s' has more than %lld elements", value->name,
                (long long)POM_GRAPH_MAX_ELEMENTS);
        value->dims[i] = dims[i];
    }
    value->rank = rank;
    value->elements = (size_t)elements;
    value->batched = batched;
    return POM_OK;
}

bool pom_is_nhwc_image(const struct pom_value *value) {
    return value->dims[3] <= 4 && value->dims[1] != value->dims[3];
}

enum pom_status pom_value_make_constant(
    struct pom_graph *graph, struct pom_value *value, void **data, struct pom_message *msg) {
    size_t size = value->element == POM_ELEMENT_FLOAT ? sizeof(float) : sizeof(int64_t);
    struct pom_constant *constant = pom_arena_alloc(&graph->arena, 1, sizeof *constant);
    void *owned = pom_calloc(value->elements, size);
    if (!constant || !owned) {
        free(owned);
        return pom_fail_memory(msg, "a constant of a network");
    }
    *constant = (struct pom_constant){.data = owned, .owned = owned};
    value->constant = constant;
    *data = owned;
    return POM_OK;
}

const float *pom_value_floats(struct pom_value *value) {
    struct pom_constant *constant = value->constant;
    if (constant->data)
        return constant->data;
    if ((uintptr_t)constant->raw % _Alignof(float) == 0) {
        constant->data = constant->raw;
        return constant->data;
    }
    constant->owned = pom_alloc_aligned(value->elements, sizeof(float));
    if (constant->owned)
        memcpy(constant->owned, constant->raw, value->elements * sizeof(float));
    constant->data = constant->owned;
    return constant->data;
}

void pom_value_copy(const struct pom_value *value, size_t first, size_t n, float *to) {
    const struct pom_constant *constant = value->constant;
    const uint8_t *from = constant->data ? constant->data : constant->raw;
    memcpy(to, from + first * sizeof(float), n * sizeof(float));
}

void pom_value_let_go(const struct pom_value *value, size_t first, size_t n) {
    if (value->constant->mapped && value->constant->raw)
        pom_file_let_go(value->constant->raw + first * sizeof(float), n * sizeof(float));
}

const int64_t *pom_value_ints(const struct pom_value *value) {
    return value->constant->data;
}

void pom_value_unload(struct pom_value *value) {
    if (!value->constant || !value->constant->raw)
        return;
    free(value->constant->owned);
    value->constant->owned = NULL;
    value->constant->data = NULL;
}

struct pom_value *pom_node_input(const struct pom_node *node, int i) {
    return i < node->n_inputs ? node->inputs[i] : NULL;
}

const struct pom_attribute *pom_node_attribute(const struct pom_node *node, const char *name) {
    for (int i = 0; i < node->n_attributes; i++)
        if (strcmp(node->attributes[i].name, name) == 0)
            return &node->attributes[i];
    return NULL;
}

int64_t pom_node_int(const struct pom_node *node, const char *name, int64_t otherwise) {
    const struct pom_attribute *attribute = pom_node_attribute(node, name);
    return attribute && attribute->ints && attribute->n == 1 ? attribute->ints[0] : otherwise;
}

float pom_node_float(const struct pom_node *node, const char *name, float otherwise) {
    const struct pom_attribute *attribute = pom_node_attribute(node, name);
    return attribute && attribute->floats && attribute->n == 1 ? attribute->floats[0] : otherwise;
}

const char *pom_node_text(const struct pom_node *node, const char *name, const char *otherwise) {
    const struct pom_attribute *attribute = pom_node_attribute(node, name);
    return attribute && attribute->text ? attribute->text : otherwise;
}
