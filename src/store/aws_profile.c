#include "store/aws_profile.h"

#include "base/buffer.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SECTION = 256 };

const char *pom_setting(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static enum pom_status read_file(
    struct pom_ini *ini, const char *variable, const char *usual, struct pom_message *msg) {
    const char *path = pom_setting(variable), *home = pom_setting("HOME");
    struct pom_buffer joined = {0};
    if (path)
        return pom_ini_read(ini, path, msg);
    if (!home)
        return POM_OK;
    enum pom_status status = pom_buffer_printf(&joined, "%s/.aws/%s", home, usual) ? pom_ini_read(ini, joined.data, msg)
                                                                                   : pom_fail_memory(msg, "a profile");
    pom_buffer_clean_up(&joined);
    return status;
}

static void section_of(const struct pom_aws_profile *profile, char out[MAX_SECTION]) {
    bool plain = strcmp(profile->name, "default") == 0;
    snprintf(out, MAX_SECTION, "%s%s", plain ? "" : "profile ", profile->name);
}

enum pom_status pom_aws_profile_read(struct pom_aws_profile *out, struct pom_message *msg) {
    char section[MAX_SECTION];
    out->name = pom_setting("AWS_PROFILE");
    if (!out->name)
        out->name = pom_setting("AWS_DEFAULT_PROFILE");
    out->chosen = out->name != NULL;
    if (!out->name)
        out->name = "default";
    POM_TRY(read_file(&out->credentials, "AWS_SHARED_CREDENTIALS_FILE", "credentials", msg));
    POM_TRY(read_file(&out->config, "AWS_CONFIG_FILE", "config", msg));
    section_of(out, section);
    if (out->chosen && !pom_ini_has_section(&out->credentials, out->name) &&
        !pom_ini_has_section(&out->config, section))
        return pom_fail(msg, POM_ERR_ARGUMENT,
            "AWS_PROFILE is '%.100s', which is neither in ~/.aws/credentials nor in ~/.aws/config: name one that is "
            "there",
            out->name);
    return POM_OK;
}

void pom_aws_profile_clean_up(struct pom_aws_profile *profile) {
    pom_ini_clean_up(&profile->credentials);
    pom_ini_clean_up(&profile->config);
}

const char *pom_aws_profile_get(const struct pom_aws_profile *profile, const char *name) {
    char section[MAX_SECTION];
    section_of(profile, section);
    const char *value = pom_ini_get(&profile->credentials, profile->name, name);
    if (!value)
        value = pom_ini_get(&profile->config, section, name);
    if (!value && strcmp(profile->name, "default") == 0) /* which may be written either way */
        value = pom_ini_get(&profile->config, "profile default", name);
    return value;
}

const char *pom_aws_section_get(
    const struct pom_aws_profile *profile, const char *kind, const char *section, const char *name) {
    char whole[MAX_SECTION];
    snprintf(whole, sizeof whole, "%s %s", kind, section);
    return pom_ini_get(&profile->config, whole, name);
}
