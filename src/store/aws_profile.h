/* The profile of the AWS tools that is in use: AWS_PROFILE, AWS_DEFAULT_PROFILE or "default", in the files
 * AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials) and AWS_CONFIG_FILE (~/.aws/config). */
#ifndef POM_STORE_AWS_PROFILE_H
#define POM_STORE_AWS_PROFILE_H

#include "store/ini.h"

/* Zero-initialise; released by pom_aws_profile_clean_up. */
struct pom_aws_profile {
    const char *name;
    bool chosen; /* by the user */
    struct pom_ini credentials, config;
};

/* POM_ERR_ARGUMENT: the user chose one that is in neither file. */
enum pom_status pom_aws_profile_read(struct pom_aws_profile *out, struct pom_message *msg);
void pom_aws_profile_clean_up(struct pom_aws_profile *profile);

/* The profile's value of that name, in the credentials file or the config file; NULL: none. */
const char *pom_aws_profile_get(const struct pom_aws_profile *profile, const char *name);

/* The same of a section of the config file, such as "sso-session NAME". */
const char *pom_aws_section_get(
    const struct pom_aws_profile *profile, const char *kind, const char *section, const char *name);

/* The environment variable's value; NULL where it is not set or empty. */
const char *pom_setting(const char *name);

#endif
