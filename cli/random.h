/* Numbers that look random and are always the same ones: Marsaglia's xorshift, 2003. */
#ifndef POM_CLI_RANDOM_H
#define POM_CLI_RANDOM_H

#include <stdint.h>

enum { POM_RANDOM_SEED = 1463534242 };

/* state: not 0. */
static inline uint32_t pom_random(uint32_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

#endif
