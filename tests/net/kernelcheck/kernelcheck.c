/* Every kernel that this CPU can run against the portable reference, bit for bit; and with --bench how fast it is.
 *
 * usage: kernelcheck [--cases N] | --bench [ISA [NETWORK [IMAGES]]]
 * Exit status: 0 all cases passed, 1 some failed or bad usage. */
#include "kernelcheck.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WATCHED = 0xa5, DEFAULT_CASES = 400 };

static struct {
    long group_passed, group_failed, passed, failed;
} counts;

static uint64_t random_state = 1;

void random_seed(uint64_t seed) {
    random_state = seed;
}

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t random_bits(void) {
    uint64_t z = random_state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

int random_int(int low, int high) {
    return low + (int)(random_bits() % (uint64_t)(high - low + 1));
}

void random_bytes(void *to, size_t n) {
    for (size_t i = 0; i < n; i++)
        ((unsigned char *)to)[i] = (unsigned char)random_bits();
}

static float random_unit(void) {
    return (float)((double)(random_bits() >> 11) * 0x1p-52 - 1.0);
}

static float random_wild(void) {
    static const float odd[] = {
        0.0f, -0.0f, 1e-45f, -1e-40f, 1.17549435e-38f, 1e-20f, -1e20f, 3e18f, 1.0f, -1.0f, 6.0f};
    return random_int(0, 3) ? random_unit() : odd[random_int(0, sizeof odd / sizeof *odd - 1)];
}

void fill(float *to, size_t n, enum values values) {
    static const float special[] = {INFINITY, -INFINITY, NAN};
    for (size_t i = 0; i < n; i++) {
        to[i] = values == VALUES_PLAIN ? random_unit() : random_wild();
        if (values == VALUES_SPECIAL && random_int(0, 40) == 0)
            to[i] = special[random_int(0, 2)];
    }
}

struct guarded guarded_bytes(size_t n) {
    static bool at_start;
    size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = (n + page - 1) / page * page;
    if (bytes == 0)
        bytes = page;
    unsigned char *map = mmap(NULL, bytes + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED || mprotect(map, page, PROT_NONE) || mprotect(map + page + bytes, page, PROT_NONE)) {
        perror("kernelcheck: guarded memory");
        exit(1);
    }
    memset(map + page, WATCHED, bytes);
    at_start = !at_start;
    void *data = at_start ? map + page : map + page + bytes - n;
    return (struct guarded){.data = data, .n = n, .bytes = bytes, .used = n, .map = map};
}

struct guarded guarded_new(size_t n) {
    struct guarded guarded = guarded_bytes(n * sizeof(float));
    guarded.n = n;
    return guarded;
}

bool guarded_intact(const struct guarded *guarded) {
    const unsigned char *first = guarded->map + sysconf(_SC_PAGESIZE), *end = first + guarded->bytes;
    const unsigned char *data = (const unsigned char *)guarded->data, *data_end = data + guarded->used;
    for (const unsigned char *p = first; p < end; p++)
        if ((p < data || p >= data_end) && *p != WATCHED)
            return false;
    return true;
}

void guarded_free(struct guarded *first, ...) {
    va_list rest;
    va_start(rest, first);
    for (struct guarded *guarded = first; guarded; guarded = va_arg(rest, struct guarded *))
        munmap(guarded->map, guarded->bytes + 2 * (size_t)sysconf(_SC_PAGESIZE));
    va_end(rest);
}

static uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

bool same(const char *what, const float *got, const float *want, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (bits_of(got[i]) != bits_of(want[i]) && !(isnan(got[i]) && isnan(want[i]))) {
            printf("    %s: element %zu of %zu is %a, the reference says %a\n", what, i, n, (double)got[i],
                (double)want[i]);
            return false;
        }
    return true;
}

void report(bool passed, const char *format, ...) {
    if (passed) {
        counts.group_passed++;
        return;
    }
    counts.group_failed++;
    va_list args;
    va_start(args, format);
    fputs("  FAIL ", stdout);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
}

void report_group(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fputs(counts.group_failed ? "FAIL " : "ok   ", stdout);
    vprintf(format, args);
    printf(": %ld of %ld\n", counts.group_passed, counts.group_passed + counts.group_failed);
    va_end(args);
    counts.passed += counts.group_passed;
    counts.failed += counts.group_failed;
    counts.group_passed = counts.group_failed = 0;
}

/* Up to the best that is asked for. */
static bool usable(enum pom_isa isa, enum pom_isa best) {
    return pom_kernel_table(isa) && isa <= best && pom_cpu_has(isa);
}

/* Paths above it have its float32 kernels. */
static bool has_own_floats(enum pom_isa isa) {
    return isa == pom_isa_base(isa);
}

static void check_floats(enum pom_isa isa, int cases) {
    check_gemm_tiles(pom_kernel_table(isa));
    check_depthwise_tiles(pom_kernel_table(isa));
    check_convolutions(isa, cases);
    check_winograd(isa, cases / 8);
    check_blocks(isa, cases / 20);
    check_dense(isa, cases / 4);
    check_plain(isa, cases / 2);
}

static void check_all(enum pom_isa best, int cases) {
    check_refusals();
    check_winograd_error();
    check_int8_meaning();
    check_bf16_numbers();
    for (enum pom_isa isa = POM_ISA_AVX2; isa < POM_ISA_COUNT; isa++) {
        if (!usable(isa, best)) {
            printf("skip %s: not on this CPU or in this build\n", pom_isa_name(isa));
            continue;
        }
        if (has_own_floats(isa))
            check_floats(isa, cases);
        check_int8(isa, cases);
        if (pom_bf16_is_fast(isa)) {
            check_bf16(isa, cases);
            check_bf16_blocks(isa, cases / 20);
        }
    }
    printf("kernelcheck: %ld passed, %ld failed\n", counts.passed, counts.failed);
}

static void bench_all(enum pom_isa best, const char *isa_name, const char *network, int images) {
    for (enum pom_isa isa = POM_ISA_AVX2; isa < POM_ISA_COUNT; isa++)
        if (usable(isa, best) && (!isa_name || strcmp(isa_name, pom_isa_name(isa)) == 0))
            bench(isa, network, images);
}

int main(int argc, char **argv) {
    struct pom_message msg;
    enum pom_isa best;
    if (pom_cpu_isa(&best, &msg) != POM_OK) {
        fprintf(stderr, "kernelcheck: %s\n", msg.text);
        return 1;
    }
    if (argc > 1 && strcmp(argv[1], "--bench") == 0) {
        long images = argc > 4 ? strtol(argv[4], NULL, 10) : 1;
        bench_all(
            best, argc > 2 ? argv[2] : NULL, argc > 3 ? argv[3] : NULL, images > 1 && images < 65 ? (int)images : 1);
        return 0;
    }
    if (argc != 1 && (argc != 3 || strcmp(argv[1], "--cases") != 0)) {
        fputs("usage: kernelcheck [--cases N] | --bench [ISA [NETWORK [IMAGES]]]\n", stderr);
        return 1;
    }
    check_all(best, argc == 3 ? (int)strtol(argv[2], NULL, 10) : DEFAULT_CASES);
    return counts.failed ? 1 : 0;
}
