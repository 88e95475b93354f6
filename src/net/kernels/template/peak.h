/* Multiply-adds in registers alone: twelve chains hide the latency of two units. Include after a
 * vector header. */
#ifndef POM_NET_KERNELS_TEMPLATE_PEAK_H
#define POM_NET_KERNELS_TEMPLATE_PEAK_H

#include "net/kernels/template/lanes.h"

#define PEAK_CHAINS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define PEAK_BEGIN(i) vec sum##i = vec_splat((float)(i));
#define PEAK_STEP(i) sum##i = data_fma(x, y, sum##i);
#define PEAK_KEEP(i) total = vec_add(total, sum##i);

enum { PEAK_FLOPS_PER_STEP = 12 * 2 * DATA_PACK * LANES };

static void fma_burst(long steps) {
    static volatile float zero = 0.0f;
    const vec x = vec_splat(zero), y = vec_splat(zero);
    vec total = x;
    PEAK_CHAINS(PEAK_BEGIN)
    for (long i = 0; i < steps; i++) {
        PEAK_CHAINS(PEAK_STEP)
        __asm__ volatile("" ::: "memory"); /* keep every round */
    }
    PEAK_CHAINS(PEAK_KEEP)
    float keep[LANES];
    vec_store(keep, total);
    zero = keep[0] * zero;
}

#endif
