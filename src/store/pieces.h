/* Copying an object to a local file in pieces, a few of which are under way at once. Private to the room. */
#ifndef POM_STORE_PIECES_H
#define POM_STORE_PIECES_H

#include "base/buffer.h"
#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

/* Reads the n bytes from `at` on into out, whole. Called by several threads at once. */
typedef enum pom_status (*pom_piece_reader)(
    void *user, uint64_t at, size_t n, struct pom_buffer *out, struct pom_message *msg);

/* Writes the object of so many bytes to the file, which is replaced; a failure leaves it cut short. */
enum pom_status pom_pieces_copy(
    uint64_t size, pom_piece_reader read, void *user, const char *file, struct pom_message *msg);

#endif
