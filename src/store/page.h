/* A page of a bucket's listing, as its server sends it. */
#ifndef POM_STORE_PAGE_H
#define POM_STORE_PAGE_H

#include "base/memory.h"
#include <stdint.h>

struct pom_object {
    const char *key;     /* decoded; NULL for a key that no path can hold, as it has a NUL within */
    const char *version; /* what changes with the content */
    uint64_t size;
};

/* Zero-initialise; released by pom_page_clean_up. */
struct pom_page {
    struct pom_object *objects; /* in the server's order */
    size_t n_objects, objects_capacity;
    const char **prefixes; /* the common ones, as the delimiter makes them */
    size_t n_prefixes, prefixes_capacity;
    const char *next; /* the token that continues; NULL on the last page */
    struct pom_arena arena;
};

void pom_page_clean_up(struct pom_page *page);

#endif
