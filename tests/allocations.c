#include "allocations.h"

#include <stddef.h>

int pom_allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);

void *__wrap_malloc(size_t size) {
    pom_allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size) {
    pom_allocations++;
    return __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size) {
    pom_allocations++;
    return __real_realloc(old, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size) {
    pom_allocations++;
    return __real_aligned_alloc(alignment, size);
}

char *__wrap_strdup(const char *text) {
    pom_allocations++;
    return __real_strdup(text);
}
