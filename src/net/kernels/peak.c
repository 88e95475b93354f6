#include "net/kernels/peak.h"
#include "net/kernels/int8_table.h"
#include "net/kernels/table.h"

#include <stdlib.h>
#include <time.h>

enum { BURSTS = 15, STEPS = 500000, REF_STEPS = 100000, REF_CHAINS = 8, REF_FLOPS_PER_STEP = 2 * REF_CHAINS };

static double thread_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void ref_burst(long steps) {
    static volatile float zero = 0.0f;
    float x = zero, sums[REF_CHAINS] = {0};
    for (long i = 0; i < steps; i++)
        for (int j = 0; j < REF_CHAINS; j++)
            sums[j] = fmaf(x, x, sums[j]);
    for (int j = 0; j < REF_CHAINS; j++)
        zero = zero + sums[j];
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Billions of operations a second, `each` a step. */
static double rate(void (*burst)(long steps), long steps, int each) {
    double seconds[BURSTS];
    for (int i = 0; i < BURSTS; i++) {
        double start = thread_seconds();
        burst(steps);
        seconds[i] = thread_seconds() - start;
    }
    qsort(seconds, BURSTS, sizeof *seconds, by_value);
    return (double)steps * each / seconds[BURSTS / 2] * 1e-9;
}

double pom_fma_peak(enum pom_isa isa) {
    const struct pom_kernel_table *table = pom_kernel_table(isa);
    return table ? rate(table->fma_burst, STEPS, table->flops_per_step)
                 : rate(ref_burst, REF_STEPS, REF_FLOPS_PER_STEP);
}

double pom_dot_peak(enum pom_isa isa) {
    const struct pom_int8_table *table = pom_int8_table(isa);
    return table ? rate(table->dot_burst, STEPS, table->ops_per_step) : 0.0;
}

double pom_bf16_peak(enum pom_isa isa) {
    const struct pom_kernel_table *table = pom_bf16_table(isa);
    return table ? rate(table->fma_burst, STEPS, table->flops_per_step) : 0.0;
}
