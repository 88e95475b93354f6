#include "access.h"

#include "base/status.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

enum pom_status pom_access_apply(const struct pom_access *given, struct pom_message *msg) {
    if (given->kms_key && (!given->encryption || strcmp(given->encryption, "AES256") == 0))
        return pom_fail(msg, POM_ERR_ARGUMENT, "--s3-kms-key is for --s3-encryption aws:kms");
    if (given->ca_file && access(given->ca_file, R_OK) != 0)
        return pom_fail_errno(msg, POM_ERR_IO, "--ca-file %s", given->ca_file);
    POM_TRY(set("POMONA_NO_SIGN_REQUEST", given->no_sign_request ? "true" : "false", msg));
    POM_TRY(set("POMONA_REQUEST_PAYER", given->request_payer ? "true" : "false", msg));
    POM_TRY(set("POMONA_S3_ENCRYPTION", given->encryption, msg));
    POM_TRY(set("POMONA_S3_KMS_KEY", given->kms_key, msg));
    return set("AWS_CA_BUNDLE", given->ca_file, msg);
}
