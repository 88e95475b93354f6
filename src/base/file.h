/* Local files: whole reads, maps, atomic replacement, paths. */
#ifndef POM_BASE_FILE_H
#define POM_BASE_FILE_H

#include "base/buffer.h"
#include "base/status.h"
#include <stdbool.h>
#include <stdint.h>

/* A file mapped read-only. Zero-initialise. */
struct pom_map {
    const uint8_t *data; /* NULL when size is 0 */
    size_t size;
};

enum pom_status pom_file_map(const char *path, struct pom_map *out, struct pom_message *msg);
void pom_file_unmap(struct pom_map *map);

/* Says that n bytes of a map have been read: their pages need not stay in memory. They may be read again, slowly. The
 * page that the last of them shares with what follows stays. */
void pom_file_let_go(const void *data, size_t n);

/* Replaces the contents of out with the file's; more than max_bytes is POM_ERR_LIMIT. */
enum pom_status pom_file_read(const char *path, size_t max_bytes, struct pom_buffer *out, struct pom_message *msg);

/* Writes path whole or not at all: a temporary file beside it, flushed to disk, then renamed. */
enum pom_status pom_file_write(const char *path, const void *data, size_t n, struct pom_message *msg);

/* Renames a finished temporary file to its name after flushing it to disk, and the folder after that. */
enum pom_status pom_file_commit(const char *temporary, const char *path, struct pom_message *msg);

/* mkdir -p. */
enum pom_status pom_make_folders(const char *path, struct pom_message *msg);

bool pom_file_exists(const char *path);

/* "folder/name" without doubling a slash; NULL on no memory; free() releases. */
char *pom_path_join(const char *folder, const char *name);

#endif
