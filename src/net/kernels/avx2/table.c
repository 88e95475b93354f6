#include "net/kernels/vector/avx2.h"

#include "net/kernels/template/elementwise.h"
#include "net/kernels/template/peak.h"
#include "net/kernels/template/pool.h"

const struct pom_kernel_table pom_table_avx2 = {
    .isa = POM_ISA_AVX2,
    .lanes = LANES,
    .pack = DATA_PACK,
    .gemm = pom_gemm_avx2,
    .depthwise = pom_depthwise_avx2,
    .winograd = &pom_winograd_avx2,
    .plain = {max_pool, average_pool, global_average, add, activate_all},
    .fma_burst = fma_burst,
    .flops_per_step = PEAK_FLOPS_PER_STEP,
};
