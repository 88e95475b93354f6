/* Precision bf16: convolutions that gain by it read and give bf16; max pools, global averages and concatenations of
 * channels take it as it comes. Everything else stays float, and the planner converts where the two meet. */
#ifndef POM_NET_BF16_H
#define POM_NET_BF16_H

#include "net/plan.h"

/* Steps between the forms of a value: channels last. */
void pom_plan_bf16_narrow(struct pom_planner *planner, const struct pom_value *value, int in, int out);
void pom_plan_bf16_widen(struct pom_planner *planner, const struct pom_value *value, int in, int out);

#endif
