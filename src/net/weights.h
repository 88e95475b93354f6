/* Weights on their way from the file to the kernels. */
#ifndef POM_NET_WEIGHTS_H
#define POM_NET_WEIGHTS_H

#include "net/plan.h"

/* Lines [first, first + count) of a float constant, which is seen as lines of `line` numbers; line i of all times
 * scale[i] (NULL: 1), computed in double and rounded once. In the planner's memory, until the next call: fresh memory
 * for each layer would cost more than the work. NULL, and the planner failed, on no memory. */
float *pom_plan_weights(struct pom_planner *planner, const struct pom_value *value, size_t first, size_t count,
    size_t line, const double *scale);

#endif
