/* Steps that move numbers without changing them; offered to all operators. */
#ifndef POM_NET_MOVE_H
#define POM_NET_MOVE_H

#include "net/plan.h"

/* out axis i is in axis perm[i]; dims are the input's. */
void pom_permute(const float *in, int rank, const int64_t *dims, const int *perm, float *out);
void pom_plan_permute(struct pom_planner *planner, int in, int out, int rank, const int64_t *dims, const int *perm);

/* Rows of n elements from one raster into another of the same width; strides and offsets in elements. */
struct pom_rows {
    size_t rows, n, in_stride, out_stride, in_offset, out_offset;
};
void pom_plan_copy_rows(struct pom_planner *planner, int in, int out, const struct pom_rows *rows);

/* Along the middle axis of [outer][in_length][inner], element i of the output is element pick[i] of the input, or fill
 * where pick[i] is negative. */
struct pom_picks {
    size_t outer, in_length, out_length, inner;
    const int32_t *pick; /* out_length, in the plan's arena */
    float fill;
};
void pom_plan_pick(struct pom_planner *planner, int in, int out, const struct pom_picks *picks);

#endif
