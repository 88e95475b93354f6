/* Whole files to and from a bucket. */
#include "base/file.h"
#include "store/pieces.h"
#include "store/s3.h"
#include <stdio.h>
#include <string.h>

enum { MAX_ANSWER = 1 << 20, LEAST_BYTES_PER_MS = 256 };

enum pom_status pom_s3_digest(const char *file, char hex[POM_SHA256_HEX], struct pom_message *msg) {
    struct pom_map map;
    POM_TRY(pom_file_map(file, &map, msg));
    enum pom_status status = pom_sha256(map.data, map.size, hex, msg);
    pom_file_unmap(&map);
    return status;
}

int pom_s3_deadline_ms(size_t bytes) {
    return POM_CLIENT_DEADLINE_MS + (int)(bytes / LEAST_BYTES_PER_MS);
}

void pom_s3_add_encryption(const struct pom_s3 *s3, struct pom_s3_request *request) {
    pom_s3_header(request, "x-amz-server-side-encryption", s3->config.encryption);
    pom_s3_header(request, "x-amz-server-side-encryption-aws-kms-key-id", s3->config.kms_key);
}

static enum pom_status put(
    struct pom_s3 *s3, const struct pom_map *map, const char *digest, const char *path, struct pom_message *msg) {
    struct pom_s3_request request = {
        .method = "PUT",
        .key = pom_s3_key(s3, path),
        .body = map->data,
        .body_size = map->size,
        .body_sha256 = digest,
        .accept = pom_s3_has_etag,
        .request = {.subject = path, .max_bytes = MAX_ANSWER, .deadline_ms = pom_s3_deadline_ms(map->size)},
    };
    pom_s3_header(&request, POM_S3_DIGEST, digest);
    pom_s3_add_encryption(s3, &request);
    enum pom_status status = pom_client_run(s3->client, &request.request, msg);
    pom_request_clean_up(&request.request);
    return status;
}

enum pom_status pom_s3_upload(struct pom_s3 *s3, const char *file, const char *path, struct pom_message *msg) {
    char digest[POM_SHA256_HEX];
    struct pom_map map;
    POM_TRY(pom_file_map(file, &map, msg));
    enum pom_status status = pom_sha256(map.data, map.size, digest, msg);
    if (status == POM_OK)
        status = map.size > POM_S3_ONE_PUT ? pom_s3_upload_parts(s3, &map, digest, path, msg)
                                           : put(s3, &map, digest, path, msg);
    pom_file_unmap(&map);
    return status;
}

/* An object being copied. */
struct copied {
    struct pom_s3 *s3;
    const char *path;
    struct pom_s3_head head;
};

static enum pom_status read_range(void *user, uint64_t at, size_t n, struct pom_buffer *out, struct pom_message *msg) {
    const struct copied *copied = user;
    char range[64];
    struct pom_s3_request request = {
        .method = "GET",
        .key = pom_s3_key(copied->s3, copied->path),
        .request = {.subject = copied->path, .max_bytes = n, .deadline_ms = pom_s3_deadline_ms(n)},
    };
    snprintf(range, sizeof range, "bytes=%llu-%llu", (unsigned long long)at, (unsigned long long)(at + n - 1));
    pom_s3_header(&request, "range", range);
    pom_s3_header(&request, "if-match", copied->head.etag);
    enum pom_status status = pom_client_run(copied->s3->client, &request.request, msg);
    if (status == POM_OK) {
        struct pom_buffer *answer = &request.request.answer->answer;
        if (answer->size != n)
            status = pom_fail(
                msg, POM_ERR_NETWORK, "%s: %zu bytes came where %zu were asked for", copied->path, answer->size, n);
        *out = *answer;
        *answer = (struct pom_buffer){0};
    }
    pom_request_clean_up(&request.request);
    return status;
}

enum pom_status pom_s3_download(struct pom_s3 *s3, const char *path, const char *file, struct pom_message *msg) {
    struct copied copied = {.s3 = s3, .path = path};
    POM_TRY(pom_s3_head(s3, path, &copied.head, msg));
    if (!copied.head.found)
        return pom_fail(msg, POM_ERR_NOT_FOUND, "%s is not there", path);
    return pom_pieces_copy(copied.head.size, read_range, &copied, file, msg);
}
