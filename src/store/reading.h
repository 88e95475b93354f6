/* Reads in the background, and what their refusals mean: one object's own failure, or one that every later read would
 * share. What a kind of store adds is the requests. */
#ifndef POM_STORE_READING_H
#define POM_STORE_READING_H

#include "store/client.h"
#include "store/store.h"

/* The words for a refusal, followed by the permission and who asked. */
#define POM_ACCESS_DENIED                                                                                              \
    "access is denied: the identity lacks the permission; have it granted, or use another identity"

struct pom_reading_kind {
    /* A request that reads the entry, and one that fails with POM_ERR_IO where the object may not be read, whatever
     * else is wrong with it. What they are given is the caller's until their release. NULL: the message says why. */
    struct pom_request *(*get)(
        struct pom_store *store, const struct pom_store_entry *entry, size_t max_bytes, struct pom_message *msg);
    struct pom_request *(*probe)(struct pom_store *store, const char *path, struct pom_message *msg);
    void (*release)(struct pom_request *request);
};

/* Of one store; zero-initialise. The engine's thread only. */
struct pom_readings {
    struct pom_buffer readable; /* path of an object that was read; "" before there is one */
    int denied;                 /* objects, before one could be read */
};

void pom_readings_clean_up(struct pom_readings *readings);

/* Starts the read and returns; read->done is called in every case. kind, store, client and readings: borrowed until
 * then. */
void pom_reading_start(const struct pom_reading_kind *kind, struct pom_store *store, struct pom_client *client,
    struct pom_readings *readings, struct pom_store_read *read);

/* The same, waited for; out is replaced. */
enum pom_status pom_reading_run(const struct pom_reading_kind *kind, struct pom_store *store, struct pom_client *client,
    const struct pom_store_entry *entry, size_t max_bytes, struct pom_buffer *out, struct pom_message *msg);

#endif
