#include "base/memory.h"
#include "job/job.h"
#include <stdlib.h>
#include <string.h>

static bool is_image_name(const char *path) {
    /* Those that cannot be decoded too: their files end as rows of errors, and are not left out in silence. */
    static const char *const suffixes[] = {".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".png", ".webp", ".gif", ".bmp",
        ".tif", ".tiff", ".heic", ".heif", ".avif", ".jp2", ".jxl"};
    const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');
    for (size_t i = 0; dot && i < sizeof suffixes / sizeof *suffixes; i++)
        if (strcasecmp(dot, suffixes[i]) == 0)
            return true;
    return false;
}

bool pom_is_wanted(const struct pom_store *source, const char *path) {
    return is_image_name(path) || strcmp(path, pom_store_prefix(source)) == 0;
}

static int by_prefix(const void *a, const void *b) {
    return strcmp(pom_store_prefix(*(struct pom_store *const *)a), pom_store_prefix(*(struct pom_store *const *)b));
}

/* A source as given, and the place that it is. */
struct place {
    const char *prefix;
    char *resolved; /* of a local source its canonical path, with a slash if it is a folder; else the prefix */
};

static int by_place(const void *a, const void *b) {
    return strcmp(((const struct place *)a)->resolved, ((const struct place *)b)->resolved);
}

static char *resolve(const char *prefix) {
    char *path = strstr(prefix, "://") ? NULL : realpath(prefix, NULL);
    size_t n = path ? strlen(path) : 0;
    if (n == 0)
        return strdup(prefix);
    char *longer = prefix[strlen(prefix) - 1] == '/' && path[n - 1] != '/' ? realloc(path, n + 2) : NULL;
    if (!longer)
        return path;
    return strcat(longer, "/");
}

/* A folder that begins a later place holds it; sorted, it comes right before. */
static bool holds(const char *folder, const char *later) {
    size_t n = strlen(folder);
    return n && folder[n - 1] == '/' && strncmp(folder, later, n) == 0;
}

static enum pom_status check_places(const struct place *places, int n, struct pom_message *msg) {
    for (int i = 1; i < n; i++) {
        const struct place *above = &places[i - 1], *below = &places[i];
        if (strcmp(above->resolved, below->resolved) == 0)
            return pom_fail(msg, POM_ERR_ARGUMENT, "%s and %s are the same place: name each image once", above->prefix,
                below->prefix);
        if (holds(above->resolved, below->resolved))
            return pom_fail(
                msg, POM_ERR_ARGUMENT, "%s lies within %s: name each image once", below->prefix, above->prefix);
    }
    return POM_OK;
}

static enum pom_status check_overlap(struct pom_store *const *sources, int n, struct pom_message *msg) {
    struct place *places = pom_calloc((size_t)n, sizeof *places);
    bool resolved = places != NULL;
    for (int i = 0; resolved && i < n; i++) {
        places[i].prefix = pom_store_prefix(sources[i]);
        places[i].resolved = resolve(places[i].prefix);
        resolved = places[i].resolved != NULL;
    }
    enum pom_status status = POM_OK;
    if (resolved) {
        qsort(places, (size_t)n, sizeof *places, by_place);
        status = check_places(places, n, msg);
    }
    for (int i = 0; places && i < n; i++)
        free(places[i].resolved);
    free(places);
    return resolved ? status : pom_fail_memory(msg, "the sources");
}

enum pom_status pom_sources_open(
    const char *const *locations, int n, const atomic_bool *cancel, struct pom_store ***out, struct pom_message *msg) {
    *out = pom_calloc((size_t)n, sizeof(struct pom_store *));
    if (!*out)
        return pom_fail_memory(msg, "the sources");
    enum pom_status status = POM_OK;
    for (int i = 0; i < n && status == POM_OK; i++)
        status = pom_store_open(locations[i], false, cancel, &(*out)[i], msg);
    if (status == POM_OK) {
        qsort(*out, (size_t)n, sizeof(struct pom_store *), by_prefix);
        status = check_overlap(*out, n, msg);
    }
    if (status != POM_OK) {
        pom_sources_close(*out, n);
        *out = NULL;
    }
    return status;
}

void pom_sources_close(struct pom_store **sources, int n) {
    for (int i = 0; sources && i < n; i++)
        pom_store_close(sources[i]);
    free(sources);
}
