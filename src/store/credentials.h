/* AWS credentials, found where the AWS tools look and in their order, and renewed before they expire:
 * https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
 * Secrets stay in here and in signatures: no message names more of a key than its last four characters. */
#ifndef POM_STORE_CREDENTIALS_H
#define POM_STORE_CREDENTIALS_H

#include "base/status.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Zero-initialise; released, and wiped, by pom_credentials_clean_up. */
struct pom_credentials {
    char *access_key, *secret_key;
    char *token;    /* of the session; NULL: none */
    time_t expires; /* 0: never */
};

bool pom_credentials_copy(const struct pom_credentials *from, struct pom_credentials *to);
void pom_credentials_clean_up(struct pom_credentials *credentials);

struct pom_identity;

/* Looks for credentials. region: for the services that give them out. POM_ERR_NOT_FOUND: there are none; the message
 * names every place. cancel may be NULL. */
enum pom_status pom_identity_new(
    const char *region, const atomic_bool *cancel, struct pom_identity **out, struct pom_message *msg);
void pom_identity_free(struct pom_identity *identity);

/* Requests are not signed: POMONA_NO_SIGN_REQUEST=true. */
bool pom_identity_is_anonymous(const struct pom_identity *identity);

/* Where the credentials come from, and the end of the access key: "the environment (AWS_ACCESS_KEY_ID ...WXYZ)".
 * Thread-safe. */
void pom_identity_describe(struct pom_identity *identity, char *out, size_t size);

/* Replaces *credentials with those of now if they are others than those of *generation (0 at first). False on no
 * memory. Thread-safe. */
bool pom_identity_get(struct pom_identity *identity, struct pom_credentials *credentials, uint64_t *generation);

/* The store says that the credentials of this generation have expired: new ones are fetched on another thread. False
 * where there is no way to get others, or the last try to has failed. Thread-safe. */
bool pom_identity_renew(struct pom_identity *identity, uint64_t generation);

#endif
