/* Small helpers over a vector header: the last, partial vector of a row; the activation. Include after it. */
#ifndef POM_NET_KERNELS_TEMPLATE_LANES_H
#define POM_NET_KERNELS_TEMPLATE_LANES_H

#include "net/kernels/table.h"

/* The same pointer, of unknown origin: else compilers make a pointer of their own for each use, and spill them. */
static inline const float *opaque(const float *p) {
    __asm__("" : "+r"(p));
    return p;
}

static inline vec load_lanes(const float *from, int lanes) {
    return lanes == LANES ? vec_load(from) : vec_load_n(from, lanes);
}

static inline void store_lanes(float *to, vec x, int lanes) {
    if (lanes == LANES)
        vec_store(to, x);
    else
        vec_store_n(to, x, lanes);
}

static inline vec activate(vec x, struct pom_act act) {
    if (act.kind == POM_ACT_KIND_CLAMP)
        return vec_at_most(vec_splat(act.high), vec_at_least(vec_splat(act.low), x));
    return act.kind == POM_ACT_KIND_LEAKY ? vec_leaky(vec_splat(act.low), x) : x;
}

/* The weights of one step, long before their turn: in a network every panel comes from afar once per image. */
static inline void prefetch_weights(const float *b, int columns) {
    enum { AHEAD = 2048, LINE = 16 };
    __builtin_prefetch(b + AHEAD);
    if (columns > LINE)
        __builtin_prefetch(b + AHEAD + LINE);
}

/* How many of the channels [c, channels) the vector at c has. */
static inline int lanes_at(int c, int channels) {
    return channels - c < LANES ? channels - c : LANES;
}

#endif
