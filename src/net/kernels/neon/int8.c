#include "net/kernels/vector/int8_neon.h"

#define PATH "neon"

#include "net/kernels/template/int8_path.h"

GEMM_DEFINE_14(1)
GEMM_DEFINE_8(2)

static const struct pom_int8_gemm_kernel gemm[POM_INT8_MAX_VECTORS] = {
    {"int8_gemm_14x4_neon", 14, 1, {GEMM_LIST_14(1)}},
    {"int8_gemm_8x8_neon", 8, 2, {GEMM_LIST_8(2)}},
};

const struct pom_int8_table pom_int8_neon = INT8_TABLE(gemm);
