#include "net/kernels/vector/int8_avx2.h"

#define PATH "avx2"

#include "net/kernels/template/int8_path.h"

GEMM_DEFINE_8(1)
GEMM_DEFINE_4(2)

static const struct pom_int8_gemm_kernel gemm[POM_INT8_MAX_VECTORS] = {
    {"int8_gemm_8x8_avx2", 8, 1, {GEMM_LIST_8(1)}},
    {"int8_gemm_4x16_avx2", 4, 2, {GEMM_LIST_4(2)}},
};

const struct pom_int8_table pom_int8_avx2 = INT8_TABLE(gemm);
