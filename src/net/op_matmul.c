/* Gemm and MatMul. Where the right side is constant they are a dense layer of the kernels; else plain loops. */
#include "net/kernels/kernels.h"
#include "net/move.h"
#include "net/op.h"
#include "net/weights.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

struct dense_step {
    struct pom_dense *dense;
    int rows; /* per image */
};

static void run_dense(const void *params, const struct pom_call *call) {
    const struct dense_step *p = params;
    pom_dense_run(p->dense, call->in[0], p->rows * call->images, call->out, call->scratch);
}

static void free_dense(void *params) {
    pom_dense_free(((struct dense_step *)params)->dense);
}

static void describe_dense(const void *params, FILE *out) {
    const struct dense_step *p = params;
    fprintf(out, "%d rows an image; %.1f KB of weights", p->rows, (double)pom_dense_weight_bytes(p->dense) * 1e-3);
}

static const char *dense_kernel(const void *params) {
    return pom_dense_kernel_name(((const struct dense_step *)params)->dense);
}

static const struct pom_step_kind dense_kind = {.name = "dense",
    .many_images = true,
    .run = run_dense,
    .free = free_dense,
    .kernel = dense_kernel,
    .describe = describe_dense};

/* What a dense layer is made of: its weights, times alpha, are k x n, or n x k where transposed. */
struct dense_source {
    struct pom_value *weights;
    bool transposed;
    float alpha;
    const float *bias; /* or NULL */
};

/* A few lines of the weights at a time: those of VGG16's first dense layer are 411 MB. */
static void fill_dense(struct pom_planner *planner, struct pom_dense *dense, const struct dense_source *source) {
    enum { AT_ONCE = 1 << 20 }; /* floats */
    const size_t lines = (size_t)source->weights->dims[0], line = (size_t)source->weights->dims[1];
    const size_t most = line < AT_ONCE ? AT_ONCE / line : 1;
    for (size_t first = 0, count; first < lines && planner->status == POM_OK; first += count) {
        count = lines - first < most ? lines - first : most;
        float *weights = pom_plan_weights(planner, source->weights, first, count, line, NULL);
        if (!weights)
            return;
        for (size_t i = 0; source->alpha != 1.0f && i < count * line; i++)
            weights[i] *= source->alpha;
        pom_dense_fill(dense, weights, source->transposed, (int)first, (int)count);
    }
}

/* Makes the step; takes in the buffers. */
static void plan_dense(struct pom_planner *planner, const struct pom_dense_desc *desc,
    const struct dense_source *source, int64_t rows, int in, int out) {
    struct dense_step *params = pom_plan_alloc(planner, 1, sizeof *params);
    if (rows > INT_MAX / POM_NET_MAX_BATCH)
        pom_plan_fail(planner, POM_ERR_LIMIT, "has too many rows");
    if (!params || planner->status != POM_OK)
        return;
    params->rows = (int)rows;
    planner->status = pom_dense_new(desc, planner->isa, source->bias, &params->dense, planner->msg);
    if (planner->status != POM_OK)
        return;
    fill_dense(planner, params->dense, source);
    planner->plan->weight_bytes += pom_dense_weight_bytes(params->dense);
    size_t scratch = pom_dense_scratch_bytes(params->dense, params->rows);
    struct pom_step *step = pom_plan_step(planner, &dense_kind, params, in, -1, out);
    if (step) {
        step->weight_bytes = pom_dense_weight_bytes(params->dense);
        step->scratch_per_image = scratch;
    }
}

/* out[m][n] = sum over k of a[m][k] * b[k][n] for two activations, k ascending, over a grid of matrices. */
struct matmul_step {
    int64_t m, k, n, batches;
    const int64_t *a_at, *b_at; /* where each matrix of the grid begins */
};

static void run_matmul(const void *params, const struct pom_call *call) {
    const struct matmul_step *p = params;
    for (int64_t g = 0; g < p->batches; g++)
        for (int64_t i = 0; i < p->m; i++) {
            const float *a = (const float *)call->in[0] + p->a_at[g] + i * p->k;
            const float *b = (const float *)call->in[1] + p->b_at[g];
            float *out = (float *)call->out + (g * p->m + i) * p->n;
            for (int64_t j = 0; j < p->n; j++)
                out[j] = 0.0f;
            for (int64_t x = 0; x < p->k; x++)
                for (int64_t j = 0; j < p->n; j++)
                    out[j] += a[x] * b[x * p->n + j];
        }
}

static const struct pom_step_kind matmul_kind = {.name = "f32_matmul", .run = run_matmul};

/* MatMul */

