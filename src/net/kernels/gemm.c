#include "net/kernels/gemm.h"
#include "base/memory.h"
#include "net/kernels/split.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct pom_split split_line(const struct pom_gemm_kernel *kernel, int width) {
    return pom_split_line(width, kernel->rows, pom_gemm_in_pairs(kernel) ? 2 : 1);
}

/* Half cycles of one tile on a core that does two multiply-adds and two loads a cycle with a latency of four. */
static double tile_cost(const struct pom_gemm_kernel *kernel, int lanes, int rows, int k) {
    enum { LATENCY = 8, OVERHEAD = 40, PER_STORE = 2 };
    int products = rows * kernel->columns / lanes, loads = rows + kernel->packed / lanes;
    int step = products > loads ? products : loads;
    return (double)k * (step > LATENCY ? step : LATENCY) + OVERHEAD + PER_STORE * products;
}

static double line_cost(const struct pom_gemm_kernel *kernel, int lanes, int k, int width) {
    if (!kernel)
        return 0.0;
    struct pom_split s = split_line(kernel, width);
    return s.higher * tile_cost(kernel, lanes, s.rows + s.step, k) +
           (s.tiles - s.higher) * tile_cost(kernel, lanes, s.rows, k);
}

/* Takes main and last where they cost less than the best so far. */
static void consider(struct pom_gemm *gemm, const struct pom_gemm_kernel *main, int panels,
    const struct pom_gemm_kernel *last, int width, double *best) {
    double cost = panels * line_cost(main, gemm->lanes, gemm->k, width) + line_cost(last, gemm->lanes, gemm->k, width);
    if (cost >= *best)
        return;
    *best = cost;
    gemm->main = main;
    gemm->last = last;
    gemm->packed = (size_t)panels * (size_t)main->packed + (last ? (size_t)last->packed : 0);
}

static void choose(struct pom_gemm *gemm, const struct pom_kernel_table *table, struct pom_gemm_lines lines) {
    const struct pom_gemm_kernel *pairs = lines.even ? table->gemm_in_pairs : NULL;
    int vectors = (gemm->n + table->lanes - 1) / table->lanes;
    double best = INFINITY;
    for (int v = 1; v <= POM_GEMM_MAX_VECTORS && v <= vectors && table->gemm[v - 1].name; v++) {
        const struct pom_gemm_kernel *main = &table->gemm[v - 1];
        int panels = vectors / v, rest = vectors % v;
        consider(gemm, main, panels, rest ? &table->gemm[rest - 1] : NULL, lines.width, &best);
        if (pairs && gemm->n > pairs->columns && (gemm->n - pairs->columns) % main->columns == 0)
            consider(gemm, main, (gemm->n - pairs->columns) / main->columns, pairs, lines.width, &best);
    }
    if (pairs && gemm->n == pairs->columns)
        consider(gemm, pairs, 1, NULL, lines.width, &best);
}

/* The kernel of the panel at column `from`. */
static const struct pom_gemm_kernel *kernel_at(const struct pom_gemm *gemm, int from) {
    return gemm->last && gemm->n - from <= gemm->last->columns ? gemm->last : gemm->main;
}

/* Some rows of the panel at column `from`: zeros past n; in pairs the last half vector again. Column by
 * column, as most sources have the rows of a column side by side; few rows, so that the panel's lines stay near. */
static void pack_rows(const struct pom_gemm_kernel *kernel, const float *rows, size_t step_row, size_t step_column,
    size_t n_rows, int from, int n, float *to) {
    for (int i = 0; i < kernel->packed; i++) {
        int column = from + (i < kernel->columns ? i : i - (kernel->packed - kernel->columns));
        const float *at = rows && column < n ? rows + (size_t)column * step_column : NULL;
        for (size_t r = 0; r < n_rows; r++)
            to[r * (size_t)kernel->packed + (size_t)i] = at ? at[r * step_row] : 0.0f;
    }
}

/* One row whose columns are side by side. */
static float *pack_row(const struct pom_gemm_kernel *kernel, const float *row, int from, int n, float *to) {
    if (row && kernel->packed == kernel->columns && from + kernel->columns <= n)
        memcpy(to, row + from, (size_t)kernel->columns * sizeof(float));
    else
        pack_rows(kernel, row, 0, 1, 1, from, n, to);
    return to + kernel->packed;
}

