/* Bytes from outside: the answers of S3, Google Cloud Storage and WebHDFS, the files of the AWS tools and of gcloud,
 * locations. The first byte says which. */
#include "base/buffer.h"
#include "store/credentials_places.h"
#include "store/gs_json.h"
#include "store/gs_source.h"
#include "store/hdfs_json.h"
#include "store/ini.h"
#include "store/s3_xml.h"
#include "store/uri.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_xml(const char *text, size_t n) {
    struct pom_page page = {0};
    struct pom_s3_error error;
    char value[32];
    if (pom_s3_page_parse(text, n, &page, NULL) == POM_OK)
        for (size_t i = 0; i < page.n_objects; i++)
            if (page.objects[i].key && !*page.objects[i].key && page.objects[i].size == 1)
                abort(); /* a key is never empty, but by a NUL that it begins with */
    pom_page_clean_up(&page);
    pom_s3_error_parse(text, n, &error);
    pom_xml_text(
        text, n, "InitiateMultipartUploadResult", "InitiateMultipartUploadResult", "UploadId", value, sizeof value);
}

static void fuzz_ini(const char *text, size_t n) {
    struct pom_ini ini = {0};
    if (pom_ini_parse(&ini, text, n, NULL) == POM_OK) {
        for (size_t i = 0; i < ini.n; i++)
            pom_ini_get(&ini, ini.entries[i].section, ini.entries[i].name);
        pom_ini_get(&ini, "default", "s3.addressing_style");
    }
    pom_ini_clean_up(&ini);
}

static void fuzz_uri(const char *text) {
    struct pom_bucket_uri uri = {0};
    struct pom_buffer encoded = {0};
    if (pom_bucket_uri_parse(text, &uri, NULL) == POM_OK && pom_uri_encode(&encoded, uri.key, "/") &&
        (!pom_uri_decode(encoded.data, false) || strcmp(encoded.data, uri.key) != 0))
        abort();
    pom_buffer_clean_up(&encoded);
    pom_bucket_uri_clean_up(&uri);
}

static void fuzz_json(const char *text, size_t n) {
    struct pom_credentials credentials = {0};
    if (pom_credentials_from_json(text, n, NULL, &credentials, NULL) != POM_OK)
        pom_credentials_from_json(text, n, "roleCredentials", &credentials, NULL);
    pom_credentials_clean_up(&credentials);
}

static void fuzz_gs(const char *text, size_t n) {
    struct pom_page page = {0};
    struct pom_gs_error error;
    struct pom_remote_object object = {0};
    if (pom_gs_page_parse(text, n, &page, NULL) == POM_OK)
        for (size_t i = 0; i < page.n_objects; i++)
            if (page.objects[i].version[strspn(page.objects[i].version, "0123456789")])
                abort(); /* it goes into URLs as it is */
    pom_page_clean_up(&page);
    pom_gs_object_parse(text, n, &object, NULL);
    pom_gs_error_parse(text, n, &error);
}

static void fuzz_gs_source(const char *text, size_t n) {
    struct pom_gs_source source = {0};
    if (pom_gs_source_parse(text, n, "a file", &source, NULL) == POM_OK && !source.token_uri)
        abort();
    pom_gs_source_clean_up(&source);
}

static void fuzz_hdfs(const char *text, size_t n) {
    struct pom_hdfs_page page = {0};
    struct pom_hdfs_error error;
    if (pom_hdfs_page_parse(text, n, &page, NULL) == POM_OK)
        for (size_t i = 0; i < page.n; i++)
            if (strchr(page.entries[i].name, '/'))
                abort(); /* out of its folder */
    pom_hdfs_page_clean_up(&page);
    pom_hdfs_is_false(text, n);
    pom_hdfs_error_parse(text, n, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = size ? malloc(size) : NULL; /* NUL-terminated in place of the first byte */
    if (!text)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    switch (data[0] % 8) {
    case 0:
        fuzz_xml(text, size - 1);
        break;
    case 1:
        fuzz_ini(text, size - 1);
        break;
    case 2:
        fuzz_uri(text);
        break;
    case 4:
        fuzz_gs(text, size - 1);
        break;
    case 5:
        fuzz_gs_source(text, size - 1);
        break;
    case 6:
        fuzz_hdfs(text, size - 1);
        break;
    default:
        fuzz_json(text, size - 1);
    }
    free(text);
    return 0;
}
