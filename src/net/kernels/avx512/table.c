#include "net/kernels/vector/avx512.h"

#include "net/kernels/template/elementwise.h"
#include "net/kernels/template/peak.h"
#include "net/kernels/template/pool.h"

const struct pom_kernel_table pom_table_avx512 = {
    .isa = POM_ISA_AVX512,
    .lanes = LANES,
    .pack = DATA_PACK,
    .gemm = pom_gemm_avx512,
    .gemm_in_pairs = &pom_gemm_in_pairs_avx512,
    .depthwise = pom_depthwise_avx512,
    .winograd = &pom_winograd_avx512,
    .plain = {max_pool, average_pool, global_average, add, activate_all},
    .fma_burst = fma_burst,
    .flops_per_step = PEAK_FLOPS_PER_STEP,
};
