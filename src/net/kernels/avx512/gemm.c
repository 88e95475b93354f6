#include "net/kernels/vector/avx512.h"

#include "net/kernels/template/gemm.h"

GEMM_DEFINE_14(1)
GEMM_DEFINE_14(2)
GEMM_DEFINE_9(3)

const struct pom_gemm_kernel pom_gemm_avx512[POM_GEMM_MAX_VECTORS] = {
    {"f32_gemm_14x16_avx512", 14, 1, {GEMM_LIST_14(1)}},
    {"f32_gemm_14x32_avx512", 14, 2, {GEMM_LIST_14(2)}},
    {"f32_gemm_9x48_avx512", 9, 3, {GEMM_LIST_9(3)}},
};
