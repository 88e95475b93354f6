/* What this CPU can run. */
#ifndef POM_BASE_CPU_H
#define POM_BASE_CPU_H

#include "base/status.h"
#include <stdbool.h>

/* In rising order within an architecture; every build has REF. A CPU may have a level and lack one below it. */
enum pom_isa {
    POM_ISA_REF = 0,    /* portable C */
    POM_ISA_AVX2,       /* AVX2 + FMA */
    POM_ISA_AVX2VNNI,   /* and AVX-VNNI */
    POM_ISA_AVX512,     /* AVX-512 F, BW, DQ, VL */
    POM_ISA_AVX512VNNI, /* and VNNI */
    POM_ISA_AVX512BF16, /* and BF16 */
    POM_ISA_NEON,       /* AArch64 Advanced SIMD */
    POM_ISA_NEONDOT,    /* and its dot products */
    POM_ISA_COUNT
};

/* The best path of this CPU (CPUID and, for the register state that the system saves, XCR0; the kernel's list of
 * features on ARM), lowered by the environment variable POMONA_CPU, a name of pom_isa_name. A value that is unknown, or
 * that the CPU lacks, is POM_ERR_ARGUMENT. Thread-safe. */
enum pom_status pom_cpu_isa(enum pom_isa *out, struct pom_message *msg);

/* Whether this CPU can run isa. */
bool pom_cpu_has(enum pom_isa isa);

/* The level whose code isa runs where its own instructions have no use (images, float32): REF, AVX2, AVX512 or NEON. */
enum pom_isa pom_isa_base(enum pom_isa isa);

/* ref, avx2, avx2vnni, avx512, avx512vnni, avx512bf16, neon or neondot. */
const char *pom_isa_name(enum pom_isa isa);

#endif
