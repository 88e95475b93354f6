/* Fetching Keras's published weights: download, check the hash, import, keep. */
#ifndef POM_MODEL_PULL_H
#define POM_MODEL_PULL_H

#include "base/hash.h"
#include "base/status.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* Zero-initialise for the defaults. Strings are borrowed for the call. */
struct pom_pull_options {
    bool classifier;      /* the file that has the fully connected layers too */
    const char *base_url; /* a mirror of Keras's folder; NULL: $POMONA_MODEL_URL, else Keras's own */
    const char *sha256;   /* 64 hex digits that the file must have, in place of the published hash */

    /* Called now and then while downloading; total is 0 where the server does not tell. NULL: not called. */
    void (*progress)(void *context, size_t done_bytes, size_t total_bytes);
    void *context;
    const atomic_bool *cancel; /* the download ends soon after it is set: POM_ERR_CANCELLED; NULL: none */
};

struct pom_pulled {
    char *path; /* of the model; free() releases */
    size_t bytes;
    char sha256[POM_SHA256_HEX]; /* of the downloaded file */
    const char *authority;       /* who says that the hash is right: "Keras's source" and the like; static storage */
};

/* Downloads the weights of "mobilenetv2", "resnet50" or "vgg16" and leaves NAME.onnx where pom_model_find looks first:
 * whole or not at all. POM_ERR_NETWORK: the server; POM_ERR_FORMAT: not the published file. Not thread-safe (see
 * pom_keras_import). */
enum pom_status pom_model_pull(
    const char *name, const struct pom_pull_options *options, struct pom_pulled *out, struct pom_message *msg);

#endif
