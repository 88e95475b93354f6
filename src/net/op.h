/* The operators, each listed once as data (op.c), and what their code shares.
 *
 * infer reads the attributes, checks the inputs and sets the outputs' shapes; where everything is known already (shape
 * arithmetic on int constants) it computes the outputs at once. build turns a node into steps of the plan. */
#ifndef POM_NET_OP_H
#define POM_NET_OP_H

#include "net/graph.h"
#include "net/plan.h"

struct pom_op {
    const char *name;
    int min_inputs, max_inputs, max_outputs;
    bool foldable; /* worth computing while loading where all inputs are constants */
    enum pom_status (*infer)(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg);
    void (*build)(struct pom_planner *planner, const struct pom_node *node);
    int64_t (*macs)(const struct pom_node *node); /* per image; NULL: none */
};

/* NULL: no such operator. */
const struct pom_op *pom_op_find(const char *name);

enum pom_status pom_op_check_arity(const struct pom_node *node, struct pom_message *msg);

/* Shapes */

/* Negative axes count from the end. POM_ERR_FORMAT where out of range. */
enum pom_status pom_axis(int64_t axis, int rank, int *out, struct pom_message *msg);

/* The axes of a node from its attribute or, in later opsets, its input `input`: n = -1 where the node gives none. */
struct pom_axes {
    int n;
    int axis[POM_NET_MAX_RANK];
    bool has[POM_NET_MAX_RANK];
};
enum pom_status pom_node_axes(
    const struct pom_node *node, int input, int rank, struct pom_axes *out, struct pom_message *msg);

/* The ints of an attribute or, where the node has input `input`, of that constant. *values is NULL where there are
 * none. */
enum pom_status pom_node_ints(const struct pom_node *node, const char *attribute, int input, const int64_t **values,
    size_t *n, struct pom_message *msg);

/* numpy's rule. out may be a. */
enum pom_status pom_broadcast(
    const struct pom_value *a, const struct pom_value *b, struct pom_value *out, struct pom_message *msg);

/* POM_ERR_UNSUPPORTED, for an operation that would work across the batch. */
enum pom_status pom_fail_batch(struct pom_message *msg);

/* Input i must be a float constant. */
enum pom_status pom_need_floats(const struct pom_node *node, int i, const char *what, struct pom_message *msg);

/* Counts value among what is computed while loading; POM_ERR_LIMIT over the bound. */
enum pom_status pom_count_folded(struct pom_graph *graph, const struct pom_value *value, struct pom_message *msg);

/* A new output shape, like the input's. */
enum pom_status pom_infer_same(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg);

/* out->dims[from..to) multiplied. */
int64_t pom_product(const int64_t *dims, int from, int to);

/* What the operators' files offer to the table and to the passes. */

/* Windows over height and width, of Conv and the pools. */
struct pom_window {
    int kernel[2], stride[2], dilation[2], pad_begin[2], pad_end[2];
};
enum pom_status pom_window_infer(const struct pom_node *node, const struct pom_value *in, const int64_t kernel[2],
    int64_t out[2], struct pom_window *window, struct pom_message *msg);

struct pom_conv_params {
    struct pom_window window;
    int groups;
    double *scale, *shift; /* per output channel: a folded BatchNormalization; NULL: none */
};

struct pom_normalize_params {
    double *scale, *shift; /* y = scale * x + shift, per channel */
};

struct pom_activation_params {
    int activation; /* enum pom_activation */
    float low, high;
};

struct pom_pad_params {
    int64_t begin[POM_NET_MAX_RANK], end[POM_NET_MAX_RANK];
    enum { POM_PAD_CONSTANT, POM_PAD_REFLECT, POM_PAD_EDGE, POM_PAD_WRAP } mode;
    float fill;
};

struct pom_dense_params {
    bool transposed; /* weights are n x k */
    float alpha, beta;
};

#define POM_OPERATOR(name)                                                                                             \
    enum pom_status pom_infer_##name(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg);         \
    void pom_build_##name(struct pom_planner *planner, const struct pom_node *node)

POM_OPERATOR(activation);
POM_OPERATOR(average_pool);
POM_OPERATOR(batch_norm);
POM_OPERATOR(binary);
POM_OPERATOR(concat);
POM_OPERATOR(conv);
POM_OPERATOR(flatten);
POM_OPERATOR(gather);
POM_OPERATOR(gemm);
POM_OPERATOR(global_pool);
POM_OPERATOR(matmul);
POM_OPERATOR(max_pool);
POM_OPERATOR(pad);
POM_OPERATOR(reduce_mean);
POM_OPERATOR(reshape);
POM_OPERATOR(resize);
POM_OPERATOR(slice);
POM_OPERATOR(softmax);
POM_OPERATOR(split);
POM_OPERATOR(squeeze);
POM_OPERATOR(transpose);
POM_OPERATOR(unary);
POM_OPERATOR(unsqueeze);

/* These have no build of their own: the result is a constant, or the input under a new shape (pom_build_view). */
enum pom_status pom_infer_cast(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg);
enum pom_status pom_infer_constant(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg);
enum pom_status pom_infer_constant_of_shape(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg);
enum pom_status pom_infer_dropout(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg);
enum pom_status pom_infer_identity(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg);
enum pom_status pom_infer_shape(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg);
void pom_build_view(struct pom_planner *planner, const struct pom_node *node);

int64_t pom_macs_conv(const struct pom_node *node);
int64_t pom_macs_matmul(const struct pom_node *node);

#endif
