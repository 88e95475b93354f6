#include "store/credentials.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "store/credentials_places.h"
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MARGIN_S = 300, RETRY_S = 5, NEVER_S = 3600 };

struct pom_identity {
    bool anonymous;
    const atomic_bool *cancel;
    char region[64];
    bool thread_runs; /* which renews the credentials */
    pthread_t thread;

    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t changed;
    struct pom_credentials credentials;
    uint64_t generation; /* of the credentials, from 1 */
    char origin[POM_ORIGIN_BYTES];
    bool wanted; /* new ones, now */
    bool failed; /* the last try to renew them */
    atomic_bool ending;
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
        "POMONA_ANONYMOUS=1 "
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
static enum pom_status find(struct pom_identity *identity, struct pom_search *search, struct pom_message *msg) {
    struct pom_aws_profile profile = {0};
    enum pom_status status = pom_aws_profile_read(&profile, msg);
    search->profile = &profile;
    search->region = identity->region;
    search->cancel = identity->thread_runs ? &identity->ending : identity->cancel;
    if (status == POM_OK)
        status = find_in_places(search, msg);
    pom_aws_profile_clean_up(&profile);
    search->profile = NULL;
    return status;
}

/* Caller holds the mutex, or no thread runs. */
static void take_over(struct pom_identity *identity, struct pom_search *search) {
    pom_credentials_clean_up(&identity->credentials);
    identity->credentials = search->found;
    identity->generation++;
    memcpy(identity->origin, search->origin, sizeof identity->origin);
}

/* When to fetch new ones: well before the old ones expire, and not all the time. */
static time_t renewal_time(const struct pom_identity *identity, time_t now) {
    time_t expires = identity->credentials.expires;
    if (identity->failed)
        return now + RETRY_S;
    if (!expires)
        return now + NEVER_S;
    time_t left = expires - now, margin = left / 4 < MARGIN_S ? left / 4 : MARGIN_S;
    return now + (left - margin > 1 ? left - margin : 1);
}

/* Caller holds the mutex. */
static void wait_for_renewal(struct pom_identity *identity) {
    const struct timespec until = {renewal_time(identity, time(NULL)), 0};
    bool over = false;
    while (!over && !identity->wanted && !atomic_load(&identity->ending))
        over = pthread_cond_timedwait(&identity->changed, &identity->mutex, &until) != 0;
}

static bool is_due(const struct pom_identity *identity) {
    return !atomic_load(&identity->ending) && (identity->wanted || identity->failed || identity->credentials.expires);
}

static void *run(void *user) {
    struct pom_identity *identity = user;
    pthread_mutex_lock(&identity->mutex);
    while (!atomic_load(&identity->ending)) {
        wait_for_renewal(identity);
        if (!is_due(identity))
            continue;
        pthread_mutex_unlock(&identity->mutex);
        struct pom_search search = {0};
        enum pom_status status = find(identity, &search, NULL);
        pthread_mutex_lock(&identity->mutex);
        identity->failed = status != POM_OK;
        identity->wanted = false;
        if (status == POM_OK)
            take_over(identity, &search);
        else
            pom_credentials_clean_up(&search.found);
    }
    pthread_mutex_unlock(&identity->mutex);
    return NULL;
}

static enum pom_status begin(struct pom_identity *identity, struct pom_message *msg) {
    struct pom_search search = {0};
    const char *anonymous = pom_setting("POMONA_ANONYMOUS");
    identity->anonymous = anonymous && strcmp(anonymous, "1") == 0;
    if (identity->anonymous)
        return POM_OK;
    enum pom_status status = find(identity, &search, msg);
    if (status != POM_OK) {
        pom_credentials_clean_up(&search.found);
        return status;
    }
    take_over(identity, &search);
    if (pom_setting("AWS_ACCESS_KEY_ID")) /* which stays as it is */
        return POM_OK;
    identity->thread_runs = pthread_create(&identity->thread, NULL, run, identity) == 0;
    return identity->thread_runs ? POM_OK : pom_fail(msg, POM_ERR_LIMIT, "the system gives no more threads");
}

enum pom_status pom_identity_new(
    const char *region, const atomic_bool *cancel, struct pom_identity **out, struct pom_message *msg) {
    struct pom_identity *identity = pom_calloc(1, sizeof *identity);
    if (!identity)
        return pom_fail_memory(msg, "credentials");
    identity->cancel = cancel;
    snprintf(identity->region, sizeof identity->region, "%s", region);
    pthread_mutex_init(&identity->mutex, NULL);
    pthread_cond_init(&identity->changed, NULL);
    enum pom_status status = begin(identity, msg);
    if (status == POM_OK)
        *out = identity;
    else
        pom_identity_free(identity);
    return status;
}

void pom_identity_free(struct pom_identity *identity) {
    if (!identity)
        return;
    if (identity->thread_runs) {
        pthread_mutex_lock(&identity->mutex);
        atomic_store(&identity->ending, true);
        pthread_cond_signal(&identity->changed);
        pthread_mutex_unlock(&identity->mutex);
        pthread_join(identity->thread, NULL);
    }
    pom_credentials_clean_up(&identity->credentials);
    pthread_cond_destroy(&identity->changed);
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
    bool newer = identity->generation != generation,
         hope = identity->thread_runs && !(identity->failed && !identity->wanted);
    if (!newer && hope) {
        identity->wanted = true;
        pthread_cond_signal(&identity->changed);
    }
    pthread_mutex_unlock(&identity->mutex);
    return newer || hope;
}
