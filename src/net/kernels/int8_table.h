/* The fast int8 kernels as data: one table per instruction set. */
#ifndef POM_NET_KERNELS_INT8_TABLE_H
#define POM_NET_KERNELS_INT8_TABLE_H

#include "net/kernels/int8.h"

struct pom_int8_table {
    enum pom_isa isa;
    struct pom_int8_kernels plain;
};

/* NULL where this build has no fast int8 kernels for isa. */
const struct pom_int8_table *pom_int8_table(enum pom_isa isa);

#endif
