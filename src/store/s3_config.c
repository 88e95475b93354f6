#include "store/s3_config.h"

#include "base/buffer.h"
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

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
static enum pom_status read_addressing(const char *bucket, struct pom_s3_config *out, struct pom_message *msg) {
    const char *style = setting("POMONA_S3_ADDRESSING");
    out->virtual_host = !out->host && !strchr(bucket, '.');
    if (!style || strcmp(style, "auto") == 0)
        return POM_OK;
    out->virtual_host = strcmp(style, "virtual") == 0;
    if (!out->virtual_host && strcmp(style, "path") != 0)
        return pom_fail(msg, POM_ERR_ARGUMENT, "POMONA_S3_ADDRESSING is '%s': it is auto, path or virtual", style);
    return POM_OK;
}

static enum pom_status read_region(struct pom_s3_config *out, struct pom_message *msg) {
    const char *region = setting("AWS_REGION");
    if (!region)
        region = setting("AWS_DEFAULT_REGION");
    if (!region)
        region = "us-east-1"; /* which tells the right one of any other bucket */
    if (strlen(region) >= sizeof out->region ||
        strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(region))
        return pom_fail(msg, POM_ERR_ARGUMENT, "AWS_REGION is '%s', which is no region such as eu-central-1", region);
    snprintf(out->region, sizeof out->region, "%s", region);
    return POM_OK;
}

enum pom_status pom_s3_config_read(const char *bucket, struct pom_s3_config *out, struct pom_message *msg) {
    const char *endpoint = setting("AWS_ENDPOINT_URL_S3");
    if (!endpoint)
        endpoint = setting("AWS_ENDPOINT_URL");
    if (endpoint)
        POM_TRY(parse_endpoint(endpoint, out, msg));
    POM_TRY(read_region(out, msg));
    out->request_payer = setting("POMONA_S3_REQUEST_PAYER");
    out->encryption = setting("POMONA_S3_ENCRYPTION");
    out->kms_key = setting("POMONA_S3_KMS_KEY");
    return read_addressing(bucket, out, msg);
}

void pom_s3_config_clean_up(struct pom_s3_config *config) {
    free(config->scheme);
    free(config->host);
    *config = (struct pom_s3_config){0};
}
