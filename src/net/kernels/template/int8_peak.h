/* Dot products in registers alone: twelve chains hide the latency of two units. Include after an int8 vector header. */
#ifndef POM_NET_KERNELS_TEMPLATE_INT8_PEAK_H
#define POM_NET_KERNELS_TEMPLATE_INT8_PEAK_H

#include "net/kernels/int8_table.h"

#define PEAK_CHAINS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define PEAK_BEGIN(i) sums sum##i = sums_load((const int32_t[LANES]){i});
#define PEAK_STEP(i)                                                                                                   \
    INPUTS_HOLD(x);                                                                                                    \
    sum##i = sums_dot(sum##i, x, w);
#define PEAK_HOLD(i) SUMS_HOLD(sum##i);
#define PEAK_KEEP(i) total = sums_add(total, sum##i);

enum { PEAK_OPS_PER_STEP = 12 * 2 * POM_QUAD * LANES };

static void dot_burst(long steps) {
    static volatile uint8_t zero[POM_QUAD] = {0};
    uint8_t quad[POM_QUAD] = {zero[0], zero[1], zero[2], zero[3]};
    inputs x = inputs_splat(quad);
    int8_t none[LANES * WEIGHT_BYTES] = {0};
    weights w = weights_load(none);
    INPUTS_HOLD(w); /* else compilers know that it is 0 */
    sums total = sums_load((const int32_t[LANES]){0});
    PEAK_CHAINS(PEAK_BEGIN)
    for (long i = 0; i < steps; i++) {
        PEAK_CHAINS(PEAK_STEP)
        __asm__ volatile("" ::: "memory"); /* keep every round */
    }
    PEAK_CHAINS(PEAK_HOLD)
    PEAK_CHAINS(PEAK_KEEP)
    int32_t keep[LANES];
    sums_store(keep, total);
    zero[0] = (uint8_t)(keep[0] * zero[1]);
}

#endif
