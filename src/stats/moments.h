/* What the room sees of the moments. */
#ifndef POM_STATS_MOMENTS_H
#define POM_STATS_MOMENTS_H

#include "stats/columns.h"
#include <pomona/stats.h>

struct pom_moments {
    struct pom_mean mean; /* of the rows folded into scatter */
    double *scatter;      /* d x d, row-major, the upper triangle */
    double *centred;      /* (block + 1) x d: scratch */
    float *pending;       /* block x d: rows that do not fill a block yet */
    size_t block, n_pending;
};

/* Mean and scatter of all rows, pending ones too. Zero-initialise; moments_clean_up releases. */
struct pom_moments_view {
    struct pom_mean mean;
    double *scatter;
};

enum pom_status pom_moments_snapshot(
    const struct pom_moments *moments, struct pom_moments_view *out, struct pom_message *msg);
void pom_moments_view_clean_up(struct pom_moments_view *view);

#endif
