#include "net/narrow.h"

#include "net/kernels/int8.h"
#include "net/op.h"
#include <math.h>
#include <string.h>

static bool is(const struct pom_node *node, const char *type) {
    return node && strcmp(node->type, type) == 0;
}

static bool may_be_narrow(const struct pom_value *value) {
    return !value->constant && value->element == POM_ELEMENT_FLOAT && value->rank >= 3 && value->elements > 0;
}

/* A picture's bytes may come in another order than its channels and have zeros between the whole numbers, which only a
 * convolution of all channels takes care of. */
static bool may_be_moved(const struct pom_value *value) {
    return may_be_narrow(value) && !value->pixels;
}

/* Has the node an 8-bit form? */
static bool is_narrow_conv(const struct pom_node *node) {
    enum { MAX_DEPTH = 65536 }; /* as int8.h's sums allow */
    if (!is(node, "Conv") || node->epilogue.activation == POM_ACT_LEAKY_RELU || !may_be_narrow(node->inputs[0]))
        return false;
    const struct pom_conv_params *params = node->params;
    const struct pom_value *in = node->inputs[0], *weights = node->inputs[1], *residual = node->epilogue.residual;
    bool grouped = params->groups != 1 && (in->pixels || params->groups != (int)in->dims[1]);
    return !grouped && pom_product(weights->dims, 1, weights->rank) <= MAX_DEPTH &&
           (!residual || may_be_moved(residual));
}

static bool moves_narrow(const struct pom_node *node) {
    if (!node->outputs[0]->narrow || !(is(node, "MaxPool") || is(node, "Concat")))
        return false;
    int64_t axis = is(node, "Concat") ? pom_node_int(node, "axis", 1) : 1;
    if (axis != 1 && axis + node->outputs[0]->rank != 1)
        return false;
    for (int i = 0; i < node->n_inputs; i++)
        if (!may_be_moved(node->inputs[i]))
            return false;
    return true;
}

static void mark_node(struct pom_node *node) {
    if (is_narrow_conv(node)) {
        node->narrow = node->inputs[0]->narrow = true;
        if (node->epilogue.residual)
            node->epilogue.residual->narrow = true;
    } else if (moves_narrow(node)) {
        node->narrow = true;
        for (int i = 0; i < node->n_inputs; i++)
            node->inputs[i]->narrow = true;
    }
}

static void watch(struct pom_graph *graph, struct pom_value *value) {
    if (value && value->narrow)
        graph->watched[graph->n_watched++] = value;
}

enum pom_status pom_narrow_mark(struct pom_graph *graph, struct pom_message *msg) {
    graph->watched = pom_arena_alloc(&graph->arena, (size_t)graph->n_values, sizeof(struct pom_value *));
    if (!graph->watched)
        return pom_fail_memory(msg, "the plan of a network");
    for (int i = graph->n_nodes - 1; i >= 0; i--)
        mark_node(graph->nodes[i]);
    for (int i = 0; i < graph->n_inputs; i++)
        watch(graph, graph->inputs[i]);
    for (int i = 0; i < graph->n_nodes; i++) {
        struct pom_node *node = graph->nodes[i];
        bool keeps_grid = node->narrow && !is(node, "Conv");
        for (int k = 0; k < node->n_outputs && !keeps_grid; k++)
            watch(graph, node->outputs[k]);
    }
    return POM_OK;
}

/* Grids */

/* A grid that its owner can fill; it lives as long as the graph. */
struct new_grid {
    float *scale;
    uint8_t *zero;
    double *fraction; /* the caller's to allocate, or NULL */
};

static enum pom_status add_grid(
    struct pom_graph *graph, struct pom_value *value, struct new_grid *out, struct pom_message *msg) {
    size_t channels = (size_t)value->dims[1];
    struct pom_int8_grid *grid = pom_arena_alloc(&graph->arena, 1, sizeof *grid);
    out->scale = pom_arena_alloc(&graph->arena, channels, sizeof *out->scale);
    out->zero = pom_arena_alloc(&graph->arena, channels, sizeof *out->zero);
    if (!grid || !out->scale || !out->zero)
        return pom_fail_memory(msg, "the grids of a network");
    *grid = (struct pom_int8_grid){.scale = out->scale, .zero = out->zero, .fraction = out->fraction};
    value->grid = grid;
    return POM_OK;
}

static bool fits(const struct pom_net_range *range, const struct pom_value *value) {
    return range->channels == value->dims[1] && strcmp(range->name, value->name) == 0;
}

/* The width of a channel's grid, from its own range and the widest of its tensor. A grid of the channel's own would be
 * finest, but pictures of other kinds exceed what calibration saw of single channels, and scales go into the next
 * layer's weights, whose rounding suffers where they are uneven. So rectified values share one width; values of both
 * signs, which no clipping bounds, meet half way as in SmoothQuant (Xiao et al., ICML 2023; alpha = 0.5).
 * docs/precision.md has the figures. */
static double grid_width(double range, double widest, bool both_signs) {
    const double least_share = 1e-4;
    return both_signs ? sqrt(fmax(range, widest * least_share) * widest) : widest;
}

