/* The tiles themselves, each one of the tables. */
#include "kernelcheck.h"

#include <math.h>
#include <stdio.h>

/* What a run of gemm tiles must give. */
static void gemm_reference(const struct pom_gemm_call *call, int rows, int packed, int n, float *out) {
    for (int row = 0; row < rows; row++)
        for (int j = 0; j < n; j++) {
            float sum = call->bias[j];
            const float *b = call->b + j;
            for (int s = 0; s < call->segments; s++)
                for (int i = 0; i < call->depth; i++, b += packed)
                    sum = fmaf(call->a[row * call->a_row + call->segment_at[s] + i], *b, sum);
            size_t at = (size_t)(row * call->out_row + j);
            out[at] = pom_act_apply(call->residual ? sum + call->residual[at] : sum, call->act);
        }
}

static struct pom_act random_act(void) {
    static const struct pom_act acts[] = {{POM_ACT_KIND_IDENTITY, 0.0f, 0.0f}, {POM_ACT_KIND_CLAMP, 0.0f, INFINITY},
        {POM_ACT_KIND_CLAMP, 0.0f, 6.0f}, {POM_ACT_KIND_CLAMP, -0.5f, 0.5f}, {POM_ACT_KIND_LEAKY, 0.1f, 0.0f}};
    return acts[random_int(0, sizeof acts / sizeof *acts - 1)];
}

/* In pairs: the columns past the real ones are those before them again. */
static void repeat_halves(const struct pom_gemm_kernel *kernel, float *panel, size_t rows) {
    int extra = kernel->packed - kernel->columns;
    for (size_t row = 0; row < rows; row++, panel += kernel->packed)
        for (int i = kernel->columns; i < kernel->packed; i++)
            panel[i] = panel[i - extra];
}

static void check_gemm_tile(const struct pom_gemm_kernel *kernel, int rows, int lanes_all, enum values values) {
    enum { MAX_SEGMENTS = 3 };
    ptrdiff_t segment_at[MAX_SEGMENTS];
    struct pom_gemm_call call = {.segments = random_int(1, MAX_SEGMENTS),
        .depth = random_int(1, 20),
        .segment_at = segment_at,
        .lanes = pom_gemm_in_pairs(kernel) || random_int(0, 1) ? lanes_all : random_int(1, lanes_all),
        .tiles = random_int(1, 3),
        .act = random_act()};
    int n = kernel->columns - lanes_all + call.lanes, height = call.tiles * rows;
    call.a_row = random_int(1, 40);
    call.out_row = n + random_int(0, 5);
    for (int s = 0; s < call.segments; s++)
        segment_at[s] = random_int(0, 30);
    size_t depth = (size_t)call.segments * (size_t)call.depth;
    struct guarded a = guarded_new((size_t)((height - 1) * call.a_row + 30 + call.depth));
    struct guarded b = guarded_new(depth * (size_t)kernel->packed), bias = guarded_new((size_t)kernel->packed);
    size_t n_out = (size_t)((height - 1) * call.out_row + n);
    struct guarded residual = guarded_new(n_out), got = guarded_new(n_out), want = guarded_new(n_out);
    fill(a.data, a.n, values);
    fill(b.data, b.n, values);
    fill(bias.data, bias.n, values);
    repeat_halves(kernel, b.data, depth);
    repeat_halves(kernel, bias.data, 1);
    fill(residual.data, n_out, values);
    call.a = a.data;
    call.b = b.data;
    call.bias = bias.data;
    call.residual = random_int(0, 1) ? residual.data : NULL;
    call.out = got.data;
    gemm_reference(&call, height, kernel->packed, n, want.data);
    kernel->run[rows](&call);
    bool passed = same(kernel->name, got.data, want.data, n_out) && guarded_intact(&got);
    report(passed, "%s, %d rows, %d of %d columns, %d x %d deep, %d tiles", kernel->name, rows, n, kernel->columns,
        call.segments, call.depth, call.tiles);
    guarded_free(&a, &b, &bias, &residual, &got, &want, NULL);
}

static void check_gemm_kernel(const struct pom_gemm_kernel *kernel, int lanes) {
    for (int rows = 1; rows <= kernel->rows; rows++)
        for (enum values values = VALUES_PLAIN; values <= VALUES_SPECIAL && kernel->run[rows]; values++)
            for (int i = 0; i < 4; i++)
                check_gemm_tile(kernel, rows, lanes, values);
    report_group("%s", kernel->name);
}

void check_gemm_tiles(const struct pom_kernel_table *table) {
    for (int v = 0; v < POM_GEMM_MAX_VECTORS && table->gemm[v].name; v++)
        check_gemm_kernel(&table->gemm[v], table->lanes);
    if (table->gemm_in_pairs)
        check_gemm_kernel(table->gemm_in_pairs, table->lanes);
}
