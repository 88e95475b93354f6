#include "store/gs_source.h"

#include "base/file.h"
#include "base/memory.h"
#include "store/fetch.h"
#include "store/uri.h"
#include <errno.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 1 << 20, DEADLINE_MS = 15000, ATTEMPTS = 4, MACHINE_DEADLINE_MS = 1500, MACHINE_ATTEMPTS = 2 };

static const char google_tokens[] = "https://oauth2.googleapis.com/token";

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static void wipe(char *text) {
    if (text)
        OPENSSL_cleanse(text, strlen(text));
    free(text);
}

void pom_gs_source_clean_up(struct pom_gs_source *source) {
    free(source->email);
    free(source->key_id);
    wipe(source->private_key);
    free(source->client_id);
    wipe(source->client_secret);
    wipe(source->refresh_token);
    free(source->token_uri);
    free(source->project);
    *source = (struct pom_gs_source){0};
}

static char *take(const json_t *object, const char *name, const char *otherwise) {
    const char *text = json_string_value(json_object_get(object, name));
    return text || otherwise ? strdup(text ? text : otherwise) : NULL;
}

static enum pom_status parse_service_account(
    const json_t *root, const char *name, struct pom_gs_source *out, struct pom_message *msg) {
    out->kind = POM_GS_SERVICE_ACCOUNT;
    out->email = take(root, "client_email", NULL);
    out->key_id = take(root, "private_key_id", NULL);
    out->private_key = take(root, "private_key", NULL);
    if (!out->email || !out->private_key || !out->token_uri)
        return pom_fail(msg, POM_ERR_FORMAT, "%s lacks client_email or private_key: download the key again", name);
    snprintf(out->origin, sizeof out->origin, "the service account %.120s", out->email);
    return POM_OK;
}

static enum pom_status parse_user(
    const json_t *root, const char *name, struct pom_gs_source *out, struct pom_message *msg) {
    out->kind = POM_GS_USER;
    out->client_id = take(root, "client_id", NULL);
    out->client_secret = take(root, "client_secret", NULL);
    out->refresh_token = take(root, "refresh_token", NULL);
    if (!out->client_id || !out->client_secret || !out->refresh_token || !out->token_uri)
        return pom_fail(msg, POM_ERR_FORMAT,
            "%s lacks client_id, client_secret or refresh_token: run gcloud auth application-default login", name);
    snprintf(out->origin, sizeof out->origin, "the user of %.160s", name);
    return POM_OK;
}

enum pom_status pom_gs_source_parse(
    const char *json, size_t n, const char *name, struct pom_gs_source *out, struct pom_message *msg) {
    json_t *root = n ? json_loadb(json, n, 0, NULL) : NULL;
    const char *type = json_string_value(json_object_get(root, "type"));
    enum pom_status status;
    out->token_uri = take(root, "token_uri", google_tokens);
    out->project = take(root, "quota_project_id", NULL);
    if (!type)
        status = pom_fail(msg, POM_ERR_FORMAT, "%s is no credentials file of Google: it is JSON with a \"type\"", name);
    else if (strcmp(type, "service_account") == 0)
        status = parse_service_account(root, name, out, msg);
    else if (strcmp(type, "authorized_user") == 0)
        status = parse_user(root, name, out, msg);
    else
        status = pom_fail(msg, POM_ERR_UNSUPPORTED,
            "%s has credentials of type %.40s, which are not supported: use a service account's key (service_account) "
            "or gcloud auth application-default login (authorized_user)",
            name, type);
    json_decref(root);
    return status;
}

static enum pom_status read_file(const char *path, struct pom_gs_source *out, struct pom_message *msg) {
    struct pom_buffer text = {0};
    enum pom_status status = pom_file_read(path, MAX_FILE, &text, msg);
    if (status == POM_OK)
        status = pom_gs_source_parse(text.data, text.size, path, out, msg);
    if (text.data)
        OPENSSL_cleanse(text.data, text.size);
    pom_buffer_clean_up(&text);
    return status;
}

