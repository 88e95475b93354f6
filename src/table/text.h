/* What JSON Lines and CSV share: a list is a JSON array in both. */
#ifndef POM_TABLE_TEXT_H
#define POM_TABLE_TEXT_H

#include "table/writer.h"
#include <jansson.h>

enum { POM_TABLE_MAX_RECORD = 256 << 20 }; /* bytes of one row as text */

/* Appends a number or a list as JSON; POM_ERR_FORMAT for NaN and infinities. Not for text. */
enum pom_status pom_text_put(
    struct pom_buffer *out, const struct pom_column *column, const struct pom_cell *cell, struct pom_message *msg);

/* Writes out's bytes to the file and empties it. */
enum pom_status pom_text_flush(struct pom_buffer *out, FILE *file, struct pom_message *msg);

/* The ends of both writers, whose state is a pom_buffer with the row being made. */
enum pom_status pom_text_finish(
    struct pom_table_writer *writer, const struct pom_metadata *metadata, int n_metadata, struct pom_message *msg);
void pom_text_clean_up(void *state);

/* The elements of a list that was read. Zero-initialise; free(data) releases. */
struct pom_text_list {
    void *data;
    size_t capacity; /* elements, of the column's one type */
};

/* Takes a number or a list from its JSON value; not for text. json may be NULL: POM_ERR_FORMAT. */
enum pom_status pom_text_take(const json_t *json, const struct pom_column *column, struct pom_text_list *list,
    struct pom_cell *cell, struct pom_message *msg);

#endif
