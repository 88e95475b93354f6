/* Credentials of a role, from the Security Token Service: for a token that the platform gives (EKS and others), or for
 * the keys of another profile. */
#include "base/file.h"
#include "base/hash.h"
#include "store/credentials_places.h"
#include "store/fetch.h"
#include "store/s3_xml.h"
#include "store/uri.h"
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STS_MS = 10000, STS_ATTEMPTS = 5, MAX_TOKEN = 65536, MAX_VALUE = 16384 };

static const char form_type[] = "application/x-www-form-urlencoded";

static void wipe(struct pom_buffer *buffer) {
    if (buffer->data)
        OPENSSL_cleanse(buffer->data, buffer->capacity);
    pom_buffer_clean_up(buffer);
}

static void endpoint_of(const struct pom_search *search, char *out, size_t size) {
    const char *given = pom_setting("AWS_ENDPOINT_URL_STS");
    if (given)
        snprintf(out, size, "%s", given);
    else
        snprintf(out, size, "https://sts.%s.amazonaws.com%s/", search->region,
            strncmp(search->region, "cn-", 3) == 0 ? ".cn" : "");
}

static char *value_of(const struct pom_buffer *answer, const char *root, const char *name) {
    char *value = malloc(MAX_VALUE);
    if (value && pom_xml_text(answer->data, answer->size, root, "Credentials", name, value, MAX_VALUE) && *value)
        return value;
    free(value);
    return NULL;
}

static enum pom_status read_answer(
    const struct pom_buffer *answer, const char *root, struct pom_credentials *out, struct pom_message *msg) {
    char *expires = value_of(answer, root, "Expiration");
    struct pom_credentials read = {value_of(answer, root, "AccessKeyId"), value_of(answer, root, "SecretAccessKey"),
        value_of(answer, root, "SessionToken"), expires ? pom_time_from_text(expires) : 0};
    free(expires);
    if (!read.access_key || !read.secret_key || !read.token) {
        pom_credentials_clean_up(&read);
        return pom_fail(msg, POM_ERR_FORMAT, "the answer has no credentials");
    }
    pom_credentials_clean_up(out);
    *out = read;
    return POM_OK;
}

static enum pom_status refuse(const struct pom_buffer *answer, int status_code, struct pom_message *msg) {
    char code[64] = "", text[200] = "";
    pom_xml_text(answer->data, answer->size, "ErrorResponse", "Error", "Code", code, sizeof code);
    pom_xml_text(answer->data, answer->size, "ErrorResponse", "Error", "Message", text, sizeof text);
    return pom_fail(msg, POM_ERR_NETWORK, "refused with status %d %s: %s", status_code, code, text);
}

/* The host of "https://host/", as a request names it. */
static void host_of(const char *url, char *out, size_t size) {
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    snprintf(out, size, "%.*s", (int)strcspn(host, "/"), host);
}

/* The headers that sign the form for the keys of another profile. */
static enum pom_status sign(const struct pom_search *search, const struct pom_credentials *keys, const char *url,
    const struct pom_buffer *form, const char *now, struct pom_buffer *authorization, struct pom_message *msg) {
    char host[256], digest[POM_SHA256_HEX];
    struct pom_sigv4_cache cache = {0};
    const struct pom_sigv4_scope scope = {keys->access_key, keys->secret_key, search->region, "sts"};
    host_of(url, host, sizeof host);
    POM_TRY(pom_sha256(form->data, form->size, digest, msg));
    const struct pom_pair headers[] = {
        {"content-type", form_type}, {"host", host}, {"x-amz-date", now}, {"x-amz-security-token", keys->token}};
    const struct pom_sigv4_request request = {"POST", "/", "", headers, keys->token ? 4 : 3, digest};
    enum pom_status status = pom_sigv4_sign(&cache, &scope, &request, now, authorization, msg);
    OPENSSL_cleanse(&cache, sizeof cache);
    return status;
}

/* Sends the form, signed where there are keys to sign with, and takes the credentials from the answer. */
static enum pom_status ask(struct pom_search *search, const struct pom_credentials *keys, const struct pom_buffer *form,
    const char *root, const char *role, struct pom_message *msg) {
    char url[256], now[POM_SIGV4_TIME];
    int status_code = 0;
    struct pom_buffer answer = {0}, authorization = {0};
    endpoint_of(search, url, sizeof url);
    pom_sigv4_time(time(NULL), now);
    enum pom_status status = keys ? sign(search, keys, url, form, now, &authorization, msg) : POM_OK;
    const struct pom_fetch fetch = {.method = "POST",
        .url = url,
        .body = form->data,
        .headers = {{"Content-Type", form_type}, {keys ? "X-Amz-Date" : NULL, now},
            {"Authorization", authorization.data},
            {keys && keys->token ? "X-Amz-Security-Token" : NULL, keys ? keys->token : NULL}},
        .deadline_ms = STS_MS,
        .attempts = STS_ATTEMPTS,
        .cancel = search->cancel};
    if (status == POM_OK)
        status = pom_fetch(&fetch, &status_code, &answer, msg);
    if (status == POM_OK)
        status =
            status_code == 200 ? read_answer(&answer, root, &search->found, msg) : refuse(&answer, status_code, msg);
    wipe(&answer);
    wipe(&authorization);
    snprintf(search->origin, sizeof search->origin, "role %.100s", role);
    return status == POM_OK ? status : pom_fail_in(msg, status, "taking on %.120s at %.80s", role, url);
}