/* Zero is always on the grid: padding is zero. */
static enum pom_status grid_from_range(
    struct pom_graph *graph, struct pom_value *value, const struct pom_net_range *range, struct pom_message *msg) {
    const double least = 1e-30; /* of a range: keeps its reciprocal a float */
    struct new_grid grid = {0};
    double widest = least, lowest = 0.0;
    POM_TRY(add_grid(graph, value, &grid, msg));
    for (int c = 0; c < range->channels; c++) {
        double low = fmin(range->low[c], 0.0), high = fmax(range->high[c], 0.0);
        widest = high - low > widest ? high - low : widest;
        lowest = low < lowest ? low : lowest;
    }
    for (int c = 0; c < range->channels; c++) {
        double low = fmin(range->low[c], 0.0), high = fmax(range->high[c], 0.0);
        double share = high - low > least ? -low / (high - low) : fmin(-lowest / widest, 1.0);
        grid.scale[c] = (float)(grid_width(high - low, widest, lowest < 0.0) / 255.0);
        grid.zero[c] = (uint8_t)nearbyint(255.0 * share);
    }
    return POM_OK;
}

/* That of a max pool's input, those of a concatenation's inputs one after the other. */
static enum pom_status keep_grids(struct pom_graph *graph, const struct pom_node *node, struct pom_message *msg) {
    struct new_grid grid = {0};
    size_t at = 0;
    POM_TRY(add_grid(graph, node->outputs[0], &grid, msg));
    for (int i = 0; i < node->n_inputs; i++) {
        const struct pom_value *in = node->inputs[i];
        size_t channels = (size_t)in->dims[1];
        memcpy(grid.scale + at, in->grid->scale, channels * sizeof *grid.scale);
        memcpy(grid.zero + at, in->grid->zero, channels * sizeof *grid.zero);
        at += channels;
    }
    return POM_OK;
}

/* That of the preprocessing, in the order of a pixel's bytes, as is the mean. */
static enum pom_status grid_of_picture(
    struct pom_graph *graph, struct pom_value *value, const struct pom_net_range *range, struct pom_message *msg) {
    const struct pom_net_pixels *pixels = value->pixels;
    struct new_grid grid = {.fraction = pom_arena_alloc(&graph->arena, 3, sizeof(double))};
    float *mean = pom_arena_alloc(&graph->arena, 3, sizeof *mean);
    if (!grid.fraction || !mean)
        return pom_fail_memory(msg, "the grids of a network");
    POM_TRY(add_grid(graph, value, &grid, msg));
    for (int c = 0; c < 3; c++) {
        int byte = pixels->source[c];
        double first = (double)pixels->value[c][0], last = (double)pixels->value[c][255];
        double scale = (last - first) / 255.0, zero = -first / scale, nearest = fmin(fmax(nearbyint(zero), 0.0), 255.0);
        grid.scale[byte] = (float)scale;
        grid.zero[byte] = (uint8_t)nearest;
        grid.fraction[byte] = zero - nearest;
        mean[byte] = range->mean[c];
    }
    value->mean = mean;
    return POM_OK;
}

static enum pom_status check_range(const struct pom_net_range *range, struct pom_message *msg) {
    const float most = 1e30F;
    for (int c = 0; c < range->channels; c++)
        if (!(range->low[c] >= -most && range->high[c] <= most && range->low[c] <= range->high[c] &&
                range->mean[c] >= -most && range->mean[c] <= most))
            return pom_fail(msg, POM_ERR_UNSUPPORTED,
                "tensor '%.80s' has values that are not finite in channel %d: 8 bits cannot hold them", range->name, c);
    return POM_OK;
}

enum pom_status pom_narrow_set_means(
    struct pom_graph *graph, const struct pom_net_range *ranges, int n, struct pom_message *msg) {
    if (n != graph->n_watched)
        return pom_fail(msg, POM_ERR_FORMAT, "the calibration has %d tensors, the network %d", n, graph->n_watched);
    for (int i = 0; i < n; i++) {
        struct pom_value *value = graph->watched[i];
        if (!fits(&ranges[i], value))
            return pom_fail(msg, POM_ERR_FORMAT,
                "the calibration's tensor '%.80s' of %d channels is not the network's '%.80s' of %lld", ranges[i].name,
                ranges[i].channels, value->name, (long long)value->dims[1]);
        POM_TRY(check_range(&ranges[i], msg));
        value->mean = ranges[i].mean;
    }
    return POM_OK;
}

enum pom_status pom_narrow_set_grids(
    struct pom_graph *graph, const struct pom_net_range *ranges, int n, struct pom_message *msg) {
    POM_TRY(pom_narrow_set_means(graph, ranges, n, msg));
    for (int i = 0; i < n; i++) {
        struct pom_value *value = graph->watched[i];
        POM_TRY((value->pixels ? grid_of_picture : grid_from_range)(graph, value, &ranges[i], msg));
    }
    for (int i = 0; i < graph->n_nodes; i++)
        if (graph->nodes[i]->narrow && !is(graph->nodes[i], "Conv"))
            POM_TRY(keep_grids(graph, graph->nodes[i], msg));
    return POM_OK;
}
