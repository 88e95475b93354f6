#include "job/row_blocks.h"

#include "base/memory.h"
#include <stdlib.h>

enum { BLOCK_BYTES = 4 << 20, BLOCK_MAX_ROWS = 256 };

enum pom_status pom_row_blocks_init(struct pom_row_blocks *blocks, size_t d, struct pom_message *msg) {
    size_t rows = BLOCK_BYTES / sizeof(float) / d;
    rows = rows < 1 ? 1 : rows > BLOCK_MAX_ROWS ? BLOCK_MAX_ROWS : rows;
    *blocks = (struct pom_row_blocks){.d = d, .capacity = rows};
    blocks->empty = pom_queue_new(POM_ROW_BLOCKS);
    blocks->full = pom_queue_new(POM_ROW_BLOCKS);
    bool made = blocks->empty && blocks->full;
    for (int i = 0; i < POM_ROW_BLOCKS && made; i++) {
        struct pom_row_block *block = &blocks->list[i];
        block->rows = pom_alloc_aligned(rows * d, sizeof *block->rows);
        made = block->rows && pom_queue_push(blocks->empty, block);
    }
    return made ? POM_OK : pom_fail_memory(msg, "blocks of rows");
}

void pom_row_blocks_clean_up(struct pom_row_blocks *blocks) {
    for (int i = 0; i < POM_ROW_BLOCKS; i++) {
        free(blocks->list[i].rows);
        pom_row_names_clean_up(&blocks->list[i].names);
    }
    pom_queue_free(blocks->empty);
    pom_queue_free(blocks->full);
    *blocks = (struct pom_row_blocks){0};
}

struct pom_row_block *pom_row_blocks_take(struct pom_queue *queue) {
    void *block;
    return pom_queue_pop(queue, &block, 1, 1) ? block : NULL;
}
