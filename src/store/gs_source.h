/* The places where Google's tools find credentials, and the tokens that are got with them. Private to gs_identity.c. */
#ifndef POM_STORE_GS_SOURCE_H
#define POM_STORE_GS_SOURCE_H

#include "base/buffer.h"
#include "base/status.h"
#include <stdatomic.h>
#include <time.h>

enum pom_gs_source_kind {
    POM_GS_NOBODY,          /* requests carry no token */
    POM_GS_SERVICE_ACCOUNT, /* a file with a private key */
    POM_GS_USER,            /* gcloud's file with a refresh token */
    POM_GS_MACHINE          /* the metadata server of a machine at Google */
};

/* Zero-initialise; released, and wiped, by pom_gs_source_clean_up. */
struct pom_gs_source {
    enum pom_gs_source_kind kind;
    char *email, *key_id, *private_key;              /* of a service account */
    char *client_id, *client_secret, *refresh_token; /* of a user */
    char *token_uri;                                 /* where tokens are given out */
    char *project;                                   /* that pays; may be NULL */
    char origin[200];                                /* in words */
};

/* POM_ERR_NOT_FOUND: there are none; the message names every place. The machine's metadata server is asked last. */
enum pom_status pom_gs_source_find(struct pom_gs_source *out, const atomic_bool *cancel, struct pom_message *msg);
void pom_gs_source_clean_up(struct pom_gs_source *source);

/* Reads a credentials file's content. name: what messages call it. */
enum pom_status pom_gs_source_parse(
    const char *json, size_t n, const char *name, struct pom_gs_source *out, struct pom_message *msg);

/* Gets an access token, in token (replaced). Not of nobody. */
enum pom_status pom_gs_source_token(const struct pom_gs_source *source, const atomic_bool *cancel,
    struct pom_buffer *token, time_t *expires, struct pom_message *msg);

/* Appends what a service account sends for a token: header and claims signed with RS256 (RFC 7515, RFC 7523). */
enum pom_status pom_gs_assertion(
    const struct pom_gs_source *source, time_t now, struct pom_buffer *out, struct pom_message *msg);

#endif
