#include "net/fuse.h"

#include "net/kernels/kernels.h"
#include "net/op.h"
#include <string.h>

static bool is(const struct pom_node *node, const char *type) {
    return node && strcmp(node->type, type) == 0;
}

/* The node that makes value, where nobody else reads it. */
static struct pom_node *sole_producer(const struct pom_value *value) {
    return value->uses == 1 && value->producer && !value->producer->dead ? value->producer : NULL;
}

/* `node` goes; what it made is now made by `by`. */
static void absorb(struct pom_node *by, struct pom_node *node) {
    by->outputs[0] = node->outputs[0];
    by->outputs[0]->producer = by;
    node->dead = true;
}

static void drop_copies(struct pom_graph *graph) {
    for (int i = 0; i < graph->n_nodes; i++) {
        struct pom_node *node = graph->nodes[i];
        if (!is(node, "Identity") && !is(node, "Dropout"))
            continue;
        struct pom_value *in = node->inputs[0], *out = node->outputs[0];
        pom_graph_replace(graph, out, in);
        in->uses += out->uses - 1;
        node->dead = true;
    }
}

/* Pad with zeros in front of a convolution that does not pad that far itself. */
static bool foldable_pad(const struct pom_node *pad, const struct pom_node *conv) {
    const struct pom_pad_params *params = pad->params;
    int rank = pad->inputs[0]->rank;
    bool sides = params->mode == POM_PAD_CONSTANT && params->fill == 0.0f && conv->inputs[0] == pad->outputs[0];
    for (int i = 0; i < rank; i++)
        sides &= i < 2 ? params->begin[i] == 0 && params->end[i] == 0 : params->begin[i] >= 0 && params->end[i] >= 0;
    return sides;
}

static void fold_pad(struct pom_node *conv) {
    struct pom_node *pad = sole_producer(conv->inputs[0]);
    if (!is(pad, "Pad") || !foldable_pad(pad, conv))
        return;
    const struct pom_pad_params *params = pad->params;
    struct pom_window *window = &((struct pom_conv_params *)conv->params)->window;
    int rank = pad->inputs[0]->rank;
    for (int i = 2; i < rank; i++) {
        window->pad_begin[i + 2 - rank] += (int)params->begin[i];
        window->pad_end[i + 2 - rank] += (int)params->end[i];
    }
    conv->inputs[0] = pad->inputs[0];
    pad->dead = true;
}

/* scale * (s * x + t) + shift. Both are kept in double until the weights are packed. */
static bool fold_batch_norm(struct pom_graph *graph, struct pom_node *norm) {
    struct pom_node *conv = sole_producer(norm->inputs[0]);
    if (!is(conv, "Conv") || conv->epilogue.residual || conv->epilogue.activation != POM_ACT_NONE)
        return true;
    struct pom_conv_params *params = conv->params;
    const struct pom_normalize_params *by = norm->params;
    size_t channels = (size_t)conv->outputs[0]->dims[1];
    if (!params->scale) {
        params->scale = pom_arena_alloc(&graph->arena, channels, sizeof(double));
        params->shift = pom_arena_alloc(&graph->arena, channels, sizeof(double));
        if (!params->scale || !params->shift)
            return false;
        for (size_t i = 0; i < channels; i++)
            params->scale[i] = 1.0;
    }
    for (size_t i = 0; i < channels; i++) {
        params->scale[i] *= by->scale[i];
        params->shift[i] = params->shift[i] * by->scale[i] + by->shift[i];
    }
    absorb(conv, norm);
    return true;
}

static bool has_epilogue(const struct pom_node *node) {
    return is(node, "Conv") || is(node, "Gemm") || is(node, "MatMul") || is(node, "Add") ||
           is(node, "BatchNormalization");
}

/* MatMul and Gemm of two activations have no epilogue: theirs are plain loops. */
static bool takes_activation(const struct pom_node *node) {
    if (!has_epilogue(node) || node->epilogue.activation != POM_ACT_NONE)
        return false;
    return !is(node, "MatMul") || (node->inputs[1]->constant && node->inputs[1]->rank == 2);
}

static void fuse_activation(struct pom_node *activation) {
    struct pom_node *before = sole_producer(activation->inputs[0]);
    const struct pom_activation_params *params = activation->params;
    if (!before || !takes_activation(before))
        return;
    before->epilogue.activation = params->activation;
    before->epilogue.low = params->low;
    before->epilogue.high = params->high;
    absorb(before, activation);
}

static bool same_shape(const struct pom_value *a, const struct pom_value *b) {
    return a->rank == b->rank && a->batched == b->batched &&
           memcmp(a->dims, b->dims, (size_t)a->rank * sizeof *a->dims) == 0;
}

static int place_of(const struct pom_graph *graph, const struct pom_node *node) {
    int i = 0;
    while (i < graph->n_nodes && graph->nodes[i] != node)
        i++;
    return i;
}

/* conv + x: the convolution takes the place of the Add, where x is known too. Of two convolutions the later one is
 * taken. */
static void fuse_residual(struct pom_graph *graph, int at) {
    struct pom_node *add = graph->nodes[at], *best = NULL;
    int best_place = -1, best_input = 0;
    if (add->epilogue.activation != POM_ACT_NONE || !same_shape(add->inputs[0], add->inputs[1]))
        return;
    for (int i = 0; i < 2; i++) {
        struct pom_node *conv = sole_producer(add->inputs[i]);
        if (!is(conv, "Conv") || conv->epilogue.residual || conv->epilogue.activation != POM_ACT_NONE)
            continue;
        int place = place_of(graph, conv);
        if (place > best_place) {
            best = conv;
            best_place = place;
            best_input = i;
        }
    }
    if (!best || add->inputs[1 - best_input] == best->outputs[0])
        return;
    best->epilogue.residual = add->inputs[1 - best_input];
    absorb(best, add);
    graph->nodes[at] = best;
    graph->nodes[best_place] = add;
}

enum pom_status pom_fuse(struct pom_graph *graph, struct pom_message *msg) {
    drop_copies(graph);
    pom_graph_prune(graph);
    for (int i = 0; i < graph->n_nodes; i++) {
        struct pom_node *node = graph->nodes[i];
        if (node->dead)
            continue;
        if (is(node, "Conv"))
            fold_pad(node);
        else if (is(node, "BatchNormalization") && !fold_batch_norm(graph, node))
            return pom_fail_memory(msg, "a folded BatchNormalization");
        else if (is(node, "Add"))
            fuse_residual(graph, i);
        else if (is(node, "Relu") || is(node, "Clip") || is(node, "LeakyRelu"))
            fuse_activation(node);
    }
    pom_graph_prune(graph);
    return POM_OK;
}

void pom_fuse_image(struct pom_graph *graph) {
    static const int channels_first[] = {0, 3, 1, 2};
    struct pom_value *in = graph->inputs[0];
    for (int i = 0; i < graph->n_nodes; i++) {
        struct pom_node *node = graph->nodes[i];
        if (!is(node, "Transpose") || node->inputs[0] != in || in->uses > 1 ||
            memcmp(node->params, channels_first, sizeof channels_first) != 0)
            continue;
        graph->inputs[0] = node->outputs[0];
        graph->inputs[0]->name = in->name;
        graph->inputs[0]->producer = NULL;
        node->dead = true;
    }
    pom_graph_prune(graph);
}
