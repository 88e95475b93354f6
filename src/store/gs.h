/* What the parts of the Google Cloud Storage store share. Private to them. The JSON API:
 * https://cloud.google.com/storage/docs/json_api/v1 */
#ifndef POM_STORE_GS_H
#define POM_STORE_GS_H

#include "store/gs_identity.h"
#include "store/remote.h"
#include "store/uri.h"

struct pom_gs {
    struct pom_remote remote;
    struct pom_bucket_uri uri; /* its key ends in a slash, or is "", or is one object's */
    bool folder;
    char *endpoint; /* "https://storage.googleapis.com" */
    struct pom_gs_identity *identity;
    struct pom_buffer token; /* the engine's thread only, as the next */
    uint64_t generation;     /* of the token */
};

extern const struct pom_protocol pom_gs_protocol;

/* The name of the object at a path of this store. */
const char *pom_gs_name(const struct pom_gs *gs, const char *path);

/* Appends the URL of the bucket's objects ("/o"), or of one where name is not NULL. */
bool pom_gs_url(const struct pom_gs *gs, const char *name, struct pom_buffer *out);

enum pom_status pom_gs_list(struct pom_store *store, const struct pom_store_visitor *visitor, struct pom_message *msg);

enum pom_status pom_gs_region(struct pom_store *store, struct pom_buffer *out, struct pom_message *msg);
void pom_gs_examine(struct pom_store *store, bool write, const struct pom_examiner *examiner);

enum pom_status pom_gs_upload(struct pom_remote *remote, const char *file, const char *path, struct pom_message *msg);

enum pom_status pom_gs_note_read(
    struct pom_store *store, const char *name, struct pom_store_note *note, struct pom_message *msg);
enum pom_status pom_gs_note_write(
    struct pom_store *store, const char *name, const char *text, struct pom_buffer *version, struct pom_message *msg);

/* The object's custom metadata that carries the SHA-256 of what pom_gs_upload has uploaded. */
#define POM_GS_DIGEST "pomona-sha256"

#endif
