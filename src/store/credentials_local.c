/* Credentials that lie on this machine: in the environment, in a profile. */
#include "store/credentials_places.h"
#include <stdio.h>
#include <string.h>

static enum pom_status take(struct pom_search *search, const char *access_key, const char *secret_key,
    const char *token, struct pom_message *msg) {
    const struct pom_credentials given = {(char *)access_key, (char *)secret_key, (char *)token, 0};
    return pom_credentials_copy(&given, &search->found) ? POM_OK : pom_fail_memory(msg, "credentials");
}

enum pom_status pom_find_in_environment(struct pom_search *search, struct pom_message *msg) {
    const char *access_key = pom_setting("AWS_ACCESS_KEY_ID"), *secret_key = pom_setting("AWS_SECRET_ACCESS_KEY");
    if (!access_key && !secret_key) {
        snprintf(search->absence, sizeof search->absence, "AWS_ACCESS_KEY_ID is not set");
        return POM_ERR_NOT_FOUND;
    }
    if (!access_key || !secret_key)
        return pom_fail(
            msg, POM_ERR_ARGUMENT, "of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY only one is set: set both");
    snprintf(search->origin, sizeof search->origin, "the environment");
    return take(search, access_key, secret_key, pom_setting("AWS_SESSION_TOKEN"), msg);
}

enum pom_status pom_find_in_profile(struct pom_search *search, struct pom_message *msg) {
    const struct pom_aws_profile *profile = search->profile;
    const char *access_key = pom_aws_profile_get(profile, "aws_access_key_id");
    const char *secret_key = pom_aws_profile_get(profile, "aws_secret_access_key");
    const char *process = pom_aws_profile_get(profile, "credential_process");
    if (access_key && secret_key) {
        snprintf(search->origin, sizeof search->origin, "profile %.60s", profile->name);
        return take(search, access_key, secret_key, pom_aws_profile_get(profile, "aws_session_token"), msg);
    }
    if (process)
        return pom_fail(msg, POM_ERR_UNSUPPORTED,
            "profile %.60s has a credential_process, which is not supported: run it yourself, and set "
            "AWS_ACCESS_KEY_ID, "
            "AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN to what it says",
            profile->name);
    snprintf(search->absence, sizeof search->absence, "profile %.40s has no keys in ~/.aws/credentials", profile->name);
    return POM_ERR_NOT_FOUND;
}
