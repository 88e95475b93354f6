/* How buckets are reached: options that every verb has which reads or writes them. */
#ifndef POM_CLI_ACCESS_H
#define POM_CLI_ACCESS_H

#include "options.h"
#include <stdbool.h>

struct pom_access {
    bool no_sign_request, request_payer;
    const char *encryption, *kms_key, *ca_file; /* NULL: as the environment of the AWS tools and of libcurl says */
};

/* [const char *] what S3 calls x-amz-server-side-encryption. */
enum pom_status pom_option_encryption(const char *text, void *value, struct pom_message *msg);

/* The options, for a verb's table. offset: of the struct pom_access. */
#define POM_OPTIONS_ACCESS(offset)                                                                                     \
    {"no-sign-request", 0, NULL, "public buckets: ask as nobody, without credentials", pom_option_switch,              \
        (offset) + offsetof(struct pom_access, no_sign_request)},                                                      \
        {"request-payer", 0, NULL, "S3: agree to pay for reading a bucket whose owner does not", pom_option_switch,    \
            (offset) + offsetof(struct pom_access, request_payer)},                                                    \
        {"s3-encryption", 0, "NAME",                                                                                   \
            "S3: AES256, aws:kms or aws:kms:dsse for what is written\n(default: what the bucket is set to)",           \
            pom_option_encryption, (offset) + offsetof(struct pom_access, encryption)},                                \
        {"s3-kms-key", 0, "KEY", "S3: the key of aws:kms, an id or ARN (default: the account's own)", pom_option_text, \
            (offset) + offsetof(struct pom_access, kms_key)},                                                          \
    {                                                                                                                  \
        "ca-file", 0, "FILE", "certificate authorities to trust, PEM (default: AWS_CA_BUNDLE, else the system's)",     \
            pom_option_text, (offset) + offsetof(struct pom_access, ca_file)                                           \
    }

/* Tells the stores, through the variables that they read; before any thread runs. */
enum pom_status pom_access_apply(const struct pom_access *access, struct pom_message *msg);

#endif
