/* Reading objects of a bucket. */
#include "base/memory.h"
#include "store/s3.h"
#include <stdlib.h>

static struct pom_request *make(const struct pom_s3_request *content, struct pom_message *msg) {
    struct pom_s3_request *request = pom_calloc(1, sizeof *request);
    if (!request) {
        pom_fail_memory(msg, "a request");
        return NULL;
    }
    *request = *content;
    return &request->request;
}

static struct pom_request *get(
    struct pom_store *store, const struct pom_store_entry *entry, size_t max_bytes, struct pom_message *msg) {
    struct pom_s3_request request = {.method = "GET",
        .key = pom_s3_key((struct pom_s3 *)store, entry->path),
        .expected_bytes = entry->size <= max_bytes ? entry->size : 0,
        .request = {.subject = entry->path, .max_bytes = max_bytes, .hedge = true}};
    if (entry->version && *entry->version == '"')
        pom_s3_header(&request, "if-match", entry->version);
    return make(&request, msg);
}

static struct pom_request *probe(struct pom_store *store, const char *path, struct pom_message *msg) {
    const struct pom_s3_request request = {.method = "HEAD",
        .key = pom_s3_key((struct pom_s3 *)store, path),
        .missing_is_fine = true,
        .request = {.subject = path}};
    return make(&request, msg);
}

static void release(struct pom_request *request) {
    pom_request_clean_up(request);
    free(request);
}

static const struct pom_reading_kind kind = {get, probe, release};

enum pom_status pom_s3_read(struct pom_store *store, const struct pom_store_entry *entry, size_t max_bytes,
    struct pom_buffer *out, struct pom_message *msg) {
    return pom_reading_run(&kind, store, ((struct pom_s3 *)store)->client, entry, max_bytes, out, msg);
}

void pom_s3_read_start(struct pom_store *store, struct pom_store_read *read) {
    struct pom_s3 *s3 = (struct pom_s3 *)store;
    pom_reading_start(&kind, store, s3->client, &s3->readings, read);
}
