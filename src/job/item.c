#include "base/memory.h"
#include "job/job.h"
#include <stdlib.h>
#include <string.h>

struct pom_item *pom_item_new(const char *path, const char *version) {
    size_t n = strlen(path) + 1, v = strlen(version) + 1;
    struct pom_item *item = pom_calloc(1, sizeof *item + n + v);
    if (!item)
        return NULL;
    memcpy(item->path, path, n);
    item->version = memcpy(item->path + n, version, v);
    return item;
}

void pom_item_free(struct pom_item *item) {
    if (item)
        free(item->cause);
    if (item)
        pom_buffer_clean_up(&item->bytes);
    free(item);
}

void pom_item_fail(struct pom_item *item, enum pom_stage stage, const char *cause) {
    item->failed = stage;
    free(item->cause);
    item->cause = strdup(cause); /* without memory the row has no cause */
}
