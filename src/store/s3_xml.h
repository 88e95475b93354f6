/* The answers of S3 that are XML, read by Expat. */
#ifndef POM_STORE_S3_XML_H
#define POM_STORE_S3_XML_H

#include "base/status.h"
#include "store/page.h"

/* ListBucketResult; an object's version is its entity tag in its quotes, or without one the time of its last change.
 * POM_ERR_FORMAT: it is something else, or lacks what it must have. */
enum pom_status pom_s3_page_parse(const char *xml, size_t n, struct pom_page *out, struct pom_message *msg);

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
