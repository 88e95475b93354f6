#include "net/kernels/vector/avx2.h"

#include "net/kernels/template/gemm.h"

GEMM_DEFINE_12(1)
GEMM_DEFINE_6(2)
GEMM_DEFINE_4(3)

const struct pom_gemm_kernel pom_gemm_avx2[POM_GEMM_MAX_VECTORS] = {
    {"f32_gemm_12x8_avx2", 12, 8, 8, {GEMM_LIST_12(1)}},
    {"f32_gemm_6x16_avx2", 6, 16, 16, {GEMM_LIST_6(2)}},
    {"f32_gemm_4x24_avx2", 4, 24, 24, {GEMM_LIST_4(3)}},
};
