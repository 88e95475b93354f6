#include "base/cpu.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum pom_isa base;
} levels[POM_ISA_COUNT] = {[POM_ISA_REF] = {"ref", POM_ISA_REF},
    [POM_ISA_AVX2] = {"avx2", POM_ISA_AVX2},
    [POM_ISA_AVX2VNNI] = {"avx2vnni", POM_ISA_AVX2},
    [POM_ISA_AVX512] = {"avx512", POM_ISA_AVX512},
    [POM_ISA_AVX512VNNI] = {"avx512vnni", POM_ISA_AVX512},
    [POM_ISA_AVX512BF16] = {"avx512bf16", POM_ISA_AVX512},
    [POM_ISA_NEON] = {"neon", POM_ISA_NEON},
    [POM_ISA_NEONDOT] = {"neondot", POM_ISA_NEON}};

#if defined(__x86_64__)

#include <cpuid.h>

/* Which register state the operating system saves (Intel SDM volume 1, 13.3). */
static uint64_t saved_state(void) {
    uint32_t low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static bool has(uint32_t reg, uint32_t bits) {
    return (reg & bits) == bits;
}

static unsigned bit(enum pom_isa isa) {
    return 1u << isa;
}

/* The levels as bits. */
static unsigned find_levels(void) {
    enum { YMM_STATE = 0x6, ZMM_STATE = 0xe6, AVXVNNI = 1u << 4, AVX512BF16 = 1u << 5 };
    uint32_t a, b, c, d, a1 = 0, unused;
    unsigned found = bit(POM_ISA_REF);
    if (!__get_cpuid(1, &a, &b, &c, &d) || !has(c, bit_OSXSAVE | bit_AVX | bit_FMA | bit_F16C))
        return found;
    uint64_t state = saved_state();
    if ((state & YMM_STATE) != YMM_STATE || !__get_cpuid_count(7, 0, &a, &b, &c, &d) || !has(b, bit_AVX2))
        return found;
    found |= bit(POM_ISA_AVX2);
    if (a >= 1)
        __get_cpuid_count(7, 1, &a1, &unused, &unused, &unused);
    if (has(a1, AVXVNNI))
        found |= bit(POM_ISA_AVX2VNNI);
    if ((state & ZMM_STATE) != ZMM_STATE || !has(b, bit_AVX512F | bit_AVX512BW | bit_AVX512DQ | bit_AVX512VL))
        return found;
    found |= bit(POM_ISA_AVX512);
    if (has(c, bit_AVX512VNNI)) {
        found |= bit(POM_ISA_AVX512VNNI);
        if (has(a1, AVX512BF16))
            found |= bit(POM_ISA_AVX512BF16);
    }
    return found;
}

#elif defined(__aarch64__)

#include <sys/auxv.h>

static unsigned find_levels(void) {
    enum { DOT_PRODUCTS = 1ul << 20 }; /* HWCAP_ASIMDDP */
    unsigned dot = getauxval(AT_HWCAP) & DOT_PRODUCTS ? 1u << POM_ISA_NEONDOT : 0;
    return 1u << POM_ISA_REF | 1u << POM_ISA_NEON | dot;
}

#else

static unsigned find_levels(void) {
    return 1u << POM_ISA_REF;
}

#endif

const char *pom_isa_name(enum pom_isa isa) {
    return levels[isa].name;
}

enum pom_isa pom_isa_base(enum pom_isa isa) {
    return levels[isa].base;
}

bool pom_cpu_has(enum pom_isa isa) {
    return find_levels() >> isa & 1;
}

static enum pom_isa best_isa(void) {
    enum pom_isa best = POM_ISA_REF;
    for (enum pom_isa isa = POM_ISA_REF; isa < POM_ISA_COUNT; isa++)
        if (pom_cpu_has(isa))
            best = isa;
    return best;
}

static enum pom_status forced_isa(const char *wanted, enum pom_isa *out, struct pom_message *msg) {
    for (enum pom_isa isa = POM_ISA_REF; isa < POM_ISA_COUNT; isa++) {
        if (strcmp(wanted, levels[isa].name) != 0)
            continue;
        if (!pom_cpu_has(isa))
            return pom_fail(msg, POM_ERR_ARGUMENT, "POMONA_CPU=%s: this CPU does not have it; its best is %s", wanted,
                levels[best_isa()].name);
        *out = isa;
        return POM_OK;
    }
    return pom_fail(msg, POM_ERR_ARGUMENT,
        "POMONA_CPU=%s: not one of ref, avx2, avx2vnni, avx512, avx512vnni, avx512bf16, neon, neondot", wanted);
}

enum pom_status pom_cpu_isa(enum pom_isa *out, struct pom_message *msg) {
    const char *wanted = getenv("POMONA_CPU");
    if (wanted && *wanted)
        return forced_isa(wanted, out, msg);
    *out = best_isa();
    return POM_OK;
}
