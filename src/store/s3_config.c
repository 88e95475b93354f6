#include "store/s3_config.h"

#include "base/buffer.h"
#include "store/aws_profile.h"
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char region_letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

static char *part(CURLU *url, CURLUPart which) {
    char *text = NULL, *copy = NULL;
    if (curl_url_get(url, which, &text, 0) == CURLUE_OK)
        copy = strdup(text);
    curl_free(text);
    return copy;
}

/* The host as a request names it: with its port, but for the usual one. */
static char *host_of(CURLU *url, const char *scheme) {
    struct pom_buffer host = {0};
    char *name = part(url, CURLUPART_HOST), *port = part(url, CURLUPART_PORT);
    bool usual = !port || strcmp(port, strcmp(scheme, "https") == 0 ? "443" : "80") == 0;
    bool good = name && pom_buffer_printf(&host, "%s%s%s", name, usual ? "" : ":", usual ? "" : port);
    free(name);
    free(port);
    return good ? host.data : NULL;
}

static enum pom_status parse_endpoint(const char *endpoint, struct pom_s3_config *out, struct pom_message *msg) {
    CURLU *url = curl_url();
    bool good = url && curl_url_set(url, CURLUPART_URL, endpoint, 0) == CURLUE_OK;
    char *path = good ? part(url, CURLUPART_PATH) : NULL;
    out->scheme = good ? part(url, CURLUPART_SCHEME) : NULL;
    out->host = out->scheme ? host_of(url, out->scheme) : NULL;
    bool plain = out->host && path && strcmp(path, "/") == 0 && strncmp(out->scheme, "http", 4) == 0;
    free(path);
    curl_url_cleanup(url);
    if (!plain)
        return pom_fail(msg, POM_ERR_ARGUMENT,
            "the endpoint '%s' is not of the form https://HOST:PORT: set AWS_ENDPOINT_URL_S3 right, or leave it out "
            "for AWS",
            endpoint);
    return POM_OK;
}

/* A bucket's name with dots fits no certificate. Servers other than AWS know their bucket by the path in any case. */
static enum pom_status read_addressing(
    const char *bucket, const struct pom_aws_profile *profile, struct pom_s3_config *out, struct pom_message *msg) {
    const char *style = pom_setting("POMONA_S3_ADDRESSING");
    if (!style)
        style = pom_aws_profile_get(profile, "s3.addressing_style");
    out->virtual_host = !out->host && !strchr(bucket, '.');
    if (!style || strcmp(style, "auto") == 0)
        return POM_OK;
    out->virtual_host = strcmp(style, "virtual") == 0;
    if (!out->virtual_host && strcmp(style, "path") != 0)
        return pom_fail(msg, POM_ERR_ARGUMENT, "POMONA_S3_ADDRESSING is '%.40s': it is auto, path or virtual", style);
    return POM_OK;
}

static const char *first_of(const char *a, const char *b, const char *c) {
    return a ? a : b ? b : c;
}

static enum pom_status read_region(
    const struct pom_aws_profile *profile, struct pom_s3_config *out, struct pom_message *msg) {
    const char *region =
        first_of(pom_setting("AWS_REGION"), pom_setting("AWS_DEFAULT_REGION"), pom_aws_profile_get(profile, "region"));
    if (!region)
        region = "us-east-1"; /* which tells the right one of any other bucket */
    if (strlen(region) >= sizeof out->region || strspn(region, region_letters) != strlen(region))
        return pom_fail(
            msg, POM_ERR_ARGUMENT, "AWS_REGION is '%.40s', which is no region such as eu-central-1", region);
    snprintf(out->region, sizeof out->region, "%s", region);
    return POM_OK;
}

/* *out is NULL where the variable is not set. */
static enum pom_status copy_setting(const char *name, char **out, struct pom_message *msg) {
    const char *value = pom_setting(name);
    *out = value ? strdup(value) : NULL;
    return value && !*out ? pom_fail_memory(msg, name) : POM_OK;
}

static enum pom_status read_all(
    const char *bucket, const struct pom_aws_profile *profile, struct pom_s3_config *out, struct pom_message *msg) {
    const char *endpoint = first_of(pom_setting("AWS_ENDPOINT_URL_S3"), pom_setting("AWS_ENDPOINT_URL"),
        pom_aws_profile_get(profile, "endpoint_url"));
    if (endpoint)
        POM_TRY(parse_endpoint(endpoint, out, msg));
    POM_TRY(read_region(profile, out, msg));
    const char *payer = pom_setting("POMONA_REQUEST_PAYER");
    out->request_payer = payer && strcmp(payer, "true") == 0;
    POM_TRY(copy_setting("POMONA_S3_ENCRYPTION", &out->encryption, msg));
    POM_TRY(copy_setting("POMONA_S3_KMS_KEY", &out->kms_key, msg));
    return read_addressing(bucket, profile, out, msg);
}

enum pom_status pom_s3_config_read(const char *bucket, struct pom_s3_config *out, struct pom_message *msg) {
    struct pom_aws_profile profile = {0};
    enum pom_status status = pom_aws_profile_read(&profile, msg);
    if (status == POM_OK)
        status = read_all(bucket, &profile, out, msg);
    pom_aws_profile_clean_up(&profile);
    return status;
}

void pom_s3_config_clean_up(struct pom_s3_config *config) {
    free(config->scheme);
    free(config->host);
    free(config->encryption);
    free(config->kms_key);
    *config = (struct pom_s3_config){0};
}
