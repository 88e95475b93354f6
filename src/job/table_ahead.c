#include "job/table_ahead.h"

static void *read_blocks(void *user) {
    struct pom_table_ahead *self = user;
    struct pom_row_blocks *blocks = &self->blocks;
    struct pom_row_block *block;
    while ((block = pom_row_blocks_take(blocks->empty)) != NULL) {
        self->status =
            pom_feature_table_next(self->table, block->rows, blocks->capacity, &block->names, &block->n, &self->msg);
        if (self->status != POM_OK || block->n == 0)
            break;
        pom_queue_push(blocks->full, block);
    }
    pom_queue_close(blocks->full);
    return NULL;
}

enum pom_status pom_table_ahead_open(
    struct pom_table_ahead *self, struct pom_feature_table *table, struct pom_message *msg) {
    self->table = table;
    POM_TRY(pom_row_blocks_init(&self->blocks, table->d, msg));
    self->runs = pthread_create(&self->thread, NULL, read_blocks, self) == 0;
    return self->runs ? POM_OK : pom_fail(msg, POM_ERR_LIMIT, "cannot start a thread that reads the table");
}

static void stop(struct pom_table_ahead *self) {
    if (!self->runs)
        return;
    pom_queue_close(self->blocks.empty);
    pthread_join(self->thread, NULL);
    self->runs = false;
}

enum pom_status pom_table_ahead_next(
    struct pom_table_ahead *self, struct pom_row_block **block, struct pom_message *msg) {
    if (*block)
        pom_queue_push(self->blocks.empty, *block);
    *block = pom_row_blocks_take(self->blocks.full);
    if (*block)
        return POM_OK;
    stop(self);
    if (self->status != POM_OK && msg)
        *msg = self->msg;
    return self->status;
}

void pom_table_ahead_close(struct pom_table_ahead *self) {
    stop(self);
    pom_row_blocks_clean_up(&self->blocks);
}
