/* Small helpers over a vector header: the last, partial vector of a row; the activation. Include after it. */
#ifndef POM_NET_KERNELS_TEMPLATE_LANES_H
#define POM_NET_KERNELS_TEMPLATE_LANES_H

#include "net/kernels/table.h"

/* The same pointer, of unknown origin: else compilers make a pointer of their own for each use, and spill them. */
static inline const float *opaque(const float *p) {
    __asm__("" : "+r"(p));
    return p;
}

/* How channels lie in tensors, DATA_PACK of them in the 32 bits of an element. What is not floats has a vector header
 * that says so (vector/bf16_avx512.h). */
#ifndef DATA_NAME
#define DATA_NAME "f32"
enum { DATA_PACK = 1 };

static inline vec data_load(const float *from) {
    return vec_load(from);
}

static inline vec data_load_once(const float *from) {
    return vec_load_once(from);
}

static inline vec data_load_n(const float *from, int n) {
    return vec_load_n(from, n);
}

static inline void data_store(float *to, vec x) {
    vec_store(to, x);
}

static inline void data_store_n(float *to, vec x, int n) {
    vec_store_n(to, x, n);
}

/* An element in all lanes, and its products with weights that are packed alike. */
static inline vec data_splat(const float *from) {
    return vec_splat(*from);
}

static inline vec data_fma(vec x, vec weights, vec sum) {
    return vec_fma(x, weights, sum);
}
#endif

enum { DATA_VECTOR = LANES / DATA_PACK }; /* elements */

static inline vec load_lanes(const float *from, int lanes) {
    return lanes == LANES ? data_load(from) : data_load_n(from, lanes);
}

static inline void store_lanes(float *to, vec x, int lanes) {
    if (lanes == LANES)
        data_store(to, x);
    else
        data_store_n(to, x, lanes);
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
