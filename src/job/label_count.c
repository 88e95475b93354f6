#include "job/label_count.h"

#include "base/memory.h"
#include <search.h>
#include <stdlib.h>
#include <string.h>

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct pom_label_count *)a)->label, ((const struct pom_label_count *)b)->label);
}

static int by_rows(const void *a, const void *b) {
    const struct pom_label_count *x = a, *y = b;
    if (x->rows != y->rows)
        return x->rows > y->rows ? -1 : 1;
    return by_name(a, b);
}

static void release(struct pom_label_count *entry) {
    if (entry)
        free(entry->label);
    free(entry);
}

bool pom_label_counter_add(struct pom_label_counter *counter, const char *label, size_t size) {
    struct pom_label_count *entry = pom_calloc(1, sizeof *entry);
    if (entry)
        entry->label = pom_strndup(label, size);
    struct pom_label_count **found = entry && entry->label ? tsearch(entry, &counter->tree, by_name) : NULL;
    if (found)
        (*found)->rows++;
    if (!found || *found != entry)
        release(entry);
    else
        counter->n++;
    return found != NULL;
}

struct pom_label_count *pom_label_counter_take(struct pom_label_counter *counter, size_t *n) {
    struct pom_label_count *list = counter->n ? pom_calloc(counter->n, sizeof *list) : NULL;
    *n = 0;
    while (counter->tree) {
        struct pom_label_count *entry = *(struct pom_label_count **)counter->tree;
        tdelete(entry, &counter->tree, by_name);
        if (list) {
            list[(*n)++] = *entry;
            free(entry);
        } else {
            release(entry);
        }
    }
    counter->n = 0;
    if (list)
        qsort(list, *n, sizeof *list, by_rows);
    return list;
}
