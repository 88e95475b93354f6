/* Whole files to and from a bucket. */
#include "base/file.h"
#include "store/s3.h"
#include <stdio.h>
#include <string.h>

enum { MAX_ANSWER = 1 << 20, LEAST_BYTES_PER_MS = 256 };

static const size_t range_bytes = (size_t)32 << 20;

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

/* The bytes from `at` on, appended to the file. */
static enum pom_status fetch_range(struct pom_s3 *s3, const char *path, const struct pom_s3_head *head, uint64_t at,
    FILE *file, struct pom_message *msg) {
    char range[64];
    size_t n = head->size - at < range_bytes ? (size_t)(head->size - at) : range_bytes;
    struct pom_s3_request request = {
        .method = "GET",
        .key = pom_s3_key(s3, path),
        .request = {.subject = path, .max_bytes = n, .deadline_ms = pom_s3_deadline_ms(n)},
    };
    snprintf(range, sizeof range, "bytes=%llu-%llu", (unsigned long long)at, (unsigned long long)(at + n - 1));
    pom_s3_header(&request, "range", range);
    pom_s3_header(&request, "if-match", head->etag);
    enum pom_status status = pom_client_run(s3->client, &request.request, msg);
    if (status == POM_OK) {
        const struct pom_buffer *answer = &request.request.answer->answer;
        if (answer->size != n)
            status =
                pom_fail(msg, POM_ERR_NETWORK, "%s: %zu bytes came where %zu were asked for", path, answer->size, n);
        else if (fwrite(answer->data, 1, n, file) != n)
            status = pom_fail_errno(msg, POM_ERR_IO, "cannot keep a copy of %s", path);
    }
    pom_request_clean_up(&request.request);
    return status;
}

enum pom_status pom_s3_download(struct pom_s3 *s3, const char *path, const char *file, struct pom_message *msg) {
    struct pom_s3_head head;
    POM_TRY(pom_s3_head(s3, path, &head, msg));
    if (!head.found)
        return pom_fail(msg, POM_ERR_NOT_FOUND, "%s is not there", path);
    FILE *copy = fopen(file, "wbe");
    if (!copy)
        return pom_fail_errno(msg, POM_ERR_IO, "cannot write %s", file);
    enum pom_status status = POM_OK;
    for (uint64_t at = 0; at < head.size && status == POM_OK; at += range_bytes)
        status = fetch_range(s3, path, &head, at, copy, msg);
    if (fclose(copy) != 0 && status == POM_OK)
        status = pom_fail_errno(msg, POM_ERR_IO, "cannot write %s", file);
    return status;
}
