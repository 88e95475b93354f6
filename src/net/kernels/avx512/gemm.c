#include "net/kernels/vector/avx512.h"

#include "net/kernels/template/gemm.h"
#include "net/kernels/template/gemm_pairs.h"

GEMM_DEFINE_14(1)
GEMM_DEFINE_14(2)

const struct pom_gemm_kernel pom_gemm_avx512[POM_GEMM_MAX_VECTORS] = {
    {"f32_gemm_14x16_avx512", 14, 16, 16, {GEMM_LIST_14(1)}},
    {"f32_gemm_14x32_avx512", 14, 32, 32, {GEMM_LIST_14(2)}},
};

GEMM_PAIRS_DEFINE(2)
GEMM_PAIRS_DEFINE(4)
GEMM_PAIRS_DEFINE(6)
GEMM_PAIRS_DEFINE(8)
GEMM_PAIRS_DEFINE(10)
GEMM_PAIRS_DEFINE(12)
GEMM_PAIRS_DEFINE(14)

const struct pom_gemm_kernel pom_gemm_in_pairs_avx512 = {"f32_gemm_14x24_avx512", 14, 24, 32,
    {[2] = gemm_pairs_2,
        [4] = gemm_pairs_4,
        [6] = gemm_pairs_6,
        [8] = gemm_pairs_8,
        [10] = gemm_pairs_10,
        [12] = gemm_pairs_12,
        [14] = gemm_pairs_14}};
