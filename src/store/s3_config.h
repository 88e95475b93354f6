/* How a bucket is reached: endpoint, region, addressing, and what is asked for with each request. */
#ifndef POM_STORE_S3_CONFIG_H
#define POM_STORE_S3_CONFIG_H

#include "base/status.h"
#include <stdbool.h>

enum { POM_S3_REGION = 32 };

/* Zero-initialise; released by pom_s3_config_clean_up. */
struct pom_s3_config {
    char *scheme,
        *host; /* of an endpoint that is not AWS's own; NULL: it is. host has its port where it is not the usual */
    bool virtual_host; /* https://bucket.host/key, not https://host/bucket/key */
    char region[POM_S3_REGION];
    bool request_payer; /* whoever asks pays */
    char *encryption;   /* of what is written: AES256, aws:kms, aws:kms:dsse; NULL: the bucket's default */
    char *kms_key;      /* or NULL */
};

/* From the environment (AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS_REGION, AWS_DEFAULT_REGION, POMONA_S3_ADDRESSING,
 * POMONA_REQUEST_PAYER, POMONA_S3_ENCRYPTION, POMONA_S3_KMS_KEY), then from the profile (endpoint_url, region,
 * s3.addressing_style). */
enum pom_status pom_s3_config_read(const char *bucket, struct pom_s3_config *out, struct pom_message *msg);
void pom_s3_config_clean_up(struct pom_s3_config *config);

#endif
