#include "base/memory.h"
#include "net/kernels/gemm.h"
#include "net/kernels/ref/ref.h"

#include <stdlib.h>
#include <string.h>

enum { USUAL_BATCH = 8 };

/* gemm, or on the portable path weights (k x n) and bias. */
struct pom_dense {
    struct pom_dense_desc desc;
    const struct pom_kernel_table *table;
    struct pom_gemm gemm;
    float *weights, *bias;
};

static enum pom_status init(struct pom_dense *dense, const float *bias, struct pom_message *msg) {
    size_t k = (size_t)dense->desc.k, n = (size_t)dense->desc.n;
    if (dense->table) {
        struct pom_gemm_shape shape = {.k = dense->desc.k, .n = dense->desc.n, .width = USUAL_BATCH};
        return pom_gemm_init(&dense->gemm, 1, dense->table, &shape, bias, msg);
    }
    dense->weights = pom_alloc_aligned(k * n, sizeof(float));
    dense->bias = pom_calloc(n, sizeof(float));
    if (!dense->weights || !dense->bias)
        return pom_fail_memory(msg, "the weights of a fully connected layer");
    if (bias)
        memcpy(dense->bias, bias, n * sizeof(float));
    return POM_OK;
}

enum pom_status pom_dense_new(const struct pom_dense_desc *desc, enum pom_isa isa, const float *bias,
    struct pom_dense **out, struct pom_message *msg) {
    if (desc->k < 1 || desc->n < 1)
        return pom_fail(msg, POM_ERR_ARGUMENT, "fully connected layer of %d to %d: sizes start at 1", desc->k, desc->n);
    struct pom_dense *dense = pom_calloc(1, sizeof *dense);
    if (!dense)
        return pom_fail_memory(msg, "a fully connected layer");
    dense->desc = *desc;
    dense->table = pom_kernel_table(isa);
    enum pom_status status = init(dense, bias, msg);
    if (status != POM_OK) {
        pom_dense_free(dense);
        return status;
    }
    *out = dense;
    return POM_OK;
}

static void fill_ref(struct pom_dense *dense, const struct pom_gemm_block *block) {
    for (int r = 0; r < block->rows; r++)
        for (int j = 0; j < block->columns; j++)
            dense->weights[(size_t)(block->row + r) * (size_t)dense->desc.n + (size_t)(block->column + j)] =
                block->weights[(size_t)r * block->step_row + (size_t)j * block->step_column];
}

void pom_dense_fill(struct pom_dense *dense, const float *weights, bool transposed, int first, int count) {
    const struct pom_dense_desc *d = &dense->desc;
    struct pom_gemm_block block = {
        weights, .row = first, .rows = count, .columns = d->n, .step_row = (size_t)d->n, .step_column = 1};
    if (transposed)
        block = (struct pom_gemm_block){
            weights, .rows = d->k, .column = first, .columns = count, .step_row = 1, .step_column = (size_t)d->k};
    if (dense->table)
        pom_gemm_pack(&dense->gemm, &block);
    else
        fill_ref(dense, &block);
}

void pom_dense_free(struct pom_dense *dense) {
    if (!dense)
        return;
    pom_gemm_clean_up(&dense->gemm);
    free(dense->weights);
    free(dense->bias);
    free(dense);
}

size_t pom_dense_weight_bytes(const struct pom_dense *dense) {
    if (dense->table)
        return pom_gemm_bytes(&dense->gemm);
    return ((size_t)dense->desc.k + 1) * (size_t)dense->desc.n * sizeof(float);
}

size_t pom_dense_scratch_bytes(const struct pom_dense *dense, int max_m) {
    (void)dense;
    (void)max_m;
    return 0;
}

const char *pom_dense_kernel_name(const struct pom_dense *dense) {
    return dense->table ? dense->gemm.main->name : "f32_dense_ref";
}

void pom_dense_run(const struct pom_dense *dense, const float *in, int m, float *out, void *scratch) {
    (void)scratch;
    const struct pom_dense_desc *d = &dense->desc;
    if (!dense->table) {
        pom_ref_dense(d, dense->weights, dense->bias, in, m, out);
        return;
    }
    const ptrdiff_t start = 0;
    struct pom_gemm_view view = {.a = in,
        .out = out,
        .lines = 1,
        .width = m,
        .a_pixel = d->k,
        .out_pixel = d->n,
        .segment_at = &start,
        .segments = 1,
        .depth = d->k,
        .act = pom_act_of(d->activation, d->low, d->high)};
    pom_gemm_run(&dense->gemm, &view);
}
