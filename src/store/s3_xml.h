/* The answers of S3 that are XML, read by Expat. */
#ifndef POM_STORE_S3_XML_H
#define POM_STORE_S3_XML_H

#include "base/memory.h"
#include "base/status.h"
#include <stdint.h>

struct pom_s3_object {
    const char *key;     /* decoded; NULL for a key that no path can hold, as it has a NUL within */
    const char *version; /* the entity tag in its quotes; of an object without one the time of its last change */
    uint64_t size;
};

/* A page of a listing. Zero-initialise; released by pom_s3_page_clean_up. */
struct pom_s3_page {
    struct pom_s3_object *objects; /* in the server's order */
    size_t n_objects, objects_capacity;
    const char **prefixes; /* the common ones, as the delimiter makes them */
    size_t n_prefixes, prefixes_capacity;
    const char *next; /* the token that continues; NULL on the last page */
    struct pom_arena arena;
};

/* ListBucketResult. POM_ERR_FORMAT: it is something else, or lacks what it must have. */
enum pom_status pom_s3_page_parse(const char *xml, size_t n, struct pom_s3_page *out, struct pom_message *msg);
void pom_s3_page_clean_up(struct pom_s3_page *page);

/* Error. Each text is cut to its size, "" where there is none. */
struct pom_s3_error {
    char code[64], message[200], region[32];
};
bool pom_s3_error_parse(const char *xml, size_t n, struct pom_s3_error *out);

/* The text of the element `name` within `parent`, "" where there is none; false where this is no document with that
 * root. */
bool pom_xml_text(
    const char *xml, size_t n, const char *root, const char *parent, const char *name, char *out, size_t size);

#endif
