#include "job/moments_taker.h"

#include "base/memory.h"
#include "job/row_blocks.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct pom_moments_taker {
    struct pom_row_blocks blocks;
    struct pom_row_block *filling; /* the caller's; NULL: none yet */
    struct pom_work_clock *clock;
    pthread_t thread;
    bool runs;
    struct pom_moments *moments; /* the thread's while it runs, as what follows */
    enum pom_status status;
    struct pom_message msg;
};

static void *take_blocks(void *user) {
    struct pom_moments_taker *taker = user;
    struct pom_row_block *block;
    while ((block = pom_row_blocks_take(taker->blocks.full)) != NULL) {
        struct pom_lap lap = pom_lap_begin();
        if (taker->status == POM_OK)
            taker->status = pom_moments_add(taker->moments, block->rows, block->n, &taker->msg);
        block->n = 0;
        pom_queue_push(taker->blocks.empty, block);
        pom_lap_end(&lap, taker->clock);
    }
    return NULL;
}

static enum pom_status start(struct pom_moments_taker *taker, size_t d, struct pom_message *msg) {
    POM_TRY(pom_row_blocks_init(&taker->blocks, d, msg));
    POM_TRY(pom_moments_new(d, &taker->moments, msg));
    if (pthread_create(&taker->thread, NULL, take_blocks, taker) != 0)
        return pom_fail(msg, POM_ERR_LIMIT, "cannot start a thread for the statistics");
    taker->runs = true;
    return POM_OK;
}

enum pom_status pom_moments_taker_start(
    size_t d, struct pom_work_clock *clock, struct pom_moments_taker **out, struct pom_message *msg) {
    struct pom_moments_taker *taker = pom_calloc(1, sizeof *taker);
    if (!taker)
        return pom_fail_memory(msg, "the statistics");
    taker->clock = clock;
    enum pom_status status = start(taker, d, msg);
    if (status == POM_OK)
        *out = taker;
    else
        pom_moments_taker_free(taker);
    return status;
}

static void hand_on(struct pom_moments_taker *taker) {
    if (taker->filling)
        pom_queue_push(taker->blocks.full, taker->filling);
    taker->filling = NULL;
}

void pom_moments_taker_add(struct pom_moments_taker *taker, const float *row) {
    const struct pom_row_blocks *blocks = &taker->blocks;
    if (!taker->filling)
        taker->filling = pom_row_blocks_take(blocks->empty);
    struct pom_row_block *block = taker->filling;
    memcpy(block->rows + block->n++ * blocks->d, row, blocks->d * sizeof *row);
    if (block->n == blocks->capacity)
        hand_on(taker);
}

static void stop(struct pom_moments_taker *taker) {
    if (!taker->runs)
        return;
    pom_queue_close(taker->blocks.full);
    pthread_join(taker->thread, NULL);
    taker->runs = false;
}

enum pom_status pom_moments_taker_finish(
    struct pom_moments_taker *taker, const struct pom_moments **out, struct pom_message *msg) {
    hand_on(taker);
    stop(taker);
    *out = taker->moments;
    if (taker->status != POM_OK && msg)
        *msg = taker->msg;
    return taker->status;
}

void pom_moments_taker_free(struct pom_moments_taker *taker) {
    if (!taker)
        return;
    stop(taker);
    pom_row_blocks_clean_up(&taker->blocks);
    pom_moments_free(taker->moments);
    free(taker);
}
