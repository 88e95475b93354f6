#include "net/kernels/vector/int8_avx512.h"

#define PATH "avx512"

#include "net/kernels/template/int8_path.h"

GEMM_DEFINE_14(1)
GEMM_DEFINE_10(2)

static const struct pom_int8_gemm_kernel gemm[POM_INT8_MAX_VECTORS] = {
    {"int8_gemm_14x16_avx512", 14, 1, {GEMM_LIST_14(1)}},
    {"int8_gemm_10x32_avx512", 10, 2, {GEMM_LIST_10(2)}},
};

const struct pom_int8_table pom_int8_avx512 = INT8_TABLE(gemm);
