/* Percent-encoding, and locations within buckets. */
#ifndef POM_STORE_URI_H
#define POM_STORE_URI_H

#include "base/buffer.h"
#include "base/status.h"

/* Appends text with every byte percent-encoded (%XX, upper case) that is neither unreserved (RFC 3986, section 2.3:
 * letters, digits, "-._~") nor in keep. False on no memory. */
bool pom_uri_encode(struct pom_buffer *out, const char *text, const char *keep);

/* Decodes %XX in place, and '+' as a space where plus is true; a '%' without two hexadecimal digits stays. False where
 * a %00 would end the text early: the text is then cut there. */
bool pom_uri_decode(char *text, bool plus);

/* A place in a bucket: "s3://bucket/some/key". Zero-initialise; freed by pom_bucket_uri_clean_up. */
struct pom_bucket_uri {
    char *bucket; /* letters, digits, '.', '-', '_' */
    char *key;    /* as given, not decoded; "" for the whole bucket */
};

/* What stands behind "scheme://" is taken as it is, as the stores' own tools do. */
enum pom_status pom_bucket_uri_parse(const char *location, struct pom_bucket_uri *out, struct pom_message *msg);
void pom_bucket_uri_clean_up(struct pom_bucket_uri *uri);

#endif
