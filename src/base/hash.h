/* Digests, by OpenSSL. */
#ifndef POM_BASE_HASH_H
#define POM_BASE_HASH_H

#include "base/file.h"
#include "base/status.h"
#include <stddef.h>

enum { POM_SHA256_HEX = 65, POM_MD5_HEX = 33 }; /* with the NUL */

/* Writes n bytes as 2n digits, in lower case, and a NUL. */
void pom_hex(const unsigned char *bytes, size_t n, char *out);

enum pom_status pom_sha256(const void *data, size_t n, char hex[POM_SHA256_HEX], struct pom_message *msg);

/* Of a map, whose pages are let go on the way. */
enum pom_status pom_sha256_map(const struct pom_map *map, char hex[POM_SHA256_HEX], struct pom_message *msg);

/* MD5, only because some published hashes of weight files are MD5. */
enum pom_status pom_md5(const void *data, size_t n, char hex[POM_MD5_HEX], struct pom_message *msg);

#endif
