#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK_BYTES = 64 * 1024 };

struct pom_arena_block {
    struct pom_arena_block *next;
    size_t used, size;
    _Alignas(16) unsigned char bytes[];
};

bool pom_size_mul(size_t a, size_t b, size_t *out) {
    return !__builtin_mul_overflow(a, b, out);
}

void *pom_calloc(size_t n, size_t size) {
    return calloc(n ? n : 1, size ? size : 1);
}

void *pom_alloc_aligned(size_t n, size_t size) {
    size_t bytes, padded;
    if (!pom_size_mul(n, size, &bytes) || __builtin_add_overflow(bytes, (size_t)POM_ALIGN, &padded))
        return NULL;
    return aligned_alloc(POM_ALIGN, padded / POM_ALIGN * POM_ALIGN);
}

bool pom_grow(void **data, size_t *capacity, size_t need, size_t size) {
    if (need <= *capacity)
        return true;
    size_t wanted = *capacity < 8 ? 8 : *capacity + *capacity / 2;
    if (wanted < need)
        wanted = need;
    size_t bytes;
    if (!pom_size_mul(wanted, size, &bytes))
        return false;
    void *grown = realloc(*data, bytes);
    if (!grown)
        return false;
    *data = grown;
    *capacity = wanted;
    return true;
}

char *pom_strndup(const char *text, size_t n) {
    char *copy = malloc(n + 1);
    if (copy) {
        memcpy(copy, text, n);
        copy[n] = '\0';
    }
    return copy;
}

static struct pom_arena_block *arena_block(struct pom_arena *arena, size_t bytes) {
    struct pom_arena_block *head = arena->head;
    if (head && head->size - head->used >= bytes)
        return head;
    size_t size = bytes > ARENA_BLOCK_BYTES ? bytes : ARENA_BLOCK_BYTES;
    if (size > SIZE_MAX - sizeof *head)
        return NULL;
    struct pom_arena_block *block = calloc(1, sizeof *block + size);
    if (!block)
        return NULL;
    block->size = size;
    block->next = head;
    arena->head = block;
    return block;
}

void *pom_arena_alloc(struct pom_arena *arena, size_t n, size_t size) {
    size_t bytes;
    if (!pom_size_mul(n, size, &bytes) || bytes > SIZE_MAX / 2)
        return NULL;
    bytes = (bytes + 15) & ~(size_t)15;
    struct pom_arena_block *block = arena_block(arena, bytes);
    if (!block)
        return NULL;
    void *out = block->bytes + block->used;
    block->used += bytes;
    return out;
}

char *pom_arena_strdup(struct pom_arena *arena, const char *text) {
    size_t n = strlen(text) + 1;
    char *copy = pom_arena_alloc(arena, n, 1);
    if (copy)
        memcpy(copy, text, n);
    return copy;
}

void pom_arena_clean_up(struct pom_arena *arena) {
    for (struct pom_arena_block *block = arena->head, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    arena->head = NULL;
}
