#include "store/uri.h"

#include "base/memory.h"
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BUCKET = 255, MAX_KEY = 1024 }; /* bytes; S3's limit of a key, and more than any store's of a bucket */

static bool is_plain(unsigned char c, const char *keep) {
    return (c < 0x80 && isalnum(c)) || (c && (strchr("-._~", c) || strchr(keep, c)));
}

bool pom_uri_encode(struct pom_buffer *out, const char *text, const char *keep) {
    static const char digits[] = "0123456789ABCDEF";
    size_t n = strlen(text);
    if (n > SIZE_MAX / 3 || !pom_buffer_reserve(out, 3 * n))
        return false;
    char *to = out->data + out->size;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (is_plain(c, keep)) {
            *to++ = *text;
            continue;
        }
        *to++ = '%';
        *to++ = digits[c >> 4];
        *to++ = digits[c & 15];
    }
    *to = '\0';
    out->size = (size_t)(to - out->data);
    return true;
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool pom_uri_decode(char *text, bool plus) {
    char *to = text;
    for (const char *from = text; *from; from++) {
        int high = *from == '%' ? hex_value(from[1]) : -1, low = high >= 0 ? hex_value(from[2]) : -1;
        if (low >= 0) {
            *to = (char)(high * 16 + low);
            from += 2;
        } else {
            *to = plus && *from == '+' ? ' ' : *from;
        }
        if (!*to++)
            return false;
    }
    *to = '\0';
    return true;
}

static bool is_bucket_name(const char *name, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr(".-_", name[i]))
            return false;
    return n > 0 && n <= MAX_BUCKET && isalnum((unsigned char)name[0]);
}

enum pom_status pom_bucket_uri_parse(const char *location, struct pom_bucket_uri *out, struct pom_message *msg) {
    const char *bucket = strstr(location, "://");
    bucket = bucket ? bucket + 3 : location;
    size_t n = strcspn(bucket, "/");
    const char *key = bucket + n + (bucket[n] == '/');
    if (!is_bucket_name(bucket, n))
        return pom_fail(msg, POM_ERR_ARGUMENT,
            "%s names no bucket: write s3://BUCKET/FOLDER or gs://BUCKET/FOLDER, with a bucket's name (letters, "
            "digits, '.', '-', '_'), not "
            "an ARN",
            location);
    if (strlen(key) > MAX_KEY)
        return pom_fail(msg, POM_ERR_ARGUMENT, "%.60s...: a key has at most %d bytes", location, MAX_KEY);
    out->bucket = pom_strndup(bucket, n);
    out->key = strdup(key);
    if (out->bucket && out->key)
        return POM_OK;
    pom_bucket_uri_clean_up(out);
    return pom_fail_memory(msg, location);
}

void pom_bucket_uri_clean_up(struct pom_bucket_uri *uri) {
    free(uri->bucket);
    free(uri->key);
    *uri = (struct pom_bucket_uri){0};
}