static void pack(const struct pom_gemm *gemm, const struct pom_gemm_source *source) {
    enum { PACK_ROWS = 16 };
    const struct pom_gemm_kernel *kernel;
    const size_t depth = (size_t)source->depth;
    float *to = gemm->weights, *bias = gemm->bias;
    for (int from = 0; from < gemm->n; from += kernel->columns) {
        kernel = kernel_at(gemm, from);
        bias = pack_row(kernel, source->bias, from, gemm->n, bias);
        for (size_t tap = 0; source->weights && tap < (size_t)source->taps; tap++)
            for (size_t c = 0, rows; c < depth; c += rows, to += rows * (size_t)kernel->packed) {
                rows = depth - c < PACK_ROWS ? depth - c : PACK_ROWS;
                pack_rows(kernel, source->weights + tap * source->step_tap + c * source->step_c, source->step_c,
                    source->step_j, rows, from, gemm->n, to);
            }
    }
}

void pom_gemm_pack(const struct pom_gemm *gemm, const float *from, int first, int rows) {
    const struct pom_gemm_kernel *kernel;
    float *panel = gemm->weights;
    for (int column = 0; column < gemm->n; column += kernel->columns) {
        kernel = kernel_at(gemm, column);
        float *to = panel + (size_t)first * (size_t)kernel->packed;
        for (size_t row = 0; row < (size_t)rows; row++)
            to = pack_row(kernel, from + row * (size_t)gemm->n, column, gemm->n, to);
        panel += (size_t)gemm->k * (size_t)kernel->packed;
    }
}

static size_t whole_lines(size_t floats) {
    const size_t line = POM_ALIGN / sizeof(float);
    return (floats + line - 1) / line * line;
}

enum pom_status pom_gemm_init(struct pom_gemm *gemms, int count, const struct pom_kernel_table *table,
    const struct pom_gemm_source *source, struct pom_gemm_lines lines, struct pom_message *msg) {
    struct pom_gemm gemm = {
        .k = source->taps * source->depth, .n = source->n, .lanes = table->lanes, .pack = table->pack};
    choose(&gemm, table, lines);
    size_t weights = whole_lines((size_t)gemm.k * gemm.packed), each = weights + whole_lines(gemm.packed);
    float *memory = pom_alloc_aligned((size_t)count * each, sizeof(float));
    if (!memory)
        return pom_fail_memory(msg, "the weights of a layer");
    for (int i = 0; i < count; i++, memory += each) {
        gemms[i] = gemm;
        gemms[i].memory = i == 0 ? memory : NULL;
        gemms[i].weights = memory;
        gemms[i].bias = memory + weights;
        pack(&gemms[i], source);
    }
    return POM_OK;
}

void pom_gemm_clean_up(struct pom_gemm *gemm) {
    free(gemm->memory);
    *gemm = (struct pom_gemm){0};
}

size_t pom_gemm_bytes(const struct pom_gemm *gemm) {
    return ((size_t)gemm->k + 1) * gemm->packed * sizeof(float);
}

/* The tiles of one line against one panel. */
static void run_line(const struct pom_gemm_kernel *kernel, int width, struct pom_gemm_call *call) {
    struct pom_split s = split_line(kernel, width);
    if (s.higher > 0) {
        call->tiles = s.higher;
        kernel->run[s.rows + s.step](call);
        ptrdiff_t done = (ptrdiff_t)s.higher * (s.rows + s.step);
        call->a += done * call->a_row;
        call->out += done * call->out_row;
        if (call->residual)
            call->residual += done * call->out_row;
    }
    call->tiles = s.tiles - s.higher;
    kernel->run[s.rows](call);
}

int pom_gemm_run_panel(const struct pom_gemm *gemm, const struct pom_gemm_view *view, int from) {
    const struct pom_gemm_kernel *kernel = kernel_at(gemm, from);
    const size_t packed = (size_t)(from / gemm->main->columns) * (size_t)gemm->main->packed;
    int missing = from + kernel->columns - gemm->n;
    for (int line = 0; line < view->lines; line++) {
        ptrdiff_t at = line * view->out_line;
        struct pom_gemm_call call = {.a = view->a + line * view->a_line,
            .a_row = view->a_pixel,
            .segment_at = view->segment_at,
            .segments = view->segments,
            .depth = view->depth,
            .b = gemm->weights + (size_t)gemm->k * packed,
            .bias = gemm->bias + packed,
            .residual = view->residual ? view->residual + at : NULL,
            .out = view->out + at,
            .out_row = view->out_pixel,
            .lanes = missing > 0 ? gemm->lanes - missing : gemm->lanes,
            .act = view->act};
        run_line(kernel, view->width, &call);
    }
    return from + kernel->columns;
}

void pom_gemm_run(const struct pom_gemm *gemm, const struct pom_gemm_view *view) {
    struct pom_gemm_view panel = *view;
    for (int from = 0; from < gemm->n;) {
        panel.out = view->out + from / gemm->pack;
        panel.residual = view->residual ? view->residual + from / gemm->pack : NULL;
        from = pom_gemm_run_panel(gemm, &panel, from);
    }
}
