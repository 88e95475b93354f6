/* A network as nodes and values, between the ONNX file and the plan.
 *
 * Everything lives in the graph's arena except the data of constants. Not thread-safe. */
#ifndef POM_NET_GRAPH_H
#define POM_NET_GRAPH_H

#include "base/memory.h"
#include "base/status.h"
#include "net/net.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pom_int8_grid;
struct pom_op;
struct pom_node;

enum {
    POM_GRAPH_MAX_NODES = 10000,
    POM_GRAPH_MAX_VALUES = 50000,
    POM_GRAPH_FIRST_OPSET = 7,
    POM_GRAPH_LAST_OPSET = 28
};

#define POM_GRAPH_MAX_ELEMENTS ((int64_t)1 << 30) /* of one value */

/* Activations are float32; the integers of ONNX (and bool) are held as int64 and exist as constants only. */
enum pom_element { POM_ELEMENT_FLOAT, POM_ELEMENT_INT };

/* The data of a constant: `elements` of the value, in ONNX's order. Weights of a file stay in its bytes until they are
 * asked for (pom_value_floats), and can be let go again (pom_value_unload). */
struct pom_constant {
    const void *data;   /* float or int64_t; NULL while only raw is known */
    void *owned;        /* what to free(), or NULL */
    const uint8_t *raw; /* little-endian floats in the file, any alignment; NULL: there are none */
    bool mapped;        /* raw is in a file's map */
};

struct pom_value {
    const char *name; /* "" for a value that the file does not name */
    enum pom_element element;
    int rank; /* -1 while unknown */
    int64_t dims[POM_NET_MAX_RANK];
    size_t elements;
    bool batched;                        /* dims[0] is the batch, held as 1 */
    int id;                              /* index in the graph */
    int uses;                            /* readers, and 1 for each graph output */
    struct pom_constant *constant;       /* NULL: known at run time only */
    struct pom_node *producer;           /* NULL: a graph input or an initializer */
    const struct pom_net_pixels *pixels; /* NULL, or how the caller's bytes become this input; borrowed while loading */

    /* Precision int8 (narrow.h) */
    bool narrow;                      /* read in 8 bits */
    const struct pom_int8_grid *grid; /* of those, by channel; NULL: not known */
    const float *mean;                /* of each channel, as calibration saw it, borrowed while loading; or NULL */
};

/* Exactly one of the fields is set, by what the file holds. */
struct pom_attribute {
    const char *name;
    size_t n; /* of ints or floats; a scalar has 1 */
    const int64_t *ints;
    const float *floats;
    const char *text;
    struct pom_value *tensor;
};

/* What a node does after its own work, when a following node was fused into it. */
struct pom_epilogue {
    struct pom_value *residual; /* added, of the output's shape; NULL: none */
    int activation;             /* enum pom_activation */
    float low, high;
};

struct pom_node {
    const char *name;        /* as in the file, or "#<index>" */
    const char *type;        /* the operator's name */
    const struct pom_op *op; /* NULL: not one of ours */
    int opset;
    int n_inputs, n_outputs, n_attributes;
    struct pom_value **inputs; /* NULL: an optional input left out */
    struct pom_value **outputs;
    struct pom_attribute *attributes;
    void *params; /* the operator's own, made by its infer function */
    struct pom_epilogue epilogue;
    bool dead;   /* folded away */
    bool narrow; /* works in 8 bits (narrow.h) */
};

/* A node as the user wrote it, before folding and fusing: for printing. */
struct pom_layer {
    const char *name, *op;
    const struct pom_value *output;
    int64_t parameters, macs;
};

struct pom_name_index; /* names to values */

struct pom_graph {
    struct pom_arena arena;
    int opset;
    int n_nodes, n_values, n_inputs, n_outputs, n_layers;
    struct pom_node **nodes; /* every node after those whose outputs it reads */
    struct pom_value **values;
    struct pom_value **inputs, **outputs;
    struct pom_layer *layers;
    bool mapped;            /* the file's bytes are its map */
    const char *preprocess; /* metadata, or NULL */
    bool nhwc_output;       /* metadata: outputs of rank 4 are handed out as NHWC */
    size_t nodes_room, values_room;
    struct pom_name_index *names;
    int64_t folded;             /* elements computed while folding, to bound the work */
    struct pom_value **watched; /* those that calibration looks at, in order of their making (narrow.h) */
    int n_watched;
};

void pom_graph_clean_up(struct pom_graph *graph);

/* Lets go of the data of all constants, which may lie in the bytes of the file. */
void pom_graph_drop_constants(struct pom_graph *graph);

/* A new value. A name that is not "" must be new; POM_ERR_FORMAT otherwise. name is copied. */
enum pom_status pom_graph_add_value(
    struct pom_graph *graph, const char *name, struct pom_value **out, struct pom_message *msg);

/* The value of that name, or NULL. */
struct pom_value *pom_graph_find(const struct pom_graph *graph, const char *name);

/* An empty node at the end of the graph, with room for its inputs and outputs. */
enum pom_status pom_graph_add_node(
    struct pom_graph *graph, int n_inputs, int n_outputs, struct pom_node **out, struct pom_message *msg);

/* Makes the node or tensor of that name the only output; an unknown name is POM_ERR_NOT_FOUND and lists some. */
enum pom_status pom_graph_select_output(struct pom_graph *graph, const char *name, struct pom_message *msg);

/* Drops the nodes and inputs that no output needs, and counts the uses of every value. */
void pom_graph_prune(struct pom_graph *graph);

/* Makes every reader of `from`, the graph's outputs included, read `to`. */
void pom_graph_replace(struct pom_graph *graph, struct pom_value *from, struct pom_value *to);

/* Does an image input have its channels last (as TensorFlow's exporters leave them)? Of a value of rank 4. */
bool pom_is_nhwc_image(const struct pom_value *value);

/* Sets rank, dims and elements after checking them against the limits. */
enum pom_status pom_value_set_shape(
    struct pom_value *value, int rank, const int64_t *dims, bool batched, struct pom_message *msg);

/* Memory for the elements of a value, which becomes a constant; its shape and element type must be set. */
enum pom_status pom_value_make_constant(
    struct pom_graph *graph, struct pom_value *value, void **data, struct pom_message *msg);

/* The numbers of a float constant; NULL on no memory. Valid until pom_value_unload or the end of the graph. */
const float *pom_value_floats(struct pom_value *value);

/* n numbers of a float constant from `first` on, without holding on to a copy as pom_value_floats may. */
void pom_value_copy(const struct pom_value *value, size_t first, size_t n, float *to);

/* Says that these numbers have been read: the pages of a mapped file where they lie need not stay in memory. */
void pom_value_let_go(const struct pom_value *value, size_t first, size_t n);

/* The numbers of an int constant. */
const int64_t *pom_value_ints(const struct pom_value *value);

/* Frees the copy that pom_value_floats made of numbers in the file. */
void pom_value_unload(struct pom_value *value);

/* The optional input i, or NULL. */
struct pom_value *pom_node_input(const struct pom_node *node, int i);

const struct pom_attribute *pom_node_attribute(const struct pom_node *node, const char *name);
int64_t pom_node_int(const struct pom_node *node, const char *name, int64_t otherwise);
float pom_node_float(const struct pom_node *node, const char *name, float otherwise);
const char *pom_node_text(const struct pom_node *node, const char *name, const char *otherwise);

#endif
