/* Allocation with checked sizes. */
#ifndef POM_BASE_MEMORY_H
#define POM_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#define POM_ALIGN 64 /* a cache line, and the widest vector */

/* *out = a * b; false on overflow. */
bool pom_size_mul(size_t a, size_t b, size_t *out);

/* n * size bytes, zeroed; NULL on overflow or no memory. free() releases. */
void *pom_calloc(size_t n, size_t size);

/* n * size bytes aligned to POM_ALIGN, not zeroed; NULL on overflow or no memory. free() releases. n * size may be 0.
 */
void *pom_alloc_aligned(size_t n, size_t size);

/* A growing array: makes room for `need` elements; false on overflow or no memory, and then *data is as before. */
bool pom_grow(void **data, size_t *capacity, size_t need, size_t size);

/* A copy of n bytes plus a NUL; NULL on no memory. */
char *pom_strndup(const char *text, size_t n);

/* An arena: many small allocations that live and die together. Zero-initialise; not thread-safe. */
struct pom_arena {
    struct pom_arena_block *head;
};

/* Zeroed, aligned to 16; NULL on overflow or no memory. Freed by pom_arena_clean_up only. */
void *pom_arena_alloc(struct pom_arena *arena, size_t n, size_t size);
char *pom_arena_strdup(struct pom_arena *arena, const char *text);
void pom_arena_clean_up(struct pom_arena *arena);

#endif
