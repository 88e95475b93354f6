/* The places where credentials may be. Private to identity.c and its parts. */
#ifndef POM_STORE_CREDENTIALS_PLACES_H
#define POM_STORE_CREDENTIALS_PLACES_H

#include "store/aws_profile.h"
#include "store/credentials.h"

enum { POM_ORIGIN_BYTES = 120, POM_ABSENCE_BYTES = 100 };

/* What a search is given and fills. */
struct pom_search {
    const struct pom_aws_profile *profile;
    const char *region; /* for the endpoints of STS and SSO */
    const atomic_bool *cancel;
    struct pom_credentials found;
    char origin[POM_ORIGIN_BYTES];   /* where they were found */
    char absence[POM_ABSENCE_BYTES]; /* why there are none in this place */
};

/* Each returns POM_ERR_NOT_FOUND where the place is not in use, with absence, and another failure where it is but does
 * not do: that ends the search. */
enum pom_status pom_find_in_environment(struct pom_search *search, struct pom_message *msg);
enum pom_status pom_find_by_web_identity(struct pom_search *search, struct pom_message *msg); /* EKS */
enum pom_status pom_find_by_role(struct pom_search *search, struct pom_message *msg);
enum pom_status pom_find_by_sso(struct pom_search *search, struct pom_message *msg);
enum pom_status pom_find_in_profile(struct pom_search *search, struct pom_message *msg);
enum pom_status pom_find_in_container(struct pom_search *search, struct pom_message *msg); /* ECS */
enum pom_status pom_find_in_instance(struct pom_search *search, struct pom_message *msg);  /* EC2 */

/* Takes credentials from {"AccessKeyId": ...}, as containers and instances have them. secrets_in: the name of the
 * object around them, or NULL; its keys then begin with a small letter, as SSO's do. */
enum pom_status pom_credentials_from_json(
    const char *text, size_t n, const char *secrets_in, struct pom_credentials *out, struct pom_message *msg);

/* "2026-11-21T18:00:00Z"; 0: it is no such time. */
time_t pom_time_from_text(const char *text);

#endif
