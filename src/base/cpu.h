/* What this CPU can run. */
#ifndef POM_BASE_CPU_H
#define POM_BASE_CPU_H

#include "base/status.h"

/* In rising order within an architecture; every build has REF. */
enum pom_isa {
    POM_ISA_REF = 0, /* portable C */
    POM_ISA_AVX2,    /* AVX2 + FMA */
    POM_ISA_AVX512,  /* AVX-512 F, BW, DQ, VL */
    POM_ISA_NEON     /* AArch64 Advanced SIMD */
};

/* The best path of this CPU (CPUID and, for the register state that the system saves, XCR0), lowered by the environment
 * variable POMONA_CPU=ref|avx2|avx512|neon. A value that is unknown, or more than the CPU has, is POM_ERR_ARGUMENT.
 * Thread-safe. */
enum pom_status pom_cpu_isa(enum pom_isa *out, struct pom_message *msg);

const char *pom_isa_name(enum pom_isa isa);

#endif
