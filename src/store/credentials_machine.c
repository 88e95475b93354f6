/* Credentials of the machine that we run on: a container's (ECS, EKS Pod Identity), an EC2 instance's (metadata service
 * version 2). */
#include "base/file.h"
#include "store/credentials_places.h"
#include "store/fetch.h"
#include <curl/curl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONTAINER_MS = 5000, CONTAINER_ATTEMPTS = 3, INSTANCE_MS = 1000, INSTANCE_ATTEMPTS = 2, MAX_TOKEN = 16384 };

/* Plain HTTP only to this machine, as the AWS tools have it: a token goes with the request. */
static bool is_trusted(const char *url) {
    static const char *const hosts[] = {
        "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", "localhost", "127.0.0.1", "[::1]"};
    char *scheme = NULL, *host = NULL;
    CURLU *parsed = curl_url();
    bool good = parsed && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
                curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK;
    bool trusted = good && strcmp(scheme, "https") == 0;
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts && good; i++)
        trusted = trusted || strcmp(host, hosts[i]) == 0;
    curl_free(scheme);
    curl_free(host);
    curl_url_cleanup(parsed);
    return trusted;
}

/* The token that goes with the request: in the environment, or in a file that is replaced now and then. */
static enum pom_status container_token(struct pom_buffer *out, struct pom_message *msg) {
    const char *file = pom_setting("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    const char *token = pom_setting("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    if (file)
        POM_TRY(pom_file_read(file, MAX_TOKEN, out, msg));
    else if (!pom_buffer_text(out, token ? token : ""))
        return pom_fail_memory(msg, "a token");
    out->data[strcspn(out->data, "\r\n")] = '\0';
    return POM_OK;
}

static enum pom_status ask_container(
    struct pom_search *search, const char *url, const char *token, struct pom_message *msg) {
    struct pom_buffer answer = {0};
    int status_code = 0;
    const struct pom_fetch fetch = {.method = "GET",
        .url = url,
        .headers = {{*token ? "Authorization" : NULL, token}},
        .deadline_ms = CONTAINER_MS,
        .attempts = CONTAINER_ATTEMPTS,
        .direct = true,
        .cancel = search->cancel};
    enum pom_status status = pom_fetch(&fetch, &status_code, &answer, msg);
    if (status == POM_OK && status_code != 200)
        status = pom_fail(msg, POM_ERR_NETWORK, "status %d", status_code);
    if (status == POM_OK)
        status = pom_credentials_from_json(answer.data, answer.size, NULL, &search->found, msg);
    if (answer.data)
        OPENSSL_cleanse(answer.data, answer.capacity);
    pom_buffer_clean_up(&answer);
    return status == POM_OK ? status : pom_fail_in(msg, status, "the container's credentials (%.80s)", url);
}

enum pom_status pom_find_in_container(struct pom_search *search, struct pom_message *msg) {
    const char *relative = pom_setting("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    const char *full = pom_setting("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    char url[512];
    if (!relative && !full) {
        snprintf(search->absence, sizeof search->absence, "no container (AWS_CONTAINER_CREDENTIALS_*)");
        return POM_ERR_NOT_FOUND;
    }
    snprintf(url, sizeof url, "%s%s", relative ? "http://169.254.170.2" : "", relative ? relative : full);
    if (!is_trusted(url))
        return pom_fail(msg, POM_ERR_ARGUMENT,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI is %.120s: only https:// and this machine may be asked for credentials",
            url);
    struct pom_buffer token = {0};
    enum pom_status status = container_token(&token, msg);
    if (status == POM_OK)
        status = ask_container(search, url, token.data, msg);
    if (token.data)
        OPENSSL_cleanse(token.data, token.capacity);
    pom_buffer_clean_up(&token);
    snprintf(search->origin, sizeof search->origin, "the container's role");
    return status;
}

struct instance {
    struct pom_search *search;
    const char *endpoint;
    struct pom_buffer token;
};

static enum pom_status ask_instance(const struct instance *instance, const char *method, const char *path,
    const struct pom_pair *header, struct pom_buffer *out, struct pom_message *msg) {
    char url[512];
    int status_code = 0;
    snprintf(url, sizeof url, "%s%s", instance->endpoint, path);
    const struct pom_fetch fetch = {.method = method,
        .url = url,
        .headers = {*header},
        .deadline_ms = INSTANCE_MS,
        .attempts = INSTANCE_ATTEMPTS,
        .direct = true,
        .cancel = instance->search->cancel};
    POM_TRY(pom_fetch(&fetch, &status_code, out, msg));
    if (status_code == 200 && out->size > 0)
        return POM_OK;
    return pom_fail(msg, status_code == 404 ? POM_ERR_NOT_FOUND : POM_ERR_NETWORK,
        "the instance's metadata (%.100s): status %d", url, status_code);
}

static enum pom_status ask_role(struct instance *instance, struct pom_message *msg) {
    static const char folder[] = "/latest/meta-data/iam/security-credentials/";
    const struct pom_pair header = {"X-aws-ec2-metadata-token", instance->token.data};
    struct pom_buffer role = {0}, answer = {0};
    char path[256];
    enum pom_status status = ask_instance(instance, "GET", folder, &header, &role, msg);
    if (status == POM_OK) {
        role.data[strcspn(role.data, "\r\n")] = '\0';
        snprintf(path, sizeof path, "%s%.120s", folder, role.data);
        snprintf(instance->search->origin, POM_ORIGIN_BYTES, "the instance's role %.60s", role.data);
        status = ask_instance(instance, "GET", path, &header, &answer, msg);
    }
    if (status == POM_OK)
        status = pom_credentials_from_json(answer.data, answer.size, NULL, &instance->search->found, msg);
    if (answer.data)
        OPENSSL_cleanse(answer.data, answer.capacity);
    pom_buffer_clean_up(&answer);
    pom_buffer_clean_up(&role);
    return status;
}

enum pom_status pom_find_in_instance(struct pom_search *search, struct pom_message *msg) {
    static const struct pom_pair lifetime = {"X-aws-ec2-metadata-token-ttl-seconds", "21600"};
    const char *disabled = pom_setting("AWS_EC2_METADATA_DISABLED");
    const char *endpoint = pom_setting("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    struct instance instance = {.search = search, .endpoint = endpoint ? endpoint : "http://169.254.169.254"};
    if (disabled && strcasecmp(disabled, "true") == 0) {
        snprintf(search->absence, sizeof search->absence, "instance metadata is off (AWS_EC2_METADATA_DISABLED)");
        return POM_ERR_NOT_FOUND;
    }
    enum pom_status status = ask_instance(&instance, "PUT", "/latest/api/token", &lifetime, &instance.token, NULL);
    if (status != POM_OK && status != POM_ERR_CANCELLED) {
        snprintf(search->absence, sizeof search->absence, "no instance metadata at %.50s", instance.endpoint);
        status = POM_ERR_NOT_FOUND;
    } else if (status == POM_OK && (status = ask_role(&instance, msg)) == POM_ERR_NOT_FOUND) {
        snprintf(search->absence, sizeof search->absence, "this instance has no role");
    }
    pom_buffer_clean_up(&instance.token);
    return status;
}
