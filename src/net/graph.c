#include "net/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "weights are read in place as little-endian numbers");

enum { FIRST_SLOTS = 256 };

/* Open addressing, a power of two slots, at most half full. */
struct pom_name_index {
    size_t n_slots, used;
    struct pom_value **slots;
};

void pom_graph_drop_constants(struct pom_graph *graph) {
    for (int i = 0; i < graph->n_values; i++)
        if (graph->values[i]->constant) {
            free(graph->values[i]->constant->owned);
            *graph->values[i]->constant = (struct pom_constant){0};
        }
}

void pom_graph_clean_up(struct pom_graph *graph) {
    pom_graph_drop_constants(graph);
    if (graph->names)
        free(graph->names->slots);
    free(graph->values);
    free(graph->nodes);
    pom_arena_clean_up(&graph->arena);
    *graph = (struct pom_graph){0};
}

/* FNV-1a, 64 bit (Fowler, Noll, Vo; draft-eastlake-fnv). */
static size_t name_hash(const char *name) {
    uint64_t hash = 14695981039346656037u;
    for (const char *c = name; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 1099511628211u;
    return (size_t)(hash ^ (hash >> 32));
}

static struct pom_value **name_slot(const struct pom_name_index *index, const char *name) {
    size_t mask = index->n_slots - 1, i = name_hash(name) & mask;
    while (index->slots[i] && strcmp(index->slots[i]->name, name) != 0)
        i = (i + 1) & mask;
    return &index->slots[i];
}

static bool names_grow(struct pom_name_index *index) {
    struct pom_name_index grown = {.n_slots = index->n_slots ? 2 * index->n_slots : FIRST_SLOTS, .used = index->used};
    grown.slots = pom_calloc(grown.n_slots, sizeof(struct pom_value *));
    if (!grown.slots)
        return false;
    for (size_t i = 0; i < index->n_slots; i++)
        if (index->slots[i])
            *name_slot(&grown, index->slots[i]->name) = index->slots[i];
    free(index->slots);
    *index = grown;
    return true;
}

struct pom_value *pom_graph_find(const struct pom_graph *graph, const char *name) {
    if (!graph->names || graph->names->n_slots == 0)
        return NULL;
    return *name_slot(graph->names, name);
}

static enum pom_status index_name(struct pom_graph *graph, struct pom_value *value, struct pom_message *msg) {
    if (!graph->names)
        graph->names = pom_arena_alloc(&graph->arena, 1, sizeof *graph->names);
    if (!graph->names)
        return pom_fail_memory(msg, "the names of a network");
    if (2 * graph->names->used >= graph->names->n_slots && !names_grow(graph->names))
        return pom_fail_memory(msg, "the names of a network");
    struct pom_value **slot = name_slot(graph->names, value->name);
    if (*slot)
        return pom_fail(msg, POM_ERR_FORMAT, "two tensors have the name '%.80s'", value->name);
    *slot = value;
    graph->names->used++;
    return POM_OK;
}

enum pom_status pom_graph_add_value(
    struct pom_graph *graph, const char *name, struct pom_value **out, struct pom_message *msg) {
    if (graph->n_values >= POM_GRAPH_MAX_VALUES)
        return pom_fail(msg, POM_ERR_LIMIT, "the network has more than %d tensors", POM_GRAPH_MAX_VALUES);
    struct pom_value *value = pom_arena_alloc(&graph->arena, 1, sizeof *value);
    char *copy = pom_arena_strdup(&graph->arena, name);
    size_t need = (size_t)graph->n_values + 1;
    if (!value || !copy || !pom_grow((void **)&graph->values, &graph->values_room, need, sizeof(struct pom_value *)))
        return pom_fail_memory(msg, "a tensor of a network");
    *value = (struct pom_value){.name = copy, .rank = -1, .id = graph->n_values};
    if (*copy)
        POM_TRY(index_name(graph, value, msg));
    graph->values[graph->n_values++] = value;
    *out = value;
    return POM_OK;
}

enum pom_status pom_graph_add_node(
    struct pom_graph *graph, int n_inputs, int n_outputs, struct pom_node **out, struct pom_message *msg) {
    if (graph->n_nodes >= POM_GRAPH_MAX_NODES)
        return pom_fail(msg, POM_ERR_LIMIT, "the network has more than %d nodes", POM_GRAPH_MAX_NODES);
    struct pom_node *node = pom_arena_alloc(&graph->arena, 1, sizeof *node);
    struct pom_value **ends =
        pom_arena_alloc(&graph->arena, (size_t)n_inputs + (size_t)n_outputs, sizeof(struct pom_value *));
    size_t need = (size_t)graph->n_nodes + 1;
    if (!node || !ends || !pom_grow((void **)&graph->nodes, &graph->nodes_room, need, sizeof(struct pom_node *)))
        return pom_fail_memory(msg, "a node of a network");
    *node = (struct pom_node){.name = "",
        .opset = graph->opset,
        .n_inputs = n_inputs,
        .n_outputs = n_outputs,
        .inputs = ends,
        .outputs = ends + n_inputs};
    graph->nodes[graph->n_nodes++] = node;
    *out = node;
    return POM_OK;
}
