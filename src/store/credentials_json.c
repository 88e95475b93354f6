#include "base/memory.h"
#include "store/credentials_places.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

time_t pom_time_from_text(const char *text) {
    struct tm utc = {0};
    const char *end = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &utc) : NULL;
    return end && (*end == 'Z' || *end == '.' || *end == '+' || !*end) ? timegm(&utc) : 0;
}

static char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text && *text ? strdup(text) : NULL;
}

/* SSO gives the time in milliseconds, the others in words. */
static time_t expiry_of(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    if (json_is_integer(value))
        return (time_t)(json_integer_value(value) / 1000);
    return pom_time_from_text(json_string_value(value));
}

enum pom_status pom_credentials_from_json(
    const char *text, size_t n, const char *secrets_in, struct pom_credentials *out, struct pom_message *msg) {
    json_t *root = json_loadb(text, n, 0, NULL);
    const json_t *object = secrets_in ? json_object_get(root, secrets_in) : root;
    struct pom_credentials read = {
        text_of(object, secrets_in ? "accessKeyId" : "AccessKeyId"),
        text_of(object, secrets_in ? "secretAccessKey" : "SecretAccessKey"),
        text_of(object, secrets_in ? "sessionToken" : "Token"),
        expiry_of(object, secrets_in ? "expiration" : "Expiration"),
    };
    json_decref(root);
    if (!read.access_key || !read.secret_key) {
        pom_credentials_clean_up(&read);
        return pom_fail(msg, POM_ERR_FORMAT, "the answer has no credentials");
    }
    pom_credentials_clean_up(out);
    *out = read;
    return POM_OK;
}