/* Where gcloud auth application-default login writes. */
static bool gcloud_file(struct pom_buffer *path) {
    const char *folder = setting("CLOUDSDK_CONFIG"), *home = setting("HOME");
    return pom_buffer_printf(path, "%s%s/application_default_credentials.json",
        folder ? folder
        : home ? home
               : "",
        folder ? "" : "/.config/gcloud");
}

static const char *machine_host(void) {
    const char *host = setting("GCE_METADATA_HOST");
    return host ? host : "169.254.169.254";
}

static enum pom_status ask_machine(
    const char *what, const atomic_bool *cancel, int *http_status, struct pom_buffer *out, struct pom_message *msg) {
    struct pom_buffer url = {0};
    if (!pom_buffer_printf(
            &url, "http://%s/computeMetadata/v1/instance/service-accounts/default/%s", machine_host(), what))
        return pom_fail_memory(msg, "a request");
    const struct pom_fetch fetch = {.method = "GET",
        .url = url.data,
        .headers = {{"Metadata-Flavor", "Google"}},
        .deadline_ms = MACHINE_DEADLINE_MS,
        .attempts = MACHINE_ATTEMPTS,
        .direct = true,
        .cancel = cancel};
    enum pom_status status = pom_fetch(&fetch, http_status, out, msg);
    pom_buffer_clean_up(&url);
    return status;
}

/* POM_ERR_NOT_FOUND: this is no machine at Google, or it has no service account. */
static enum pom_status find_machine(struct pom_gs_source *out, const atomic_bool *cancel, struct pom_message *msg) {
    struct pom_buffer email = {0};
    int http_status = 0;
    const char *skip = setting("NO_GCE_CHECK");
    if (skip && strcasecmp(skip, "true") == 0)
        return pom_fail(msg, POM_ERR_NOT_FOUND, "the metadata server is not asked (NO_GCE_CHECK)");
    enum pom_status status = ask_machine("email", cancel, &http_status, &email, msg);
    if (status == POM_OK && http_status == 200) {
        out->kind = POM_GS_MACHINE;
        snprintf(out->origin, sizeof out->origin, "this machine's service account %.120s", email.data);
    } else if (status != POM_ERR_CANCELLED) {
        status = pom_fail(msg, POM_ERR_NOT_FOUND, "no metadata server of Google's at %.60s", machine_host());
    }
    pom_buffer_clean_up(&email);
    return status;
}

static enum pom_status find_elsewhere(struct pom_gs_source *out, const atomic_bool *cancel, struct pom_message *msg) {
    struct pom_buffer path = {0};
    struct pom_message why = {0};
    if (!gcloud_file(&path))
        return pom_fail_memory(msg, "credentials");
    enum pom_status status;
    if (pom_file_exists(path.data)) {
        status = read_file(path.data, out, msg);
    } else {
        status = find_machine(out, cancel, &why);
        if (status == POM_ERR_NOT_FOUND)
            pom_fail(msg, status,
                "no Google credentials: GOOGLE_APPLICATION_CREDENTIALS is not set; no %.160s; %.100s. Run gcloud auth "
                "application-default login, or give --no-sign-request for a public bucket",
                path.data, why.text);
        else if (status != POM_OK && msg)
            *msg = why;
    }
    pom_buffer_clean_up(&path);
    return status;
}

enum pom_status pom_gs_source_find(struct pom_gs_source *out, const atomic_bool *cancel, struct pom_message *msg) {
    const char *anonymous = setting("POMONA_NO_SIGN_REQUEST"), *file = setting("GOOGLE_APPLICATION_CREDENTIALS");
    bool emulator = setting("STORAGE_EMULATOR_HOST") && !setting("POMONA_GS_ENDPOINT");
    if (emulator || (anonymous && strcmp(anonymous, "true") == 0)) {
        snprintf(
            out->origin, sizeof out->origin, "nobody (%s)", emulator ? "STORAGE_EMULATOR_HOST" : "--no-sign-request");
        return POM_OK;
    }
    enum pom_status status = file ? read_file(file, out, msg) : find_elsewhere(out, cancel, msg);
    if (status != POM_OK && file)
        pom_fail_in(msg, status, "GOOGLE_APPLICATION_CREDENTIALS");
    return status;
}

