#include "store/sigv4.h"

#include "base/hash.h"
#include "store/uri.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

enum { DAY = 8, KEY_BYTES = 32, USUAL_NAMES = 200, USUAL_REQUEST = 1000 };

static const char algorithm[] = "AWS4-HMAC-SHA256", last_word[] = "aws4_request";

void pom_sigv4_time(time_t now, char out[POM_SIGV4_TIME]) {
    struct tm utc;
    gmtime_r(&now, &utc);
    strftime(out, POM_SIGV4_TIME, "%Y%m%dT%H%M%SZ", &utc);
}

struct encoded {
    struct pom_buffer text; /* "name=value" */
    size_t name;            /* bytes of it */
};

/* By name, then by value; '=' must not stand between a name and a longer one. */
static bool before(const struct encoded *a, const struct encoded *b) {
    size_t n = a->name < b->name ? a->name : b->name;
    int order = memcmp(a->text.data, b->text.data, n);
    if (order || a->name != b->name)
        return order ? order < 0 : a->name < b->name;
    return strcmp(a->text.data + n, b->text.data + n) < 0;
}

static bool encode(const struct pom_pair *parameter, struct encoded *out) {
    if (!pom_uri_encode(&out->text, parameter->name, ""))
        return false;
    out->name = out->text.size;
    return pom_buffer_text(&out->text, "=") && pom_uri_encode(&out->text, parameter->value, "");
}

bool pom_sigv4_query(const struct pom_pair *parameters, size_t n, struct pom_buffer *out) {
    struct encoded sorted[POM_SIGV4_PARAMETERS] = {0};
    bool good = n <= POM_SIGV4_PARAMETERS && pom_buffer_text(out, "");
    size_t made = 0;
    for (; made < n && good; made++) {
        struct encoded one = {0};
        good = encode(&parameters[made], &one);
        size_t at = made;
        for (; good && at > 0 && before(&one, &sorted[at - 1]); at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = one;
    }
    for (size_t i = 0; i < made; i++) {
        good = good && pom_buffer_printf(out, "%s%s", i ? "&" : "", sorted[i].text.data);
        pom_buffer_clean_up(&sorted[i].text);
    }
    return good;
}

static bool hmac(const void *key, size_t key_size, const char *text, unsigned char out[KEY_BYTES]) {
    unsigned int n = 0;
    return HMAC(EVP_sha256(), key, (int)key_size, (const unsigned char *)text, strlen(text), out, &n) && n == KEY_BYTES;
}

static bool derive(const struct pom_sigv4_scope *scope, const char *day, unsigned char key[KEY_BYTES]) {
    struct pom_buffer secret = {0};
    bool good = pom_buffer_printf(&secret, "AWS4%s", scope->secret_key) && hmac(secret.data, secret.size, day, key) &&
                hmac(key, KEY_BYTES, scope->region, key) && hmac(key, KEY_BYTES, scope->service, key) &&
                hmac(key, KEY_BYTES, last_word, key);
    if (secret.data)
        OPENSSL_cleanse(secret.data, secret.capacity);
    pom_buffer_clean_up(&secret);
    return good;
}

/* The signing key of the scope and day, made anew only when they change. The access key stands for the secret. */
static bool find_key(struct pom_sigv4_cache *cache, const struct pom_sigv4_scope *scope, const char *day) {
    char wanted[sizeof cache->scope];
    int n = snprintf(wanted, sizeof wanted, "%s/%s/%s/%s", day, scope->region, scope->service, scope->access_key);
    if (n < 0 || (size_t)n >= sizeof wanted)
        return false;
    if (strcmp(wanted, cache->scope) == 0)
        return true;
    if (!derive(scope, day, cache->key))
        return false;
    memcpy(cache->scope, wanted, sizeof wanted);
    return true;
}

static bool signed_names(const struct pom_sigv4_request *request, struct pom_buffer *out) {
    bool good = pom_buffer_reserve(out, USUAL_NAMES) && pom_buffer_text(out, "");
    for (size_t i = 0; i < request->n_headers && good; i++)
        good = pom_buffer_texts(out, (const char *const[]){i ? ";" : "", request->headers[i].name, NULL});
    return good;
}

static bool canonical_request(const struct pom_sigv4_request *request, const char *names, struct pom_buffer *out) {
    const char *const head[] = {request->method, "\n", request->path, "\n", request->query, "\n", NULL};
    bool good = pom_buffer_reserve(out, USUAL_REQUEST) && pom_buffer_texts(out, head);
    for (size_t i = 0; i < request->n_headers && good; i++)
        good = pom_buffer_texts(
            out, (const char *const[]){request->headers[i].name, ":", request->headers[i].value, "\n", NULL});
    return good && pom_buffer_texts(out, (const char *const[]){"\n", names, "\n", request->payload_sha256, NULL});
}

static bool sign_text(struct pom_sigv4_cache *cache, const struct pom_buffer *text, char hex[POM_SHA256_HEX]) {
    unsigned char signature[KEY_BYTES];
    if (!hmac(cache->key, KEY_BYTES, text->data, signature))
        return false;
    pom_hex(signature, KEY_BYTES, hex);
    return true;
}

static bool sign(struct pom_sigv4_cache *cache, const struct pom_sigv4_scope *scope, const char *time,
    const char *names, const struct pom_buffer *canonical, struct pom_buffer *out) {
    char place[160], digest[POM_SHA256_HEX], signature[POM_SHA256_HEX];
    struct pom_buffer text = {0};
    snprintf(place, sizeof place, "%.*s/%s/%s/%s", DAY, time, scope->region, scope->service, last_word);
    bool good =
        pom_sha256(canonical->data, canonical->size, digest, NULL) == POM_OK &&
        pom_buffer_texts(&text, (const char *const[]){algorithm, "\n", time, "\n", place, "\n", digest, NULL}) &&
        sign_text(cache, &text, signature);
    pom_buffer_clean_up(&text);
    out->size = 0;
    return good && pom_buffer_texts(out, (const char *const[]){algorithm, " Credential=", scope->access_key, "/", place,
                                             ", SignedHeaders=", names, ", Signature=", signature, NULL});
}

enum pom_status pom_sigv4_sign(struct pom_sigv4_cache *cache, const struct pom_sigv4_scope *scope,
    const struct pom_sigv4_request *request, const char *time, struct pom_buffer *out, struct pom_message *msg) {
    struct pom_buffer names = {0}, canonical = {0};
    char day[DAY + 1];
    snprintf(day, sizeof day, "%.*s", DAY, time);
    bool good = find_key(cache, scope, day) && signed_names(request, &names) &&
                canonical_request(request, names.data, &canonical) &&
                sign(cache, scope, time, names.data, &canonical, out);
    pom_buffer_clean_up(&names);
    pom_buffer_clean_up(&canonical);
    return good ? POM_OK : pom_fail_memory(msg, "a signature");
}
