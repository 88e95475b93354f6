/* What is worth knowing of a bucket before a job runs on it. */
#include "store/examine.h"
#include "store/fetch.h"
#include "store/s3.h"
#include "store/s3_xml.h"
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    MAX_ANSWER = 1 << 20,
    ATTEMPTS = 2,
    WORLD_MS = 5000,
    SKEW_S = 60,      /* that is worth a word */
    MOST_SKEW_S = 900 /* that S3 takes */
};

static void examine_identity(struct pom_s3 *s3, const struct pom_examiner *examiner) {
    char text[200];
    struct pom_credentials now = {0};
    uint64_t generation = 0;
    pom_identity_describe(s3->identity, text, sizeof text);
    pom_examiner_tell(examiner, POM_FINDING_GOOD, "identity", "%s", text);
    if (pom_identity_is_anonymous(s3->identity) || !pom_identity_get(s3->identity, &now, &generation))
        return;
    if (now.expires)
        pom_examiner_tell(examiner, POM_FINDING_GOOD, "identity",
            "these credentials end in %lld minutes, and are renewed", (long long)(now.expires - time(NULL)) / 60);
    else if (!now.token)
        pom_examiner_tell(examiner, s3->config.host ? POM_FINDING_NOTE : POM_FINDING_WARNING, "identity",
            "this is a static key that never expires: whoever finds it can use it. On AWS, a role (of the instance, "
            "the "
            "container or by SSO) is safer");
    pom_credentials_clean_up(&now);
}

static void examine_place(struct pom_s3 *s3, const struct pom_examiner *examiner) {
    char region[POM_S3_REGION];
    pom_s3_region(s3, region);
    bool corrected = strcmp(region, s3->config.region) != 0;
    pom_examiner_tell(examiner, corrected ? POM_FINDING_WARNING : POM_FINDING_GOOD, "region",
        corrected ? "the bucket is in %s, and %s is set: each run asks twice at first; set AWS_REGION" : "%s", region,
        s3->config.region);
    bool plain = s3->config.scheme && strcmp(s3->config.scheme, "http") == 0;
    bool near = plain && (strncmp(s3->config.host, "127.", 4) == 0 || strncmp(s3->config.host, "localhost", 9) == 0);
    if (s3->config.host)
        pom_examiner_tell(examiner, plain && !near ? POM_FINDING_WARNING : POM_FINDING_GOOD, "endpoint",
            "%s://%.200s%s", s3->config.scheme, s3->config.host,
            plain && !near ? ": not encrypted on its way; use https://" : "");
}

/* What S3 does by itself since January 2023 is left to it, as a bucket may be set to more. */
static void examine_encryption(const struct pom_s3 *s3, const struct pom_examiner *examiner) {
    const struct pom_s3_config *config = &s3->config;
    if (config->encryption)
        pom_examiner_tell(examiner, POM_FINDING_GOOD, "encryption", "what is written is encrypted at rest: %s%s%.100s",
            config->encryption, config->kms_key ? ", key " : "", config->kms_key ? config->kms_key : "");
    else if (!config->host)
        pom_examiner_tell(examiner, POM_FINDING_GOOD, "encryption",
            "what is written is encrypted at rest as the bucket is set, by S3's own keys at least");
    else
        pom_examiner_tell(examiner, POM_FINDING_NOTE, "encryption",
            "as this server is set; --s3-encryption AES256 or aws:kms asks for encryption at rest");
}

static void tell_clock(const struct pom_examiner *examiner, const struct pom_http_transfer *answer) {
    char date[64];
    pom_http_header(answer, "date", date, sizeof date);
    time_t theirs = curl_getdate(date, NULL);
    if (theirs < 0)
        return;
    long long skew = (long long)(time(NULL) - theirs), size = skew < 0 ? -skew : skew;
    if (size <= SKEW_S)
        pom_examiner_tell(examiner, POM_FINDING_GOOD, "clock", "within %lld s of the server's", size + 1);
    else
        pom_examiner_tell(examiner, POM_FINDING_WARNING, "clock", "this machine's is %lld s %s: %s", size,
            skew > 0 ? "ahead" : "behind", size > MOST_SKEW_S ? "signatures are refused for that; set it" : "set it");
}

