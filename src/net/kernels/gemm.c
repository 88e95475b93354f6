#include "net/kernels/gemm.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* Half cycles of one tile on a core that does two multiply-adds and two loads a cycle with a latency of four. */
static double tile_cost(int rows, int vectors, int k) {
    enum { LATENCY = 8, OVERHEAD = 40, PER_STORE = 2 };
    int products = rows * vectors, loads = rows + vectors, step = products > loads ? products : loads;
    return (double)k * (step > LATENCY ? step : LATENCY) + OVERHEAD + PER_STORE * products;
}

static double line_cost(const struct pom_gemm_kernel *kernel, int k, int width) {
    int tiles = (width + kernel->rows - 1) / kernel->rows, rows = width / tiles, higher = width % tiles;
    return higher * tile_cost(rows + 1, kernel->vectors, k) + (tiles - higher) * tile_cost(rows, kernel->vectors, k);
}

/* The family whose panels, with a narrower last one, cost least. */
static void choose(struct pom_gemm *gemm, const struct pom_kernel_table *table, int width) {
    int vectors = (gemm->n + table->lanes - 1) / table->lanes;
    double best = INFINITY;
    for (int v = 1; v <= POM_GEMM_MAX_VECTORS && v <= vectors; v++) {
        int panels = vectors / v, rest = vectors % v;
        const struct pom_gemm_kernel *main = &table->gemm[v - 1], *last = rest ? &table->gemm[rest - 1] : NULL;
        double cost = panels * line_cost(main, gemm->k, width) + (last ? line_cost(last, gemm->k, width) : 0.0);
        if (cost < best) {
            best = cost;
            gemm->main = main;
            gemm->last = last;
        }
    }
}

/* The kernel of the panel at column `from`. */
static const struct pom_gemm_kernel *kernel_at(const struct pom_gemm *gemm, int from) {
    return gemm->last && gemm->n - from <= gemm->last->vectors * gemm->lanes ? gemm->last : gemm->main;
}

/* The columns [from, from + columns) as one panel, zeros past n. */
static float *pack_panel(const struct pom_gemm_source *source, int from, int columns, float *to) {
    int real = source->n - from < columns ? source->n - from : columns;
    for (size_t tap = 0; tap < (size_t)source->taps; tap++)
        for (size_t c = 0; c < (size_t)source->depth; c++, to += columns) {
            const float *row = source->weights + tap * source->step_tap + c * source->step_c;
            for (int j = 0; j < columns; j++)
                to[j] = j < real ? row[(size_t)(from + j) * source->step_j] : 0.0f;
        }
    return to;
}

static void pack(const struct pom_gemm *gemm, const struct pom_gemm_source *source) {
    float *to = gemm->weights;
    int from = 0;
    while (from < gemm->n) {
        const struct pom_gemm_kernel *kernel = kernel_at(gemm, from);
        int columns = kernel->vectors * gemm->lanes;
        to = pack_panel(source, from, columns, to);
        from += columns;
    }
}

enum pom_status pom_gemm_init(struct pom_gemm *gemm, const struct pom_kernel_table *table,
    const struct pom_gemm_source *source, int width, struct pom_message *msg) {
    *gemm = (struct pom_gemm){.k = source->taps * source->depth, .n = source->n, .lanes = table->lanes};
    choose(gemm, table, width);
    size_t lanes = (size_t)table->lanes, padded = ((size_t)gemm->n + lanes - 1) / lanes * lanes;
    gemm->n_weights = (size_t)gemm->k * padded;
    gemm->weights = pom_alloc_aligned(gemm->n_weights, sizeof(float));
    gemm->bias = pom_alloc_aligned(padded, sizeof(float));
    if (!gemm->weights || !gemm->bias) {
        pom_gemm_clean_up(gemm);
        return pom_fail_memory(msg, "the weights of a layer");
    }
    pack(gemm, source);
    memset(gemm->bias, 0, padded * sizeof(float));
    if (source->bias)
        memcpy(gemm->bias, source->bias, (size_t)gemm->n * sizeof(float));
    return POM_OK;
}

void pom_gemm_clean_up(struct pom_gemm *gemm) {
    free(gemm->weights);
    free(gemm->bias);
    *gemm = (struct pom_gemm){0};
}

size_t pom_gemm_bytes(const struct pom_gemm *gemm) {
    return (gemm->n_weights + (size_t)gemm->n) * sizeof(float);
}

/* One line of pixels against one panel, in tiles of (nearly) equal height. */
static void run_line(const struct pom_gemm_kernel *kernel, int width, struct pom_gemm_call *call) {
    int tiles = (width + kernel->rows - 1) / kernel->rows, rows = width / tiles, higher = width % tiles;
    call->tiles = higher;
    if (higher > 0) {
        kernel->run[rows + 1](call);
        ptrdiff_t done = (ptrdiff_t)higher * (rows + 1);
        call->a += done * call->a_row;
        call->out += done * call->out_row;
        if (call->residual)
            call->residual += done * call->out_row;
    }
    call->tiles = tiles - higher;
    kernel->run[rows](call);
}

/* Every line against the panel at column `from`. */
static void run_panel(const struct pom_gemm *gemm, const struct pom_gemm_view *view, int from, const float *b) {
    const struct pom_gemm_kernel *kernel = kernel_at(gemm, from);
    int missing = from + kernel->vectors * gemm->lanes - gemm->n;
    for (int line = 0; line < view->lines; line++) {
        ptrdiff_t at = line * view->out_line + from;
        struct pom_gemm_call call = {.a = view->a + line * view->a_line,
            .a_row = view->a_pixel,
            .segment_at = view->segment_at,
            .segments = view->segments,
            .depth = view->depth,
            .b = b,
            .bias = gemm->bias + from,
            .residual = view->residual ? view->residual + at : NULL,
            .out = view->out + at,
            .out_row = view->out_pixel,
            .lanes = missing > 0 ? gemm->lanes - missing : gemm->lanes,
            .act = view->act};
        run_line(kernel, view->width, &call);
    }
}

void pom_gemm_run(const struct pom_gemm *gemm, const struct pom_gemm_view *view) {
    const float *b = gemm->weights;
    int from = 0;
    while (from < gemm->n) {
        run_panel(gemm, view, from, b);
        int columns = kernel_at(gemm, from)->vectors * gemm->lanes;
        from += columns;
        b += (size_t)gemm->k * (size_t)columns;
    }
}
