#include "store/credentials.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "store/credentials_places.h"
#include "store/renewal.h"
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pom_identity {
    bool anonymous;
    char region[64];
    struct pom_renewal renewal;

    pthread_mutex_t mutex; /* guards the rest */
    struct pom_credentials credentials;
    uint64_t generation; /* of the credentials, from 1 */
    char origin[POM_ORIGIN_BYTES];
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

typedef enum pom_status (*find_fn)(struct pom_search *search, struct pom_message *msg);

/* In the order of the AWS command line. */
static const find_fn places[] = {pom_find_in_environment, pom_find_by_role, pom_find_by_web_identity, pom_find_by_sso,
    pom_find_in_profile, pom_find_in_container, pom_find_in_instance};

static enum pom_status find_none(const char *looked_in, struct pom_message *msg) {
    return pom_fail(msg, POM_ERR_NOT_FOUND,
        "no AWS credentials: %s. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or "
        "--no-sign-request "
        "for a public bucket",
        looked_in);
}

static enum pom_status find_in_places(struct pom_search *search, struct pom_message *msg) {
    struct pom_buffer looked_in = {0};
    enum pom_status status = POM_ERR_NOT_FOUND;
    for (size_t i = 0; i < sizeof places / sizeof *places && status == POM_ERR_NOT_FOUND; i++) {
        status = places[i](search, msg);
        if (status == POM_ERR_NOT_FOUND && !pom_buffer_printf(&looked_in, "%s%s", i ? "; " : "", search->absence))
            status = pom_fail_memory(msg, "credentials");
    }
    if (status == POM_ERR_NOT_FOUND)
        status = find_none(looked_in.data, msg);
    pom_buffer_clean_up(&looked_in);
    return status;
}

/* Looks in all places again: files and environment may have changed since. */
static enum pom_status find(
    struct pom_identity *identity, const atomic_bool *cancel, struct pom_search *search, struct pom_message *msg) {
    struct pom_aws_profile profile = {0};
    enum pom_status status = pom_aws_profile_read(&profile, msg);
    search->profile = &profile;
    search->region = identity->region;
    search->cancel = cancel;
    if (status == POM_OK)
        status = find_in_places(search, msg);
    pom_aws_profile_clean_up(&profile);
    search->profile = NULL;
    return status;
}

/* Caller holds the mutex, or no other thread is there yet. */
static void take_over(struct pom_identity *identity, struct pom_search *search) {
    pom_credentials_clean_up(&identity->credentials);
    identity->credentials = search->found;
    identity->generation++;
    memcpy(identity->origin, search->origin, sizeof identity->origin);
}

static enum pom_status renew(void *user, const atomic_bool *cancel, time_t *expires) {
    struct pom_identity *identity = user;
    struct pom_search search = {0};
    enum pom_status status = find(identity, cancel, &search, NULL);
    if (status != POM_OK) {
        pom_credentials_clean_up(&search.found);
        return status;
    }
    *expires = search.found.expires;
    pthread_mutex_lock(&identity->mutex);
    take_over(identity, &search);
    pthread_mutex_unlock(&identity->mutex);
    return POM_OK;
}

static enum pom_status begin(struct pom_identity *identity, const atomic_bool *cancel, struct pom_message *msg) {
    struct pom_search search = {0};
    const char *anonymous = pom_setting("POMONA_NO_SIGN_REQUEST");
    identity->anonymous = anonymous && strcmp(anonymous, "true") == 0;
    if (identity->anonymous)
        return POM_OK;
    enum pom_status status = find(identity, cancel, &search, msg);
    if (status != POM_OK) {
        pom_credentials_clean_up(&search.found);
        return status;
    }
    take_over(identity, &search);
    if (pom_setting("AWS_ACCESS_KEY_ID")) /* which stays as it is */
        return POM_OK;
    identity->renewal.renew = renew;
    identity->renewal.user = identity;
    return pom_renewal_start(&identity->renewal, identity->credentials.expires, msg);
}

enum pom_status pom_identity_new(
    const char *region, const atomic_bool *cancel, struct pom_identity **out, struct pom_message *msg) {
    struct pom_identity *identity = pom_calloc(1, sizeof *identity);
    if (!identity)
        return pom_fail_memory(msg, "credentials");
    snprintf(identity->region, sizeof identity->region, "%s", region);
    pthread_mutex_init(&identity->mutex, NULL);
    enum pom_status status = begin(identity, cancel, msg);
    if (status == POM_OK)
        *out = identity;
    else
        pom_identity_free(identity);
    return status;
}

void pom_identity_free(struct pom_identity *identity) {
    if (!identity)
        return;
    pom_renewal_stop(&identity->renewal);
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
        snprintf(out, size, "nobody (--no-sign-request)");
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
    return newer || pom_renewal_want(&identity->renewal);
}
