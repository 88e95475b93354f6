/* Reads a table of features ahead of the one who uses its rows, in a thread of its own. Private to the room. */
#ifndef POM_JOB_TABLE_AHEAD_H
#define POM_JOB_TABLE_AHEAD_H

#include "job/row_blocks.h"
#include <pthread.h>

/* Zero-initialise. */
struct pom_table_ahead {
    struct pom_feature_table *table; /* the thread's while it runs, as what follows blocks */
    pthread_t thread;
    bool runs;
    struct pom_row_blocks blocks;
    enum pom_status status;
    struct pom_message msg;
};

/* Begins with the table's next row. The table is not to be touched until close, which also follows a failure. */
enum pom_status pom_table_ahead_open(
    struct pom_table_ahead *self, struct pom_feature_table *table, struct pom_message *msg);

/* The next block, in place of the one before; NULL past the last row. */
enum pom_status pom_table_ahead_next(
    struct pom_table_ahead *self, struct pom_row_block **block, struct pom_message *msg);
void pom_table_ahead_close(struct pom_table_ahead *self);

#endif
