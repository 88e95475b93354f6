#include "base/hash.h"

#include <openssl/evp.h>

void pom_hex(const unsigned char *bytes, size_t n, char *out) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    *out = '\0';
}

static enum pom_status digest(const EVP_MD *kind, const void *data, size_t n, char *hex, struct pom_message *msg) {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    if (EVP_Digest(data, n, bytes, &size, kind, NULL) != 1)
        return pom_fail(msg, POM_ERR_INTERNAL, "OpenSSL has no %s", EVP_MD_get0_name(kind));
    pom_hex(bytes, size, hex);
    return POM_OK;
}

enum pom_status pom_sha256(const void *data, size_t n, char hex[POM_SHA256_HEX], struct pom_message *msg) {
    return digest(EVP_sha256(), data, n, hex, msg);
}

static bool update_by_pieces(EVP_MD_CTX *context, const struct pom_map *map) {
    enum { PIECE = 4 << 20 };
    bool good = EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;
    for (size_t at = 0, n; good && at < map->size; at += n) {
        n = map->size - at < PIECE ? map->size - at : PIECE;
        good = EVP_DigestUpdate(context, map->data + at, n) == 1;
        pom_file_let_go(map->data + at, n);
    }
    return good;
}

enum pom_status pom_sha256_map(const struct pom_map *map, char hex[POM_SHA256_HEX], struct pom_message *msg) {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context && update_by_pieces(context, map) && EVP_DigestFinal_ex(context, bytes, &size) == 1;
    EVP_MD_CTX_free(context);
    if (!good)
        return pom_fail(msg, POM_ERR_INTERNAL, "OpenSSL could not compute a SHA-256");
    pom_hex(bytes, size, hex);
    return POM_OK;
}

enum pom_status pom_md5(const void *data, size_t n, char hex[POM_MD5_HEX], struct pom_message *msg) {
    return digest(EVP_md5(), data, n, hex, msg);
}