/* numpy's rule: vectors become matrices, the axes before the last two are broadcast. */
enum pom_status pom_infer_matmul(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    (void)graph;
    const struct pom_value *a = node->inputs[0], *b = node->inputs[1];
    if (a->rank < 1 || b->rank < 1 || a->element != POM_ELEMENT_FLOAT || b->element != POM_ELEMENT_FLOAT)
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "takes float32 tensors of rank 1 and more");
    int64_t k = a->dims[a->rank - 1], b_k = b->dims[b->rank > 1 ? b->rank - 2 : 0];
    if (k != b_k)
        return pom_fail(msg, POM_ERR_FORMAT, "%lld columns do not fit %lld rows", (long long)k, (long long)b_k);
    if ((a->batched && a->rank < 2) || (b->batched && (b->rank < 3 || a->rank < b->rank)) ||
        (a->batched && b->rank > a->rank))
        return pom_fail_batch(msg);
    struct pom_value a_grid = {.rank = a->rank > 2 ? a->rank - 2 : 0}, b_grid = {.rank = b->rank > 2 ? b->rank - 2 : 0},
                     grid = {.name = ""};
    for (int i = 0; i < a_grid.rank; i++)
        a_grid.dims[i] = a->dims[i];
    for (int i = 0; i < b_grid.rank; i++)
        b_grid.dims[i] = b->dims[i];
    POM_TRY(pom_broadcast(&a_grid, &b_grid, &grid, msg));
    int64_t dims[POM_NET_MAX_RANK + 2];
    int rank = grid.rank;
    for (int i = 0; i < rank; i++)
        dims[i] = grid.dims[i];
    if (a->rank > 1)
        dims[rank++] = a->dims[a->rank - 2];
    if (b->rank > 1)
        dims[rank++] = b->dims[b->rank - 1];
    bool batched = a->batched || b->batched;
    if (batched && dims[0] != 1)
        return pom_fail_batch(msg);
    return pom_value_set_shape(node->outputs[0], rank, dims, batched, msg);
}

int64_t pom_macs_matmul(const struct pom_node *node) {
    const struct pom_value *a = node->inputs[0];
    int last = a->rank - 1;
    if (pom_node_int(node, "transA", 0) != 0)
        last = 0;
    return (int64_t)node->outputs[0]->elements * a->dims[last];
}

/* Where each matrix of the output's grid begins in an operand. */
static int64_t *grid_starts(struct pom_planner *planner, const struct pom_value *value, const struct pom_value *grid,
    int grid_rank, int64_t matrix) {
    int64_t n = pom_product(grid->dims, 0, grid_rank);
    int own_rank = value->rank > 2 ? value->rank - 2 : 0;
    int64_t *starts = pom_plan_alloc(planner, (size_t)n, sizeof *starts);
    for (int64_t g = 0; g < n && starts; g++) {
        int64_t left = g, stride = matrix;
        for (int i = grid_rank - 1; i >= 0; i--) {
            int own = i - (grid_rank - own_rank);
            int64_t side = own < 0 ? 1 : value->dims[own];
            starts[g] += side == 1 ? 0 : left % grid->dims[i] * stride;
            stride *= side;
            left /= grid->dims[i];
        }
    }
    return starts;
}

static void build_general(struct pom_planner *planner, const struct pom_node *node) {
    struct pom_value *a = node->inputs[0], *b = node->inputs[1], *out = node->outputs[0];
    int in0 = pom_plan_input(planner, a, POM_LAYOUT_ROWS), in1 = pom_plan_input(planner, b, POM_LAYOUT_ROWS);
    int to = pom_plan_output(planner, out, POM_LAYOUT_ROWS);
    struct matmul_step *params = pom_plan_alloc(planner, 1, sizeof *params);
    if (!params)
        return;
    params->m = a->rank > 1 ? a->dims[a->rank - 2] : 1;
    params->k = a->dims[a->rank - 1];
    params->n = b->rank > 1 ? b->dims[b->rank - 1] : 1;
    int grid_rank = out->rank - (a->rank > 1) - (b->rank > 1);
    params->batches = pom_product(out->dims, 0, grid_rank);
    params->a_at = grid_starts(planner, a, out, grid_rank, params->m * params->k);
    params->b_at = grid_starts(planner, b, out, grid_rank, params->k * params->n);
    pom_plan_step(planner, &matmul_kind, params, in0, in1, to);
}

static bool is_weight(const struct pom_value *value) {
    return value->constant && value->rank == 2 && value->elements > 0 && value->dims[0] <= INT_MAX &&
           value->dims[1] <= INT_MAX;
}

static struct pom_dense_desc dense_desc(const struct pom_node *node, int64_t k, int64_t n) {
    return (struct pom_dense_desc){.k = (int)k,
        .n = (int)n,
        .activation = (enum pom_activation)node->epilogue.activation,
        .low = node->epilogue.low,
        .high = node->epilogue.high};
}

