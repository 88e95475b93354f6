/* One projection used by several threads at once gives each the rows that it gives one. */
#include "stats/rows.h"
#include <pomona/stats.h>

#include "cmocka_include.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { N = 400, D = 128, K = 16, THREADS = 4, ROUNDS = 5 };

struct work {
    const struct pom_projection *projection;
    const float *rows;
    float projected[N * K], scaled[N * D];
    enum pom_status status;
};

static void *project(void *user) {
    struct work *work = user;
    for (int i = 0; i < ROUNDS && work->status == POM_OK; i++) {
        work->status = pom_projection_apply(work->projection, work->rows, N, work->projected, NULL);
        pom_projection_scale(work->projection, work->rows, N, work->scaled);
    }
    return NULL;
}

static void threads_share_a_projection(void **state) {
    (void)state;
    static struct work alone, work[THREADS];
    pthread_t threads[THREADS];
    float *rows = rows_make(N, D, 20, 0.5, 0.2, 31);
    struct pom_moments *moments;
    struct pom_projection *projection;
    pom_stats_set_threads(1);
    assert_int_equal(pom_moments_new(D, &moments, NULL), POM_OK);
    assert_int_equal(pom_moments_add(moments, rows, N, NULL), POM_OK);
    assert_int_equal(pom_projection_fit(moments, &(struct pom_pca_options){.k = K}, &projection, NULL), POM_OK);
    alone.projection = projection;
    alone.rows = rows;
    project(&alone);
    assert_int_equal(alone.status, POM_OK);
    for (int i = 0; i < THREADS; i++) {
        work[i].projection = projection;
        work[i].rows = rows;
        assert_int_equal(pthread_create(&threads[i], NULL, project, &work[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(work[i].status, POM_OK);
        assert_memory_equal(work[i].projected, alone.projected, sizeof alone.projected);
        assert_memory_equal(work[i].scaled, alone.scaled, sizeof alone.scaled);
    }
    pom_projection_free(projection);
    pom_moments_free(moments);
    free(rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(threads_share_a_projection)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
