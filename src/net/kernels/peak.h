/* The ceiling: what this CPU's units can multiply and add. */
#ifndef POM_NET_KERNELS_PEAK_H
#define POM_NET_KERNELS_PEAK_H

#include "base/cpu.h"

/* GFLOP/s (a multiply-add is two) of one core with isa's registers, the median of several bursts within some 50 ms of
 * the calling thread's time; for REF, which has no vectors of its own, that of scalar fmaf. */
double pom_fma_peak(enum pom_isa isa);

/* The same for isa's dot products of bytes, in GOP/s; 0 where it has none of its own. */
double pom_dot_peak(enum pom_isa isa);

/* The same for isa's dot products of bf16, in GFLOP/s; 0 where it has none. */
double pom_bf16_peak(enum pom_isa isa);

#endif
