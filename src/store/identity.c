#include "store/credentials.h"

#include "base/memory.h"
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pom_identity {
    bool anonymous;
    pthread_mutex_t mutex; /* guards the rest */
    struct pom_credentials credentials;
    uint64_t generation; /* of the credentials, from 1 */
    char origin[100];
};

static char *copy(const char *text) {
    return text ? strdup(text) : NULL;
}

static void wipe(char *text) {
    if (text)
        OPENSSL_cleanse(text, strlen(text));
    free(text);
}

void pom_credentials_clean_up(struct pom_credentials *credentials) {
    free(credentials->access_key);
    wipe(credentials->secret_key);
    wipe(credentials->token);
    *credentials = (struct pom_credentials){0};
}

bool pom_credentials_copy(const struct pom_credentials *from, struct pom_credentials *to) {
    struct pom_credentials made = {copy(from->access_key), copy(from->secret_key), copy(from->token), from->expires};
    if (!made.access_key || !made.secret_key || (from->token && !made.token)) {
        pom_credentials_clean_up(&made);
        return false;
    }
    pom_credentials_clean_up(to);
    *to = made;
    return true;
}

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static enum pom_status find(struct pom_identity *identity, struct pom_message *msg) {
    const char *token = setting("AWS_SESSION_TOKEN");
    const struct pom_credentials given = {
        (char *)setting("AWS_ACCESS_KEY_ID"), (char *)setting("AWS_SECRET_ACCESS_KEY"), (char *)token, 0};
    const char *anonymous = setting("POMONA_ANONYMOUS");
    identity->anonymous = anonymous && strcmp(anonymous, "1") == 0;
    if (identity->anonymous)
        return POM_OK;
    if (!given.access_key || !given.secret_key)
        return pom_fail(msg, POM_ERR_NOT_FOUND, "no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
    snprintf(identity->origin, sizeof identity->origin, "the environment");
    identity->generation = 1;
    return pom_credentials_copy(&given, &identity->credentials) ? POM_OK : pom_fail_memory(msg, "credentials");
}

enum pom_status pom_identity_new(const atomic_bool *cancel, struct pom_identity **out, struct pom_message *msg) {
    (void)cancel;
    struct pom_identity *identity = pom_calloc(1, sizeof *identity);
    if (!identity)
        return pom_fail_memory(msg, "credentials");
    pthread_mutex_init(&identity->mutex, NULL);
    enum pom_status status = find(identity, msg);
    if (status == POM_OK)
        *out = identity;
    else
        pom_identity_free(identity);
    return status;
}

void pom_identity_free(struct pom_identity *identity) {
    if (!identity)
        return;
    pom_credentials_clean_up(&identity->credentials);
    pthread_mutex_destroy(&identity->mutex);
    free(identity);
}

bool pom_identity_is_anonymous(const struct pom_identity *identity) {
    return identity->anonymous;
}

void pom_identity_describe(struct pom_identity *identity, char *out, size_t size) {
    pthread_mutex_lock(&identity->mutex);
    const char *key = identity->credentials.access_key;
    size_t n = key ? strlen(key) : 0;
    if (identity->anonymous)
        snprintf(out, size, "nobody (POMONA_ANONYMOUS)");
    else
        snprintf(out, size, "access key ...%s of %s", key ? key + (n > 4 ? n - 4 : 0) : "", identity->origin);
    pthread_mutex_unlock(&identity->mutex);
}

bool pom_identity_get(struct pom_identity *identity, struct pom_credentials *credentials, uint64_t *generation) {
    pthread_mutex_lock(&identity->mutex);
    bool good = identity->generation == *generation || pom_credentials_copy(&identity->credentials, credentials);
    if (good)
        *generation = identity->generation;
    pthread_mutex_unlock(&identity->mutex);
    return good;
}

bool pom_identity_renew(struct pom_identity *identity, uint64_t generation) {
    pthread_mutex_lock(&identity->mutex);
    bool newer = identity->generation != generation;
    pthread_mutex_unlock(&identity->mutex);
    return newer;
}
