#include "net/kernels/vector/neon.h"

#include "net/kernels/template/gemm.h"

GEMM_DEFINE_14(1)
GEMM_DEFINE_14(2)

const struct pom_gemm_kernel pom_gemm_neon[POM_GEMM_MAX_VECTORS] = {
    {"f32_gemm_14x4_neon", 14, 4, 4, {GEMM_LIST_14(1)}},
    {"f32_gemm_14x8_neon", 14, 8, 8, {GEMM_LIST_14(2)}},
};
