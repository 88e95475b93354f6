#include "base/cpu.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
    [POM_ISA_REF] = "ref", [POM_ISA_AVX2] = "avx2", [POM_ISA_AVX512] = "avx512", [POM_ISA_NEON] = "neon"};

#if defined(__x86_64__)

#include <cpuid.h>
#include <stdbool.h>
#include <stdint.h>

/* Which register state the operating system saves (Intel SDM volume 1, 13.3). */
static uint64_t saved_state(void) {
    uint32_t low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static bool has(uint32_t reg, uint32_t bits) {
    return (reg & bits) == bits;
}

static enum pom_isa best_isa(void) {
    enum { YMM_STATE = 0x6, ZMM_STATE = 0xe6 };
    uint32_t a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !has(c, bit_OSXSAVE | bit_AVX | bit_FMA | bit_F16C))
        return POM_ISA_REF;
    uint64_t state = saved_state();
    if ((state & YMM_STATE) != YMM_STATE || !__get_cpuid_count(7, 0, &a, &b, &c, &d) || !has(b, bit_AVX2))
        return POM_ISA_REF;
    if ((state & ZMM_STATE) != ZMM_STATE || !has(b, bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL))
        return POM_ISA_AVX2;
    return POM_ISA_AVX512;
}

#elif defined(__aarch64__)

static enum pom_isa best_isa(void) {
    return POM_ISA_NEON;
}

#else

static enum pom_isa best_isa(void) {
    return POM_ISA_REF;
}

#endif

const char *pom_isa_name(enum pom_isa isa) {
    return names[isa];
}

static enum pom_status forced_isa(const char *wanted, enum pom_isa best, enum pom_isa *out, struct pom_message *msg) {
    for (enum pom_isa isa = POM_ISA_REF; isa <= POM_ISA_NEON; isa++) {
        if (strcmp(wanted, names[isa]) != 0)
            continue;
        if (isa != POM_ISA_REF && (isa > best || (isa == POM_ISA_NEON) != (best == POM_ISA_NEON)))
            return pom_fail(msg, POM_ERR_ARGUMENT, "POMONA_CPU=%s: this CPU has no more than %s", wanted, names[best]);
        *out = isa;
        return POM_OK;
    }
    return pom_fail(msg, POM_ERR_ARGUMENT, "POMONA_CPU=%s: not one of ref, avx2, avx512, neon", wanted);
}

enum pom_status pom_cpu_isa(enum pom_isa *out, struct pom_message *msg) {
    const char *wanted = getenv("POMONA_CPU");
    enum pom_isa best = best_isa();
    if (wanted && *wanted)
        return forced_isa(wanted, best, out, msg);
    *out = best;
    return POM_OK;
}
