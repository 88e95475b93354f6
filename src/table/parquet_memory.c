#include "table/parquet.h"

#include <pthread.h>
#include <stdlib.h>

static _Thread_local bool failed;

static void *noted(void *allocated, size_t size) {
    failed = failed || (!allocated && size > 0);
    return allocated;
}

static void *allocate(size_t size, void *context) {
    (void)context;
    return noted(malloc(size), size);
}

static void *reallocate(void *old, size_t size, void *context) {
    (void)context;
    return noted(realloc(old, size), size);
}

static void release(void *allocated, void *context) {
    (void)context;
    free(allocated);
}

static void install(void) {
    static const carquet_allocator_t allocator = {allocate, reallocate, release, NULL};
    carquet_set_allocator(&allocator);
}

void pom_parquet_watch_memory(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
    failed = false;
}

bool pom_parquet_memory_failed(void) {
    return failed;
}
