#include "net/kernels/ref/ref.h"
#include "net/kernels/table.h"

static const struct pom_kernels ref = {.max_pool = pom_ref_max_pool,
    .average_pool = pom_ref_average_pool,
    .global_average = pom_ref_global_average,
    .add = pom_ref_add,
    .activate = pom_ref_activate};

const struct pom_kernel_table *pom_kernel_table(enum pom_isa isa) {
    switch (pom_isa_base(isa)) {
#if defined(__x86_64__)
    case POM_ISA_AVX2:
        return &pom_table_avx2;
    case POM_ISA_AVX512:
        return &pom_table_avx512;
#elif defined(__aarch64__)
    case POM_ISA_NEON:
        return &pom_table_neon;
#endif
    default:
        return NULL;
    }
}

const struct pom_kernels *pom_kernels(enum pom_isa isa) {
    const struct pom_kernel_table *table = pom_kernel_table(isa);
    return table ? &table->plain : &ref;
}
