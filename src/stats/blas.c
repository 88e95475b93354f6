#include "stats/blas.h"

#include <pomona/stats.h>

void pom_stats_set_threads(int threads) {
    openblas_set_num_threads(threads < 1 ? 1 : threads);
}
