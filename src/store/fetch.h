/* One small HTTP exchange, waited for: what credentials are fetched with. */
#ifndef POM_STORE_FETCH_H
#define POM_STORE_FETCH_H

#include "base/buffer.h"
#include "base/status.h"
#include "store/sigv4.h"
#include <stdatomic.h>

struct pom_fetch {
    const char *method, *url;
    struct pom_pair headers[6]; /* up to the first without a name */
    const char *body;           /* of a POST: a form; may be NULL */
    int deadline_ms;            /* of an attempt */
    int attempts;
    bool direct;               /* not over a proxy */
    const atomic_bool *cancel; /* may be NULL */
};

/* The answer's status and body. POM_ERR_NETWORK: none came, also in the attempts after; they are made for status 5xx
 * too. The message does not name what was sent. */
enum pom_status pom_fetch(
    const struct pom_fetch *fetch, int *http_status, struct pom_buffer *out, struct pom_message *msg);

#endif
