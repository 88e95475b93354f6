#include "net/kernels/vector/int8_avx2.h"

#define PATH "avx2vnni"

#include "net/kernels/template/int8_path.h"

GEMM_DEFINE_12(1)
GEMM_DEFINE_6(2)

static const struct pom_int8_gemm_kernel gemm[POM_INT8_MAX_VECTORS] = {
    {"int8_gemm_12x8_avx2vnni", 12, 1, {GEMM_LIST_12(1)}},
    {"int8_gemm_6x16_avx2vnni", 6, 2, {GEMM_LIST_6(2)}},
};

const struct pom_int8_table pom_int8_avx2vnni = INT8_TABLE(gemm);