void pom_build_matmul(struct pom_planner *planner, const struct pom_node *node) {
    struct pom_value *a = node->inputs[0], *b = node->inputs[1], *out = node->outputs[0];
    if (!is_weight(b)) {
        build_general(planner, node);
        return;
    }
    int in = pom_plan_input(planner, a, POM_LAYOUT_ROWS), to = pom_plan_output(planner, out, POM_LAYOUT_ROWS);
    struct pom_dense_desc desc = dense_desc(node, b->dims[0], b->dims[1]);
    struct dense_source source = {.weights = b, .alpha = 1.0f};
    plan_dense(planner, &desc, &source, (int64_t)out->elements / b->dims[1], in, to);
}

/* Gemm: alpha * A' * B' + beta * C */

enum pom_status pom_infer_gemm(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    const struct pom_value *a = node->inputs[0], *b = node->inputs[1], *c = pom_node_input(node, 2);
    bool trans_a = pom_node_int(node, "transA", 0) != 0, trans_b = pom_node_int(node, "transB", 0) != 0;
    POM_TRY(pom_need_floats(node, 1, "right side", msg));
    if (a->rank != 2 || !is_weight(b))
        return pom_fail(msg, POM_ERR_FORMAT, "takes matrices, not tensors of rank %d and %d", a->rank, b->rank);
    if (a->batched && trans_a)
        return pom_fail_batch(msg);
    int64_t m = a->dims[trans_a], k = a->dims[!trans_a], n = b->dims[!trans_b];
    if (b->dims[trans_b] != k)
        return pom_fail(
            msg, POM_ERR_FORMAT, "%lld columns do not fit %lld rows", (long long)k, (long long)b->dims[trans_b]);
    int64_t dims[] = {m, n};
    POM_TRY(pom_value_set_shape(node->outputs[0], 2, dims, a->batched, msg));
    struct pom_dense_params *params = pom_arena_alloc(&graph->arena, 1, sizeof *params);
    if (!params)
        return pom_fail_memory(msg, "a dense layer");
    *params = (struct pom_dense_params){.transposed = trans_b,
        .alpha = pom_node_float(node, "alpha", 1.0f),
        .beta = pom_node_float(node, "beta", 1.0f)};
    node->params = params;
    if (!c)
        return POM_OK;
    POM_TRY(pom_need_floats(node, 2, "added matrix", msg));
    struct pom_value sum = {.name = ""};
    POM_TRY(pom_broadcast(node->outputs[0], c, &sum, msg));
    if (sum.rank != 2 || sum.dims[0] != m || sum.dims[1] != n || (c->rank == 2 && c->dims[0] != 1))
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "what it adds is not one row of %lld numbers", (long long)n);
    return POM_OK;
}

/* n numbers from one per column, or one for all, times a factor. NULL on no memory. */
static float *spread(const float *from, size_t n_from, size_t n, float factor) {
    float *spread = pom_alloc_aligned(n, sizeof(float));
    for (size_t i = 0; i < n && spread && from; i++)
        spread[i] = factor == 1.0f ? from[n_from == 1 ? 0 : i] : from[n_from == 1 ? 0 : i] * factor;
    return spread;
}

static void plan_gemm(struct pom_planner *planner, const struct pom_node *node, int in, int out) {
    const struct pom_dense_params *params = node->params;
    struct pom_value *c = pom_node_input(node, 2);
    const struct pom_value *product = node->outputs[0];
    int64_t m = product->dims[0], n = product->dims[1], k = node->inputs[1]->dims[params->transposed];
    struct pom_dense_desc desc = dense_desc(node, k, n);
    const float *added = c ? pom_value_floats(c) : NULL;
    float *bias = c ? spread(added, c->elements, (size_t)n, params->beta) : NULL;
    if (c && !bias)
        pom_plan_fail(planner, POM_ERR_MEMORY, "out of memory for a bias");
    struct dense_source source = {node->inputs[1], params->transposed, params->alpha, bias};
    plan_dense(planner, &desc, &source, m, in, out);
    free(bias);
}

void pom_build_gemm(struct pom_planner *planner, const struct pom_node *node) {
    struct pom_value *a = node->inputs[0], *out = node->outputs[0];
    int in = pom_plan_input(planner, a, POM_LAYOUT_ROWS);
    if (pom_node_int(node, "transA", 0) != 0) {
        int turned = pom_plan_scratch(planner, a->elements, a->batched);
        pom_plan_permute(planner, in, turned, 2, a->dims, (const int[]){1, 0});
        in = turned;
    }
    int to = pom_plan_output(planner, out, POM_LAYOUT_ROWS);
    plan_gemm(planner, node, in, to);
}
