/* The golden pictures and their lists (make_golden.py). */
#ifndef POM_TESTS_IMAGE_GOLDEN_H
#define POM_TESTS_IMAGE_GOLDEN_H

#include "base/buffer.h"
#include <pomona/image.h>
#include <stdbool.h>
#include <stdio.h>

/* The folder golden/, from the program's first argument; set by main. */
extern const char *golden_folder;

/* golden/NAME; the test fails if it cannot be read. fclose() releases. */
FILE *golden_list(const char *name);

/* The bytes of golden/files/NAME; the test fails if it cannot be read. */
void golden_read(const char *name, struct pom_buffer *out);

/* Decodes golden/files/NAME; the test fails if that fails. */
void golden_decode(const char *name, struct pom_image *out);

/* Whether the first 16 digits of the SHA-256 of the bytes are `hash`. */
bool golden_hash_is(const void *data, size_t n_bytes, const char *hash);

/* The bytes of an image's pixels. */
size_t image_bytes(const struct pom_image *image);

#endif