static bool append_field(struct pom_buffer *form, const char *name, const char *value) {
    return pom_buffer_printf(form, "%s%s=", form->size ? "&" : "", name) && pom_uri_encode(form, value, "");
}

static enum pom_status write_form(
    const struct pom_gs_source *source, struct pom_buffer *form, struct pom_message *msg) {
    if (source->kind == POM_GS_SERVICE_ACCOUNT) {
        bool good = append_field(form, "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer") &&
                    pom_buffer_text(form, "&assertion=");
        return good ? pom_gs_assertion(source, time(NULL), form, msg) : pom_fail_memory(msg, "a token");
    }
    bool good = append_field(form, "grant_type", "refresh_token") &&
                append_field(form, "client_id", source->client_id) &&
                append_field(form, "client_secret", source->client_secret) &&
                append_field(form, "refresh_token", source->refresh_token);
    return good ? POM_OK : pom_fail_memory(msg, "a token");
}

static enum pom_status ask_google(const struct pom_gs_source *source, const atomic_bool *cancel, int *http_status,
    struct pom_buffer *out, struct pom_message *msg) {
    struct pom_buffer form = {0};
    enum pom_status status = write_form(source, &form, msg);
    const struct pom_fetch fetch = {.method = "POST",
        .url = source->token_uri,
        .body = form.data,
        .deadline_ms = DEADLINE_MS,
        .attempts = ATTEMPTS,
        .cancel = cancel};
    if (status == POM_OK)
        status = pom_fetch(&fetch, http_status, out, msg);
    if (form.data)
        OPENSSL_cleanse(form.data, form.size);
    pom_buffer_clean_up(&form);
    return status;
}

static enum pom_status take_token(const struct pom_gs_source *source, const struct pom_buffer *answer, int http_status,
    struct pom_buffer *token, time_t *expires, struct pom_message *msg) {
    json_t *root = answer->size ? json_loadb(answer->data, answer->size, 0, NULL) : NULL;
    const char *text = json_string_value(json_object_get(root, "access_token"));
    const char *error = json_string_value(json_object_get(root, "error"));
    const char *why = json_string_value(json_object_get(root, "error_description"));
    json_int_t seconds = json_integer_value(json_object_get(root, "expires_in"));
    enum pom_status status = POM_OK;
    token->size = 0;
    *expires = time(NULL) + (time_t)(seconds > 0 && seconds < INT32_MAX ? seconds : 0);
    if (http_status != 200 || !text || strpbrk(text, "\r\n"))
        status = pom_fail(msg, POM_ERR_NETWORK,
            "%s gets no token from %.120s: status %d %.60s %.100s: check that the account and its key are still "
            "valid%s",
            source->origin, source->token_uri ? source->token_uri : machine_host(), http_status, error ? error : "",
            why ? why : "", source->kind == POM_GS_USER ? " (gcloud auth application-default login)" : "");
    else if (!pom_buffer_text(token, text))
        status = pom_fail_memory(msg, "a token");
    json_decref(root);
    return status;
}

enum pom_status pom_gs_source_token(const struct pom_gs_source *source, const atomic_bool *cancel,
    struct pom_buffer *token, time_t *expires, struct pom_message *msg) {
    struct pom_buffer answer = {0};
    int http_status = 0;
    enum pom_status status = source->kind == POM_GS_MACHINE ? ask_machine("token", cancel, &http_status, &answer, msg)
                                                            : ask_google(source, cancel, &http_status, &answer, msg);
    if (status == POM_OK)
        status = take_token(source, &answer, http_status, token, expires, msg);
    if (answer.data)
        OPENSSL_cleanse(answer.data, answer.size);
    pom_buffer_clean_up(&answer);
    return status;
}
