#include "access.h"

#include "base/file.h"
#include "base/status.h"
#include <stdlib.h>
#include <string.h>

enum pom_status pom_option_encryption(const char *text, void *value, struct pom_message *msg) {
    static const char *const names[] = {"AES256", "aws:kms", "aws:kms:dsse"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(text, names[i]) == 0)
            return pom_option_text(text, value, msg);
    return pom_fail(msg, POM_ERR_ARGUMENT, "wanted AES256, aws:kms or aws:kms:dsse");
}

static enum pom_status set(const char *name, const char *value, struct pom_message *msg) {
    return !value || setenv(name, value, 1) == 0 ? POM_OK : pom_fail_memory(msg, "the environment");
}

enum pom_status pom_access_apply(const struct pom_access *access, struct pom_message *msg) {
    if (access->kms_key && (!access->encryption || strcmp(access->encryption, "AES256") == 0))
        return pom_fail(msg, POM_ERR_ARGUMENT, "--s3-kms-key is for --s3-encryption aws:kms");
    if (access->ca_file && !pom_file_exists(access->ca_file))
        return pom_fail(msg, POM_ERR_NOT_FOUND, "--ca-file: there is no file %s", access->ca_file);
    POM_TRY(set("POMONA_NO_SIGN_REQUEST", access->no_sign_request ? "true" : "false", msg));
    POM_TRY(set("POMONA_REQUEST_PAYER", access->request_payer ? "true" : "false", msg));
    POM_TRY(set("POMONA_S3_ENCRYPTION", access->encryption, msg));
    POM_TRY(set("POMONA_S3_KMS_KEY", access->kms_key, msg));
    return set("AWS_CA_BUNDLE", access->ca_file, msg);
}
