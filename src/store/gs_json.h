/* The answers of Google Cloud Storage that are JSON, read by jansson. */
#ifndef POM_STORE_GS_JSON_H
#define POM_STORE_GS_JSON_H

#include "base/memory.h"
#include "base/status.h"
#include "store/remote.h"

struct pom_gs_object {
    const char *name;    /* NULL for a name that no path can hold, as it has a NUL within */
    const char *version; /* the generation: digits */
    uint64_t size;
};

/* A page of a listing. Zero-initialise; released by pom_gs_page_clean_up. */
struct pom_gs_page {
    struct pom_gs_object *objects; /* in the server's order */
    size_t n_objects;
    const char **prefixes; /* the common ones, as the delimiter makes them */
    size_t n_prefixes;
    const char *next; /* the token that continues; NULL on the last page */
    struct pom_arena arena;
};

/* POM_ERR_FORMAT: it is something else, or lacks what it must have. */
enum pom_status pom_gs_page_parse(const char *json, size_t n, struct pom_gs_page *out, struct pom_message *msg);
void pom_gs_page_clean_up(struct pom_gs_page *page);

/* An object's metadata. */
enum pom_status pom_gs_object_parse(const char *json, size_t n, struct pom_remote_object *out, struct pom_message *msg);

/* An error: {"error": {...}}, or plain text. Each text is cut to its size, "" where there is none. */
struct pom_gs_error {
    char reason[64], message[200];
};
void pom_gs_error_parse(const char *text, size_t n, struct pom_gs_error *out);

#endif
