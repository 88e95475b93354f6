#include "base/memory.h"
#include "net/kernels/ref/ref.h"

#include <stdlib.h>
#include <string.h>

struct pom_dense {
    struct pom_dense_desc desc;
    float *weights, *bias;
};

static void pack(const struct pom_dense_desc *d, const float *weights, bool transposed, float *to) {
    size_t k = (size_t)d->k, n = (size_t)d->n;
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < n; j++)
            *to++ = transposed ? weights[j * k + i] : weights[i * n + j];
}

enum pom_status pom_dense_new(const struct pom_dense_desc *desc, enum pom_isa isa, const float *weights,
    bool transposed, const float *bias, struct pom_dense **out, struct pom_message *msg) {
    (void)isa;
    if (desc->k < 1 || desc->n < 1)
        return pom_fail(msg, POM_ERR_ARGUMENT, "fully connected layer of %d to %d: sizes start at 1", desc->k, desc->n);
    struct pom_dense *dense = pom_calloc(1, sizeof *dense);
    if (!dense)
        return pom_fail_memory(msg, "a fully connected layer");
    dense->desc = *desc;
    dense->weights = pom_alloc_aligned((size_t)desc->k * (size_t)desc->n, sizeof(float));
    dense->bias = pom_calloc((size_t)desc->n, sizeof(float));
    if (!dense->weights || !dense->bias) {
        pom_dense_free(dense);
        return pom_fail_memory(msg, "a fully connected layer's weights");
    }
    pack(desc, weights, transposed, dense->weights);
    if (bias)
        memcpy(dense->bias, bias, (size_t)desc->n * sizeof(float));
    *out = dense;
    return POM_OK;
}

void pom_dense_free(struct pom_dense *dense) {
    if (!dense)
        return;
    free(dense->weights);
    free(dense->bias);
    free(dense);
}

size_t pom_dense_weight_bytes(const struct pom_dense *dense) {
    return ((size_t)dense->desc.k + 1) * (size_t)dense->desc.n * sizeof(float);
}

size_t pom_dense_scratch_bytes(const struct pom_dense *dense, int max_m) {
    (void)dense;
    (void)max_m;
    return 0;
}

const char *pom_dense_kernel_name(const struct pom_dense *dense) {
    (void)dense;
    return "f32_dense_ref";
}

void pom_dense_run(const struct pom_dense *dense, const float *in, int m, float *out, void *scratch) {
    (void)scratch;
    pom_ref_dense(&dense->desc, dense->weights, dense->bias, in, m, out);
}