static bool add_field(struct pom_buffer *form, const char *name, const char *value) {
    return pom_buffer_printf(form, "%s%s=", form->size ? "&" : "", name) && pom_uri_encode(form, value, "");
}

static enum pom_status ask_with_token(
    struct pom_search *search, const char *file, const char *role, const char *session, struct pom_message *msg) {
    struct pom_buffer token = {0}, form = {0};
    enum pom_status status = pom_file_read(file, MAX_TOKEN, &token, msg);
    if (status == POM_OK) {
        token.data[strcspn(token.data, "\r\n")] = '\0';
        bool good = add_field(&form, "Action", "AssumeRoleWithWebIdentity") &&
                    add_field(&form, "Version", "2011-06-15") && add_field(&form, "RoleArn", role) &&
                    add_field(&form, "RoleSessionName", session) && add_field(&form, "WebIdentityToken", token.data);
        status = good ? ask(search, NULL, &form, "AssumeRoleWithWebIdentityResponse", role, msg)
                      : pom_fail_memory(msg, "credentials");
    }
    wipe(&token);
    wipe(&form);
    return status;
}

enum pom_status pom_find_by_web_identity(struct pom_search *search, struct pom_message *msg) {
    const char *file = pom_setting("AWS_WEB_IDENTITY_TOKEN_FILE"), *role = pom_setting("AWS_ROLE_ARN");
    const char *session = pom_setting("AWS_ROLE_SESSION_NAME");
    if (!file)
        file = pom_aws_profile_get(search->profile, "web_identity_token_file");
    if (!role)
        role = pom_aws_profile_get(search->profile, "role_arn");
    if (!session)
        session = pom_aws_profile_get(search->profile, "role_session_name");
    if (file && role)
        return ask_with_token(search, file, role, session ? session : "pomona", msg);
    if (file)
        return pom_fail(msg, POM_ERR_ARGUMENT, "AWS_WEB_IDENTITY_TOKEN_FILE is set without AWS_ROLE_ARN: set both");
    snprintf(search->absence, sizeof search->absence, "no web identity (AWS_WEB_IDENTITY_TOKEN_FILE)");
    return POM_ERR_NOT_FOUND;
}

/* The keys that a role is taken on with: another profile's, or the machine's. */
static enum pom_status find_source(struct pom_search *search, const char *role, struct pom_message *msg) {
    const char *other = pom_aws_profile_get(search->profile, "source_profile");
    const char *machine = pom_aws_profile_get(search->profile, "credential_source");
    if (other) {
        struct pom_aws_profile profile = *search->profile;
        profile.name = other;
        search->profile = &profile;
        enum pom_status status = pom_find_in_profile(search, msg);
        return status == POM_ERR_NOT_FOUND
                   ? pom_fail(msg, POM_ERR_ARGUMENT, "source_profile %.60s of role %.120s has no keys", other, role)
                   : status;
    }
    if (machine && strcmp(machine, "Environment") == 0)
        return pom_find_in_environment(search, msg);
    if (machine && strcmp(machine, "EcsContainer") == 0)
        return pom_find_in_container(search, msg);
    if (machine && strcmp(machine, "Ec2InstanceMetadata") == 0)
        return pom_find_in_instance(search, msg);
    return pom_fail(msg, POM_ERR_ARGUMENT, "profile %.60s has role_arn without source_profile or credential_source",
        search->profile->name);
}

static bool write_form(const struct pom_aws_profile *profile, const char *role, struct pom_buffer *form) {
    const char *session = pom_aws_profile_get(profile, "role_session_name");
    const char *external = pom_aws_profile_get(profile, "external_id");
    return add_field(form, "Action", "AssumeRole") && add_field(form, "Version", "2011-06-15") &&
           add_field(form, "RoleArn", role) && add_field(form, "RoleSessionName", session ? session : "pomona") &&
           (!external || add_field(form, "ExternalId", external));
}

enum pom_status pom_find_by_role(struct pom_search *search, struct pom_message *msg) {
    const struct pom_aws_profile *profile = search->profile;
    const char *role = pom_aws_profile_get(profile, "role_arn");
    if (!role || pom_aws_profile_get(profile, "web_identity_token_file")) {
        snprintf(search->absence, sizeof search->absence, "no role_arn in profile %.40s", profile->name);
        return POM_ERR_NOT_FOUND;
    }
    struct pom_buffer form = {0};
    struct pom_credentials keys = {0};
    enum pom_status status = find_source(search, role, msg);
    search->profile = profile;
    if (status == POM_OK && !(pom_credentials_copy(&search->found, &keys) && write_form(profile, role, &form)))
        status = pom_fail_memory(msg, "credentials");
    if (status == POM_OK)
        status = ask(search, &keys, &form, "AssumeRoleResponse", role, msg);
    pom_credentials_clean_up(&keys);
    wipe(&form);
    return status == POM_ERR_NOT_FOUND ? pom_fail(msg, POM_ERR_ARGUMENT, "role %.120s: its source has no keys", role)
                                       : status;
}
