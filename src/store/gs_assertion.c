#include "store/gs_source.h"

#include "base/memory.h"
#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

enum { LIFETIME_S = 3600 };

/* RFC 4648, section 5, without padding. */
static bool append_base64url(struct pom_buffer *out, const void *data, size_t n) {
    size_t length = 4 * ((n + 2) / 3);
    if (n > INT32_MAX / 2 || !pom_buffer_reserve(out, length + 1))
        return false;
    char *text = out->data + out->size;
    EVP_EncodeBlock((unsigned char *)text, data, (int)n);
    while (length > 0 && text[length - 1] == '=')
        length--;
    for (size_t i = 0; i < length; i++)
        text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
    text[length] = '\0';
    out->size += length;
    return true;
}

static bool append_json(struct pom_buffer *out, json_t *object) {
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    bool good = text && append_base64url(out, text, strlen(text));
    free(text);
    json_decref(object);
    return good;
}

static bool append_claims(struct pom_buffer *out, const struct pom_gs_source *source, time_t now) {
    return append_json(out, json_pack("{s:s, s:s, s:s*}", "alg", "RS256", "typ", "JWT", "kid", source->key_id)) &&
           pom_buffer_text(out, ".") &&
           append_json(out, json_pack("{s:s, s:s, s:s, s:I, s:I}", "iss", source->email, "scope",
                                "https://www.googleapis.com/auth/devstorage.read_write", "aud", source->token_uri,
                                "iat", (json_int_t)now, "exp", (json_int_t)now + LIFETIME_S));
}

static EVP_PKEY *read_key(const char *pem) {
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"") : NULL;
    BIO_free(bio);
    if (key && EVP_PKEY_base_id(key) == EVP_PKEY_RSA)
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

/* Appends the signature of what was appended since `from`. */
static bool append_signature(struct pom_buffer *out, size_t from, EVP_PKEY *key) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t n = (size_t)EVP_PKEY_size(key);
    unsigned char *signature = malloc(n);
    bool good = context && signature && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestSign(context, signature, &n, (const unsigned char *)out->data + from, out->size - from) == 1;
    good = good && pom_buffer_text(out, ".") && append_base64url(out, signature, n);
    free(signature);
    EVP_MD_CTX_free(context);
    return good;
}

enum pom_status pom_gs_assertion(
    const struct pom_gs_source *source, time_t now, struct pom_buffer *out, struct pom_message *msg) {
    size_t from = out->size;
    EVP_PKEY *key = read_key(source->private_key);
    if (!key)
        return pom_fail(msg, POM_ERR_FORMAT,
            "%s: its private_key is no RSA key in PEM: download the service account's key again", source->origin);
    bool good = append_claims(out, source, now) && append_signature(out, from, key);
    EVP_PKEY_free(key);
    return good ? POM_OK : pom_fail_memory(msg, "a token");
}
