/* Credentials of someone who has logged in with `aws sso login`: the token that it left is exchanged. */
#include "base/file.h"
#include "base/hash.h"
#include "store/credentials_places.h"
#include "store/fetch.h"
#include "store/uri.h"
#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SSO_MS = 10000, SSO_ATTEMPTS = 5, MAX_CACHE = 65536, SHA1_HEX = 41 };

/* A login, as the profile describes it. */
struct login {
    const char *session; /* name of its section, or NULL */
    const char *start_url, *region, *account, *role;
};

static bool read_login(const struct pom_aws_profile *profile, struct login *out) {
    out->session = pom_aws_profile_get(profile, "sso_session");
    const char *session = out->session;
    out->start_url = session ? pom_aws_section_get(profile, "sso-session", session, "sso_start_url")
                             : pom_aws_profile_get(profile, "sso_start_url");
    out->region = session ? pom_aws_section_get(profile, "sso-session", session, "sso_region")
                          : pom_aws_profile_get(profile, "sso_region");
    out->account = pom_aws_profile_get(profile, "sso_account_id");
    out->role = pom_aws_profile_get(profile, "sso_role_name");
    return out->start_url && out->region && out->account && out->role;
}

/* The cache's file is named by the SHA-1 of the session's name, or of the start URL where there is no session. */
static enum pom_status cache_path(const struct login *login, struct pom_buffer *out, struct pom_message *msg) {
    const char *name = login->session ? login->session : login->start_url, *home = pom_setting("HOME");
    unsigned char digest[EVP_MAX_MD_SIZE];
    char hex[SHA1_HEX];
    unsigned int n = 0;
    if (EVP_Digest(name, strlen(name), digest, &n, EVP_sha1(), NULL) != 1 || n != (SHA1_HEX - 1) / 2)
        return pom_fail(msg, POM_ERR_INTERNAL, "OpenSSL has no SHA-1");
    pom_hex(digest, n, hex);
    bool joined = pom_buffer_printf(out, "%s/.aws/sso/cache/%s.json", home ? home : "", hex);
    return joined ? POM_OK : pom_fail_memory(msg, "credentials");
}

static enum pom_status read_token(
    const struct login *login, const char *profile, struct pom_buffer *token, struct pom_message *msg) {
    struct pom_buffer path = {0}, text = {0};
    enum pom_status status = cache_path(login, &path, msg);
    if (status == POM_OK)
        status = pom_file_read(path.data, MAX_CACHE, &text, msg);
    json_t *root = status == POM_OK ? json_loadb(text.data, text.size, 0, NULL) : NULL;
    const char *value = json_string_value(json_object_get(root, "accessToken"));
    bool valid = value && pom_time_from_text(json_string_value(json_object_get(root, "expiresAt"))) > time(NULL);
    status = POM_OK;
    if (!valid)
        status = pom_fail(msg, POM_ERR_NETWORK,
            "nobody is logged in, or no longer, for profile %.60s: run  aws sso login --profile %.60s", profile,
            profile);
    else if (!pom_buffer_text(token, value))
        status = pom_fail_memory(msg, "credentials");
    json_decref(root);
    if (text.data)
        OPENSSL_cleanse(text.data, text.capacity);
    pom_buffer_clean_up(&text);
    pom_buffer_clean_up(&path);
    return status;
}

static bool write_url(const struct login *login, struct pom_buffer *url) {
    const char *given = pom_setting("AWS_ENDPOINT_URL_SSO");
    bool good = given ? pom_buffer_text(url, given)
                      : pom_buffer_printf(url, "https://portal.sso.%.40s.amazonaws.com", login->region);
    return good && pom_buffer_text(url, "/federation/credentials?role_name=") && pom_uri_encode(url, login->role, "") &&
           pom_buffer_text(url, "&account_id=") && pom_uri_encode(url, login->account, "");
}

static enum pom_status exchange(
    struct pom_search *search, const struct login *login, const char *token, struct pom_message *msg) {
    struct pom_buffer url = {0}, answer = {0};
    int status_code = 0;
    if (!write_url(login, &url))
        return pom_fail_memory(msg, "credentials");
    const struct pom_fetch fetch = {.method = "GET",
        .url = url.data,
        .headers = {{"x-amz-sso_bearer_token", token}},
        .deadline_ms = SSO_MS,
        .attempts = SSO_ATTEMPTS,
        .cancel = search->cancel};
    enum pom_status status = pom_fetch(&fetch, &status_code, &answer, msg);
    if (status == POM_OK && status_code != 200)
        status = pom_fail(msg, POM_ERR_NETWORK,
            "SSO refuses role %.60s of account %.20s with status %d: log in again with  aws sso login --profile %.60s",
            login->role, login->account, status_code, search->profile->name);
    else if (status == POM_OK)
        status = pom_credentials_from_json(answer.data, answer.size, "roleCredentials", &search->found, msg);
    if (answer.data)
        OPENSSL_cleanse(answer.data, answer.capacity);
    pom_buffer_clean_up(&answer);
    pom_buffer_clean_up(&url);
    return status;
}

enum pom_status pom_find_by_sso(struct pom_search *search, struct pom_message *msg) {
    struct login login;
    struct pom_buffer token = {0};
    if (!read_login(search->profile, &login)) {
        snprintf(search->absence, sizeof search->absence, "no SSO login in profile %.40s", search->profile->name);
        return POM_ERR_NOT_FOUND;
    }
    enum pom_status status = read_token(&login, search->profile->name, &token, msg);
    if (status == POM_OK)
        status = exchange(search, &login, token.data, msg);
    if (token.data)
        OPENSSL_cleanse(token.data, token.capacity);
    pom_buffer_clean_up(&token);
    snprintf(
        search->origin, sizeof search->origin, "SSO role %.50s of profile %.40s", login.role, search->profile->name);
    return status;
}
