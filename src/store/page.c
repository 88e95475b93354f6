#include "store/page.h"

#include <stdlib.h>

void pom_page_clean_up(struct pom_page *page) {
    free(page->objects);
    free((void *)page->prefixes);
    pom_arena_clean_up(&page->arena);
    *page = (struct pom_page){0};
}
