/* One file over HTTP. */
#ifndef POM_MODEL_DOWNLOAD_H
#define POM_MODEL_DOWNLOAD_H

#include "base/status.h"
#include <stdatomic.h>
#include <stddef.h>

struct pom_download {
    const char *url; /* https, or http where it says so; redirects stay within that */
    size_t max_bytes;
    void (*progress)(void *context, size_t done_bytes, size_t total_bytes); /* NULL: not called */
    void *context;
    const atomic_bool *cancel; /* set to end it: POM_ERR_CANCELLED within a second or so; NULL: none */
};

/* Writes the file to path, which is removed on failure. TLS certificates are verified. POM_ERR_NETWORK, POM_ERR_LIMIT.
 */
enum pom_status pom_download(const struct pom_download *download, const char *path, struct pom_message *msg);

#endif
