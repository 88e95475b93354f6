/* AWS Signature Version 4, signed header by header:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html as S3 has it (paths are
 * encoded once and not normalised). */
#ifndef POM_STORE_SIGV4_H
#define POM_STORE_SIGV4_H

#include "base/buffer.h"
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/* A header or a parameter of a query. */
struct pom_pair {
    const char *name, *value;
};

/* Who signs, for what; borrowed. */
struct pom_sigv4_scope {
    const char *access_key, *secret_key, *region, *service;
};

/* The signing key of a scope and day, kept between signatures. Zero-initialise; one thread at a time. */
struct pom_sigv4_cache {
    char scope[256];
    unsigned char key[32];
};

struct pom_sigv4_request {
    const char *method;
    const char *path;               /* percent-encoded, from the first '/' on */
    const char *query;              /* as pom_sigv4_query makes it; "" for none */
    const struct pom_pair *headers; /* all that are signed, host and x-amz-date among them: names in lower case and in
                                       order, values without spaces at an end or two in a row */
    size_t n_headers;
    const char *payload_sha256; /* in hexadecimal, or UNSIGNED-PAYLOAD */
};

enum { POM_SIGV4_TIME = 17, POM_SIGV4_PARAMETERS = 16 };

/* "20130524T000000Z". */
void pom_sigv4_time(time_t now, char out[POM_SIGV4_TIME]);

/* Appends the canonical query: parameters (at most POM_SIGV4_PARAMETERS) encoded and in order of name. False on no
 * memory. */
bool pom_sigv4_query(const struct pom_pair *parameters, size_t n, struct pom_buffer *out);

/* The value of the Authorization header, in out (replaced). time: of the header x-amz-date. */
enum pom_status pom_sigv4_sign(struct pom_sigv4_cache *cache, const struct pom_sigv4_scope *scope,
    const struct pom_sigv4_request *request, const char *time, struct pom_buffer *out, struct pom_message *msg);

#endif
