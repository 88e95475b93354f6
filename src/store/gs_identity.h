/* Access tokens for Google Cloud Storage, found where Google's tools look and in their order, and renewed before they
 * expire: https://cloud.google.com/docs/authentication/application-default-credentials
 * Secrets stay in here and in the Authorization header. */
#ifndef POM_STORE_GS_IDENTITY_H
#define POM_STORE_GS_IDENTITY_H

#include "base/buffer.h"
#include "base/status.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct pom_gs_identity;

/* Looks for credentials and gets a first token. POM_ERR_NOT_FOUND: there are none; the message names every place.
 * cancel may be NULL. */
enum pom_status pom_gs_identity_new(const atomic_bool *cancel, struct pom_gs_identity **out, struct pom_message *msg);
void pom_gs_identity_free(struct pom_gs_identity *identity);

/* Whose they are, or where they come from: "the service account name@project.iam.gserviceaccount.com". Thread-safe. */
void pom_gs_identity_describe(struct pom_gs_identity *identity, char *out, size_t size);

/* Replaces token with the one of now if it is another than that of *generation (0 at first); it is "" where requests
 * carry none. False on no memory. Thread-safe. */
bool pom_gs_identity_get(struct pom_gs_identity *identity, struct pom_buffer *token, uint64_t *generation);

/* The project that pays for requests (GOOGLE_CLOUD_QUOTA_PROJECT, or the credentials' own); NULL: the bucket's. */
const char *pom_gs_identity_project(const struct pom_gs_identity *identity);

/* The store refuses the token of this generation: a new one is fetched on another thread. False where there is no way
 * to get another, or the last try to has failed. Thread-safe. */
bool pom_gs_identity_renew(struct pom_gs_identity *identity, uint64_t generation);

#endif