static void examine_clock(struct pom_s3 *s3, const struct pom_examiner *examiner) {
    struct pom_s3_request request = {
        .method = "GET", .request = {.subject = s3->store.prefix, .max_bytes = MAX_ANSWER, .most_attempts = ATTEMPTS}};
    pom_s3_parameter(&request, "list-type", "2");
    pom_s3_parameter(&request, "max-keys", "1");
    pom_s3_parameter(&request, "prefix", s3->uri.key);
    if (pom_client_run(s3->client, &request.request, NULL) == POM_OK)
        tell_clock(examiner, request.request.answer);
    pom_request_clean_up(&request.request);
}

/* Asks as nobody. */
static void examine_openness(struct pom_s3 *s3, const struct pom_examiner *examiner) {
    char url[512], region[POM_S3_REGION];
    struct pom_buffer answer = {0};
    int status = 0;
    pom_s3_region(s3, region);
    if (s3->config.host)
        snprintf(
            url, sizeof url, "%s://%s/%s?list-type=2&max-keys=1", s3->config.scheme, s3->config.host, s3->uri.bucket);
    else
        snprintf(url, sizeof url, "https://s3.%s.amazonaws.com/%s?list-type=2&max-keys=1", region, s3->uri.bucket);
    const struct pom_fetch fetch = {.method = "GET", .url = url, .deadline_ms = WORLD_MS, .attempts = 1};
    if (pom_fetch(&fetch, &status, &answer, NULL) != POM_OK)
        return;
    if (status == 200)
        pom_examiner_tell(examiner, POM_FINDING_WARNING, "public",
            "everyone on the internet can list this bucket: unless that is meant, block public access");
    else
        pom_examiner_tell(examiner, POM_FINDING_GOOD, "public", "the bucket cannot be listed without credentials");
    pom_buffer_clean_up(&answer);
}

static enum pom_status begin_upload(
    struct pom_s3 *s3, const char *path, char *id, size_t size, struct pom_message *msg) {
    static const char root[] = "InitiateMultipartUploadResult";
    struct pom_s3_request request = {.method = "POST",
        .key = pom_s3_key(s3, path),
        .request = {.subject = path, .max_bytes = MAX_ANSWER, .most_attempts = ATTEMPTS}};
    pom_s3_parameter(&request, "uploads", "");
    pom_s3_add_encryption(s3, &request);
    enum pom_status status = pom_client_run(s3->client, &request.request, msg);
    if (status == POM_OK)
        pom_xml_text(
            request.request.answer->answer.data, request.request.answer->answer.size, root, root, "UploadId", id, size);
    pom_request_clean_up(&request.request);
    return status;
}

static enum pom_status abort_upload(struct pom_s3 *s3, const char *path, const char *id, struct pom_message *msg) {
    struct pom_s3_request request = {.method = "DELETE",
        .key = pom_s3_key(s3, path),
        .request = {.subject = path, .max_bytes = MAX_ANSWER, .most_attempts = ATTEMPTS}};
    pom_s3_parameter(&request, "uploadId", id);
    enum pom_status status = pom_client_run(s3->client, &request.request, msg);
    pom_request_clean_up(&request.request);
    return status;
}

/* Large tables go up in parts: one such upload is begun, and given up. */
static void examine_parts(struct pom_s3 *s3, const struct pom_examiner *examiner) {
    char path[512], id[2048] = "";
    struct pom_message msg = {0};
    snprintf(path, sizeof path, "%s%spomona-doctor-%ld", s3->store.prefix, s3->folder ? "" : "-", (long)getpid());
    enum pom_status status = begin_upload(s3, path, id, sizeof id, &msg);
    if (status == POM_OK && *id)
        status = abort_upload(s3, path, id, &msg);
    if (status == POM_OK)
        pom_examiner_tell(examiner, POM_FINDING_GOOD, "multipart", "an upload in parts was begun and given up");
    else
        pom_examiner_tell(examiner, POM_FINDING_BAD, "multipart", "%s", msg.text);
}

void pom_s3_examine(struct pom_store *store, bool write, const struct pom_examiner *examiner) {
    struct pom_s3 *s3 = (struct pom_s3 *)store;
    examine_identity(s3, examiner);
    examine_place(s3, examiner);
    examine_clock(s3, examiner);
    examine_openness(s3, examiner);
    if (!write)
        return;
    examine_encryption(s3, examiner);
    examine_parts(s3, examiner);
}
