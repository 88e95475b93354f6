#include "base/hash.h"

#include <openssl/evp.h>
#include <stdio.h>

static enum pom_status digest(const EVP_MD *kind, const void *data, size_t n, char *hex, struct pom_message *msg) {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    if (EVP_Digest(data, n, bytes, &size, kind, NULL) != 1)
        return pom_fail(msg, POM_ERR_INTERNAL, "OpenSSL has no %s", EVP_MD_get0_name(kind));
    for (unsigned int i = 0; i < size; i++)
        snprintf(hex + 2 * (size_t)i, 3, "%02x", bytes[i]);
    return POM_OK;
}

enum pom_status pom_sha256(const void *data, size_t n, char hex[POM_SHA256_HEX], struct pom_message *msg) {
    return digest(EVP_sha256(), data, n, hex, msg);
}

enum pom_status pom_md5(const void *data, size_t n, char hex[POM_MD5_HEX], struct pom_message *msg) {
    return digest(EVP_md5(), data, n, hex, msg);
}
