#include "net/kernels/vector/bf16_avx512.h"

#include "net/kernels/template/gemm.h"

GEMM_DEFINE_14(1)
GEMM_DEFINE_14(2)

const struct pom_gemm_kernel pom_gemm_avx512bf16[POM_GEMM_MAX_VECTORS] = {
    {"bf16_gemm_14x16_avx512bf16", 14, 16, 16, {GEMM_LIST_14(1)}},
    {"bf16_gemm_14x32_avx512bf16", 14, 32, 32, {GEMM_LIST_14(2)}},
};
