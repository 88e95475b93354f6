/* What stores on a network share that address each object by a URL of its own: reads, versions, whole files to and
 * from. A kind adds how its requests are written down. */
#ifndef POM_STORE_REMOTE_H
#define POM_STORE_REMOTE_H

#include "base/hash.h"
#include "store/client.h"
#include "store/kind.h"
#include "store/reading.h"

struct pom_remote;

/* One request. Zero-initialise, but for what it needs; released by pom_call_clean_up. */
struct pom_call {
    struct pom_request request;
    const char *method;
    struct pom_buffer url;      /* absolute */
    struct pom_buffer headers;  /* by pom_call_header */
    struct pom_buffer redirect; /* where the server sent us; used once instead of url */
    const void *body;           /* borrowed */
    size_t body_size;
    bool missing_is_fine;    /* an answer of 404 is for the caller */
    uint64_t expected_bytes; /* of a good answer's body; 0: not known */
    /* May be NULL. In place of what the kind does with every request, and with every answer below status 400; on the
     * engine's thread. */
    bool (*write)(struct pom_call *call, struct pom_http_transfer *transfer);
    enum pom_verdict (*accept)(struct pom_call *call, const struct pom_http_transfer *transfer);
};

bool pom_call_header(struct pom_call *call, const char *name, const char *value);
void pom_call_clean_up(struct pom_call *call);

/* Writes method, URL, headers and body to the transfer. body: whether there is one. False on no memory. */
bool pom_call_write(const struct pom_call *call, const struct pom_buffer *url, bool body, struct pom_http_transfer *to);

/* What is known of an object without reading it. */
struct pom_remote_object {
    bool found, folder;
    uint64_t size;
    char version[64];            /* as a listing has it */
    char digest[POM_SHA256_HEX]; /* the SHA-256 that it was published with, "" where there is none */
};

struct pom_remote_kind {
    const struct pom_store_kind *store;
    size_t size; /* of the kind's own struct, which begins with a struct pom_remote */
    const struct pom_protocol *protocol;
    /* Opening, first: what location and environment say, and who asks. Then, over the network: what the location names,
     * with the prefix that follows from it. On failure the store is closed with what is set. */
    enum pom_status (*prepare)(
        struct pom_remote *remote, const char *location, const atomic_bool *cancel, struct pom_message *msg);
    enum pom_status (*locate)(struct pom_remote *remote, bool create, struct pom_message *msg);
    /* Writes down the read of `n` bytes from `at` on; n = 0: of all. entry->version may be NULL: of any. */
    enum pom_status (*get)(struct pom_remote *remote, const struct pom_store_entry *entry, uint64_t at, uint64_t n,
        struct pom_call *call, struct pom_message *msg);
    /* Writes down a request that fails where the object may not be read, whatever is in it. */
    enum pom_status (*probe)(
        struct pom_remote *remote, const char *path, struct pom_call *call, struct pom_message *msg);
    enum pom_status (*stat)(
        struct pom_remote *remote, const char *path, struct pom_remote_object *out, struct pom_message *msg);
    /* The file becomes the object, whole or not at all. */
    enum pom_status (*upload)(struct pom_remote *remote, const char *file, const char *path, struct pom_message *msg);
    enum pom_status (*remove)(
        struct pom_remote *remote, const char *path, struct pom_call *call, struct pom_message *msg);
};

/* The head of a kind's own struct. */
struct pom_remote {
    struct pom_store store;
    const struct pom_remote_kind *kind;
    struct pom_client *client;
    struct pom_readings readings;
};

/* What struct pom_store_kind.open does, for a kind. */
enum pom_status pom_remote_open(const struct pom_remote_kind *kind, const char *location, bool create,
    const atomic_bool *cancel, struct pom_store **out, struct pom_message *msg);

/* Frees the client, and what is known of reads. */
void pom_remote_clean_up(struct pom_remote *remote);

/* Submits the call and waits for its end. */
enum pom_status pom_remote_run(struct pom_remote *remote, struct pom_call *call, struct pom_message *msg);

/* How long an exchange of so many bytes may take, milliseconds. */
int pom_remote_deadline_ms(uint64_t bytes);

/* Functions of struct pom_store_kind. */
enum pom_status pom_remote_read(struct pom_store *store, const struct pom_store_entry *entry, size_t max_bytes,
    struct pom_buffer *out, struct pom_message *msg);
void pom_remote_read_start(struct pom_store *store, struct pom_store_read *read);
void pom_remote_cancel(struct pom_store *store);
uint64_t pom_remote_requests(const struct pom_store *store);
enum pom_status pom_remote_version(
    struct pom_store *store, const char *name, struct pom_buffer *version, struct pom_message *msg);
enum pom_status pom_remote_download(
    struct pom_store *store, const char *name, const char *file, struct pom_message *msg);
enum pom_status pom_remote_publish(
    struct pom_store *store, const char *file, const char *name, struct pom_message *msg);
enum pom_status pom_remote_remove(struct pom_store *store, const char *name, struct pom_message *msg);
enum pom_status pom_remote_note_remove(struct pom_store *store, const char *name, struct pom_message *msg);

#endif
