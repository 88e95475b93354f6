/* Blocks of rows that go round between a thread that fills them and one that takes them. Private to the room. */
#ifndef POM_JOB_ROW_BLOCKS_H
#define POM_JOB_ROW_BLOCKS_H

#include "job/feature_table.h"
#include "job/queue.h"

enum { POM_ROW_BLOCKS = 3 };

struct pom_row_block {
    float *rows;
    size_t n; /* rows in it */
    struct pom_row_names names;
};

/* Each block is with one of the threads, or in one of the queues. */
struct pom_row_blocks {
    struct pom_row_block list[POM_ROW_BLOCKS];
    struct pom_queue *empty, *full;
    size_t d, capacity; /* of a row; rows of a block */
};

/* Rows of d features, in blocks of 4 MiB at most, or of one row. Released by clean_up, also after a failure. */
enum pom_status pom_row_blocks_init(struct pom_row_blocks *blocks, size_t d, struct pom_message *msg);
void pom_row_blocks_clean_up(struct pom_row_blocks *blocks);

/* Waits for a block in the queue; NULL: it is closed and empty. */
struct pom_row_block *pom_row_blocks_take(struct pom_queue *queue);

#endif
