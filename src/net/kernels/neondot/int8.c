#include "net/kernels/vector/int8_neon.h"

#define PATH "neondot"

#include "net/kernels/template/int8_path.h"

GEMM_DEFINE_14(1)
GEMM_DEFINE_12(2)

static const struct pom_int8_gemm_kernel gemm[POM_INT8_MAX_VECTORS] = {
    {"int8_gemm_14x4_neondot", 14, 1, {GEMM_LIST_14(1)}},
    {"int8_gemm_12x8_neondot", 12, 2, {GEMM_LIST_12(2)}},
};

const struct pom_int8_table pom_int8_neondot = INT8_TABLE(gemm);
