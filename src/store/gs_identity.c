#include "store/gs_identity.h"

#include "base/memory.h"
#include "store/gs_source.h"
#include "store/renewal.h"
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pom_gs_identity {
    struct pom_gs_source source; /* unchanged once found */
    struct pom_renewal renewal;
    pthread_mutex_t mutex; /* guards the rest */
    struct pom_buffer token;
    uint64_t generation; /* of the token, from 1 */
};

static void wipe(struct pom_buffer *text) {
    if (text->data)
        OPENSSL_cleanse(text->data, text->capacity);
    pom_buffer_clean_up(text);
}

static enum pom_status renew(
    struct pom_gs_identity *identity, const atomic_bool *cancel, time_t *expires, struct pom_message *msg) {
    struct pom_buffer token = {0};
    enum pom_status status = pom_gs_source_token(&identity->source, cancel, &token, expires, msg);
    if (status == POM_OK) {
        pthread_mutex_lock(&identity->mutex);
        struct pom_buffer old = identity->token;
        identity->token = token;
        identity->generation++;
        pthread_mutex_unlock(&identity->mutex);
        token = old;
    }
    wipe(&token);
    return status;
}

static enum pom_status renew_later(void *user, const atomic_bool *cancel, time_t *expires) {
    return renew(user, cancel, expires, NULL);
}

static enum pom_status begin(struct pom_gs_identity *identity, const atomic_bool *cancel, struct pom_message *msg) {
    time_t expires = 0;
    POM_TRY(pom_gs_source_find(&identity->source, cancel, msg));
    if (identity->source.kind == POM_GS_NOBODY) {
        identity->generation = 1;
        return pom_buffer_text(&identity->token, "") ? POM_OK : pom_fail_memory(msg, "credentials");
    }
    POM_TRY(renew(identity, cancel, &expires, msg));
    identity->renewal.renew = renew_later;
    identity->renewal.user = identity;
    return pom_renewal_start(&identity->renewal, expires, msg);
}

enum pom_status pom_gs_identity_new(const atomic_bool *cancel, struct pom_gs_identity **out, struct pom_message *msg) {
    struct pom_gs_identity *identity = pom_calloc(1, sizeof *identity);
    if (!identity)
        return pom_fail_memory(msg, "credentials");
    pthread_mutex_init(&identity->mutex, NULL);
    enum pom_status status = begin(identity, cancel, msg);
    if (status == POM_OK)
        *out = identity;
    else
        pom_gs_identity_free(identity);
    return status;
}

void pom_gs_identity_free(struct pom_gs_identity *identity) {
    if (!identity)
        return;
    pom_renewal_stop(&identity->renewal);
    wipe(&identity->token);
    pom_gs_source_clean_up(&identity->source);
    pthread_mutex_destroy(&identity->mutex);
    free(identity);
}

void pom_gs_identity_describe(struct pom_gs_identity *identity, char *out, size_t size) {
    snprintf(out, size, "%s", identity->source.origin);
}

bool pom_gs_identity_get(struct pom_gs_identity *identity, struct pom_buffer *token, uint64_t *generation) {
    pthread_mutex_lock(&identity->mutex);
    bool good = true;
    if (identity->generation != *generation) {
        token->size = 0;
        good = pom_buffer_append(token, identity->token.data, identity->token.size);
        if (good)
            *generation = identity->generation;
    }
    pthread_mutex_unlock(&identity->mutex);
    return good;
}

const char *pom_gs_identity_project(const struct pom_gs_identity *identity) {
    const char *set = getenv("GOOGLE_CLOUD_QUOTA_PROJECT");
    return set && *set ? set : identity->source.project;
}

bool pom_gs_identity_renew(struct pom_gs_identity *identity, uint64_t generation) {
    pthread_mutex_lock(&identity->mutex);
    bool newer = identity->generation != generation;
    pthread_mutex_unlock(&identity->mutex);
    return newer || pom_renewal_want(&identity->renewal);
}
