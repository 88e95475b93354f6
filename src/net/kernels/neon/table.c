#include "net/kernels/vector/neon.h"

#include "net/kernels/template/elementwise.h"
#include "net/kernels/template/peak.h"
#include "net/kernels/template/pool.h"

const struct pom_kernel_table pom_table_neon = {
    .isa = POM_ISA_NEON,
    .lanes = LANES,
    .pack = DATA_PACK,
    .gemm = pom_gemm_neon,
    .depthwise = pom_depthwise_neon,
    .winograd = &pom_winograd_neon,
    .plain = {max_pool, average_pool, global_average, add, activate_all},
    .fma_burst = fma_burst,
    .flops_per_step = PEAK_FLOPS_PER_STEP,
};
