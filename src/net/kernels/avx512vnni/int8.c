#include "net/kernels/vector/int8_avx512.h"

#define PATH "avx512vnni"

#include "net/kernels/template/int8_path.h"

GEMM_DEFINE_14(1)
GEMM_DEFINE_14(2)

static const struct pom_int8_gemm_kernel gemm[POM_INT8_MAX_VECTORS] = {
    {"int8_gemm_14x16_avx512vnni", 14, 1, {GEMM_LIST_14(1)}},
    {"int8_gemm_14x32_avx512vnni", 14, 2, {GEMM_LIST_14(2)}},
};

const struct pom_int8_table pom_int8_avx512vnni = INT8_TABLE(gemm);
