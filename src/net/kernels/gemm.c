#include "net/kernels/gemm.h"
#include "base/memory.h"
#include "base/share.h"
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

static void choose(struct pom_gemm *gemm, const struct pom_kernel_table *table, const struct pom_gemm_shape *shape) {
    const struct pom_gemm_kernel *pairs = shape->even ? table->gemm_in_pairs : NULL;
    int vectors = (gemm->n + table->lanes - 1) / table->lanes;
    double best = INFINITY;
    for (int v = 1; v <= POM_GEMM_MAX_VECTORS && v <= vectors && table->gemm[v - 1].name; v++) {
        const struct pom_gemm_kernel *main = &table->gemm[v - 1];
        int panels = vectors / v, rest = vectors % v;
        consider(gemm, main, panels, rest ? &table->gemm[rest - 1] : NULL, shape->width, &best);
        if (pairs && gemm->n > pairs->columns && (gemm->n - pairs->columns) % main->columns == 0)
            consider(gemm, main, (gemm->n - pairs->columns) / main->columns, pairs, shape->width, &best);
    }
    if (pairs && gemm->n == pairs->columns)
        consider(gemm, pairs, 1, NULL, shape->width, &best);
}

/* The kernel of the panel at column `from`. */
static const struct pom_gemm_kernel *kernel_at(const struct pom_gemm *gemm, int from) {
    return gemm->last && gemm->n - from <= gemm->last->columns ? gemm->last : gemm->main;
}

static size_t whole_lines(size_t floats) {
    const size_t line = POM_ALIGN / sizeof(float);
    return (floats + line - 1) / line * line;
}

/* The column of a panel's element i: in pairs the last half vector comes again. */
static int column_of(const struct pom_gemm_kernel *kernel, int i) {
    return i < kernel->columns ? i : i - (kernel->packed - kernel->columns);
}

static void pack_bias(const struct pom_gemm *gemm, const float *bias) {
    const struct pom_gemm_kernel *kernel;
    float *to = gemm->bias;
    for (int from = 0; from < gemm->n; from += kernel->columns) {
        kernel = kernel_at(gemm, from);
        for (int i = 0; i < kernel->packed; i++) {
            int column = from + column_of(kernel, i);
            *to++ = bias && column < gemm->n ? bias[column] : 0.0f;
        }
    }
}

enum pom_status pom_gemm_init(struct pom_gemm *gemms, int count, const struct pom_kernel_table *table,
    const struct pom_gemm_shape *shape, const float *bias, struct pom_message *msg) {
    struct pom_gemm gemm = {.k = shape->k, .n = shape->n, .lanes = table->lanes, .pack = table->pack};
    choose(&gemm, table, shape);
    size_t weights = whole_lines((size_t)gemm.k * gemm.packed), each = weights + whole_lines(gemm.packed);
    float *memory = pom_alloc_aligned((size_t)count * each, sizeof(float));
    if (!memory)
        return pom_fail_memory(msg, "the weights of a layer");
    for (int i = 0; i < count; i++, memory += each) {
        gemms[i] = gemm;
        gemms[i].memory = i == 0 ? memory : NULL;
        gemms[i].weights = memory;
        gemms[i].bias = memory + weights;
        pack_bias(&gemms[i], bias);
    }
    return POM_OK;
}

/* Some rows of a block, from its row `first` on, into the panel at column `from`: zeros past n. Column by column, as
 * most sources have the rows of a column side by side. */
static void pack_rows(
    const struct pom_gemm *gemm, const struct pom_gemm_block *block, int first, int rows, int from, float *to) {
    const struct pom_gemm_kernel *kernel = kernel_at(gemm, from);
    for (int i = 0; i < kernel->packed; i++) {
        int column = from + column_of(kernel, i), j = column - block->column;
        if (j < 0 || (j >= block->columns && column < gemm->n))
            continue;
        const float *at =
            column < gemm->n ? block->weights + (size_t)first * block->step_row + (size_t)j * block->step_column : NULL;
        for (size_t r = 0; r < (size_t)rows; r++)
            to[r * (size_t)kernel->packed + (size_t)i] = at ? at[r * block->step_row] : 0.0f;
    }
}

/* The same for a source whose columns are side by side, all of the panel's. */
static void copy_rows(const struct pom_gemm_block *block, int first, int rows, int from, int columns, float *to) {
    const float *at = block->weights + (size_t)first * block->step_row + (from - block->column);
    for (int r = 0; r < rows; r++, at += block->step_row, to += columns)
        memcpy(to, at, (size_t)columns * sizeof(float));
}

static void pack_panel(const struct pom_gemm *gemm, const struct pom_gemm_block *block, int panel) {
    enum { FEW_ROWS = 16 }; /* so that the panel's lines stay near */
    const int from = panel * gemm->main->columns;
    const struct pom_gemm_kernel *kernel = kernel_at(gemm, from);
    float *to = gemm->weights + (size_t)gemm->k * (size_t)panel * (size_t)gemm->main->packed +
                (size_t)block->row * (size_t)kernel->packed;
    bool whole = block->step_column == 1 && kernel->packed == kernel->columns && from >= block->column &&
                 from + kernel->columns <= block->column + block->columns;
    for (int r = 0, rows; r < block->rows; r += rows, to += (ptrdiff_t)rows * kernel->packed) {
        rows = block->rows - r < FEW_ROWS ? block->rows - r : FEW_ROWS;
        if (whole)
            copy_rows(block, r, rows, from, kernel->columns, to);
        else
            pack_rows(gemm, block, r, rows, from, to);
    }
}

struct packing {
    const struct pom_gemm *gemm;
    const struct pom_gemm_block *block;
    int first; /* panel */
};

static void pack_part(void *context, int part) {
    const struct packing *packing = context;
    pack_panel(packing->gemm, packing->block, packing->first + part);
}

/* The panel that a column is in; the last may be wider than main's. */
static int panel_of(const struct pom_gemm *gemm, int column) {
    size_t of_main = (gemm->packed - (gemm->last ? (size_t)gemm->last->packed : 0)) / (size_t)gemm->main->packed;
    int last = (int)of_main - (gemm->last ? 0 : 1), panel = column / gemm->main->columns;
    return panel < last ? panel : last;
}

void pom_gemm_pack(const struct pom_gemm *gemm, const struct pom_gemm_block *block) {
    enum { MUCH = 1 << 17 }; /* floats: worth starting threads for */
    if (block->columns < 1)
        return;
    struct packing packing = {gemm, block, panel_of(gemm, block->column)};
    int n = panel_of(gemm, block->column + block->columns - 1) + 1 - packing.first;
    if ((long)block->rows * block->columns >= MUCH)
        pom_share(n, pack_part, &packing);
    else
        for (int i = 0; i < n; i++)
            pack_part(&packing, i);
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
