/* What the parts of the S3 store share. Private to them. */
#ifndef POM_STORE_S3_H
#define POM_STORE_S3_H

#include "base/file.h"
#include "base/hash.h"
#include "store/client.h"
#include "store/credentials.h"
#include "store/kind.h"
#include "store/page.h"
#include "store/reading.h"
#include "store/s3_config.h"
#include "store/sigv4.h"
#include "store/uri.h"
#include <pthread.h>

struct pom_s3 {
    struct pom_store store;
    struct pom_bucket_uri uri; /* its key ends in a slash, or is "", or is one object's */
    bool folder;
    struct pom_s3_config config;
    struct pom_identity *identity;
    struct pom_client *client;
    struct pom_page first; /* of the next listing; empty: it is asked for */

    struct pom_credentials credentials; /* the engine's thread only, as the rest but region */
    uint64_t generation;                /* of the credentials */
    struct pom_sigv4_cache cache;
    struct pom_buffer path, query, authorization;
    struct pom_readings readings;
    time_t clock_offset;   /* of the server's clock to ours, seconds */
    pthread_mutex_t mutex; /* guards region */
    char region[POM_S3_REGION];
};

enum { POM_S3_PARAMETERS = 8, POM_S3_HEADERS = 8 };

/* One request. Zero-initialise, but for what it needs; all is borrowed until it is done. */
struct pom_s3_request {
    struct pom_request request;
    const char *method;
    const char *key;                               /* NULL: of the bucket itself */
    struct pom_pair parameters[POM_S3_PARAMETERS]; /* of the query, raw */
    struct pom_pair headers[POM_S3_HEADERS];       /* names in lower case; besides those that every request has */
    size_t n_parameters, n_headers;
    const void *body;
    size_t body_size;
    const char *body_sha256; /* in hexadecimal; NULL: there is no body */
    bool missing_is_fine;    /* an answer of 404 is for the caller */
    uint64_t expected_bytes; /* of a good answer's body; 0: not known */
    /* Whether a good answer is whole: one that is not is asked for again. On the engine's thread; NULL: always. */
    bool (*accept)(struct pom_s3_request *request, const struct pom_http_transfer *transfer);
    void *user;
    char region[POM_S3_REGION]; /* that the last attempt was signed for */
    time_t clock_offset;        /* that it was signed with */
    bool renewed;               /* credentials were, for an answer that did not say why */
};

void pom_s3_parameter(struct pom_s3_request *request, const char *name, const char *value);
void pom_s3_header(struct pom_s3_request *request, const char *name, const char *value);

/* An accept: an answer without an ETag is not the store's, but of something that stands between. */
bool pom_s3_has_etag(struct pom_s3_request *request, const struct pom_http_transfer *transfer);

extern const struct pom_protocol pom_s3_protocol;

/* The region that the bucket is known to be in. */
void pom_s3_region(struct pom_s3 *s3, char out[POM_S3_REGION]);

/* Says why an answer is a failure, and what to do about it. */
enum pom_status pom_s3_explain(
    void *store, const struct pom_request *base, const struct pom_http_transfer *transfer, struct pom_message *msg);

enum pom_status pom_s3_list(struct pom_store *store, const struct pom_store_visitor *visitor, struct pom_message *msg);

/* Functions of struct pom_store_kind. */
enum pom_status pom_s3_read(struct pom_store *store, const struct pom_store_entry *entry, size_t max_bytes,
    struct pom_buffer *out, struct pom_message *msg);
void pom_s3_read_start(struct pom_store *store, struct pom_store_read *read);
enum pom_status pom_s3_note_read(
    struct pom_store *store, const char *name, struct pom_store_note *note, struct pom_message *msg);
enum pom_status pom_s3_note_write(
    struct pom_store *store, const char *name, const char *text, struct pom_buffer *version, struct pom_message *msg);
enum pom_status pom_s3_note_remove(struct pom_store *store, const char *name, struct pom_message *msg);
enum pom_status pom_s3_tidy(struct pom_store *store, struct pom_message *msg);
void pom_s3_examine(struct pom_store *store, bool write, const struct pom_examiner *examiner);

/* What is known of an object without reading it. */
struct pom_s3_head {
    bool found;
    uint64_t size;
    char etag[128], digest[POM_SHA256_HEX]; /* "" where there is none */
};
enum pom_status pom_s3_head(struct pom_s3 *s3, const char *path, struct pom_s3_head *out, struct pom_message *msg);

/* The key of a path of this store. */
const char *pom_s3_key(const struct pom_s3 *s3, const char *path);

/* Uploads the file whole or not at all, with its SHA-256 as metadata. path: of the object. */
enum pom_status pom_s3_upload(struct pom_s3 *s3, const char *file, const char *path, struct pom_message *msg);

/* Does so in parts: for what is over POM_S3_ONE_PUT bytes. digest: the SHA-256 of it all. */
enum { POM_S3_ONE_PUT = 16 << 20 };
enum pom_status pom_s3_upload_parts(
    struct pom_s3 *s3, const struct pom_map *map, const char *digest, const char *path, struct pom_message *msg);

/* The headers that ask for encryption of what is written. */
void pom_s3_add_encryption(const struct pom_s3 *s3, struct pom_s3_request *request);

/* Of a request that carries so many bytes. */
int pom_s3_deadline_ms(size_t bytes);

/* The object's content, in a local file. */
enum pom_status pom_s3_download(struct pom_s3 *s3, const char *path, const char *file, struct pom_message *msg);

/* The SHA-256 of a file. */
enum pom_status pom_s3_digest(const char *file, char hex[POM_SHA256_HEX], struct pom_message *msg);

/* The header that carries the SHA-256 of what pom_s3_upload has uploaded: the version of our own objects. */
#define POM_S3_DIGEST "x-amz-meta-pomona-sha256"

#endif
