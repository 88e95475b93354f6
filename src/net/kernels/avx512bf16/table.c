#include "net/kernels/vector/bf16_avx512.h"

#include "net/kernels/template/peak.h"

const struct pom_kernel_table pom_table_avx512bf16 = {
    .isa = POM_ISA_AVX512BF16,
    .lanes = LANES,
    .pack = DATA_PACK,
    .gemm = pom_gemm_avx512bf16,
    .depthwise = pom_depthwise_avx512bf16,
    .fma_burst = fma_burst,
    .flops_per_step = PEAK_FLOPS_PER_STEP,
};
