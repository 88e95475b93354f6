/* Listing a bucket with many requests at once. A kind of store adds how a page is asked for. */
#ifndef POM_STORE_BUCKET_LIST_H
#define POM_STORE_BUCKET_LIST_H

#include "store/client.h"
#include "store/page.h"
#include "store/store.h"

enum { POM_PAGE_KEYS = 1000, POM_PAGE_BYTES = 32 << 20 /* and no more of an answer */ };

/* What a page is asked for with; NULL: nothing of the kind. */
struct pom_page_question {
    const char *prefix;
    const char *token; /* goes on where an earlier page ended */
    const char *after; /* keys behind it, where token is NULL; the key itself is passed over if it comes */
    bool folders;      /* common prefixes up to the next slash */
};

struct pom_bucket_kind {
    size_t request_bytes; /* of the kind's struct, at whose head a struct pom_request stands */
    /* Writes down a request, zero-initialised. Its answer, where good, must be passed to pom_bucket_take with the
     * request, on the engine's thread: false means that it must be asked for again. */
    bool (*ask)(void *store, const struct pom_page_question *question, struct pom_request *request);
    enum pom_status (*parse)(const char *text, size_t n, struct pom_page *out, struct pom_message *msg);
    void (*clean_up)(struct pom_request *request);
};

struct pom_bucket {
    const struct pom_bucket_kind *kind;
    void *store; /* of the kind */
    struct pom_client *client;
    const char *prefix;     /* the store's: "s3://bucket/photos/" */
    const char *key;        /* its part within the bucket: "photos/" */
    bool folder;            /* or the one object */
    struct pom_page *first; /* of the listing, as it came when the store was opened: taken over; NULL: none */
};

/* As pom_store_list. */
enum pom_status pom_bucket_list(
    const struct pom_bucket *bucket, const struct pom_store_visitor *visitor, struct pom_message *msg);

bool pom_bucket_take(struct pom_request *request, const struct pom_http_transfer *transfer);

#endif
