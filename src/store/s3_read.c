/* Reading objects of a bucket. */
#include "base/memory.h"
#include "store/s3.h"
#include <stdlib.h>

enum { MOST_DENIED = 32 /* before any could be read */ };

/* Takes over the bytes of the answer. */
static void take_answer(struct pom_request *request, struct pom_buffer *out) {
    struct pom_buffer old = *out;
    *out = request->answer->answer;
    request->answer->answer = old;
}

static struct pom_s3_request request_of(
    const struct pom_s3 *s3, const struct pom_store_entry *entry, size_t max_bytes) {
    struct pom_s3_request request = {.method = "GET",
        .key = pom_s3_key(s3, entry->path),
        .expected_bytes = entry->size <= max_bytes ? entry->size : 0,
        .request = {.subject = entry->path, .max_bytes = max_bytes, .hedge = true}};
    if (entry->version && *entry->version == '"')
        pom_s3_header(&request, "if-match", entry->version);
    return request;
}

enum pom_status pom_s3_read(struct pom_store *store, const struct pom_store_entry *entry, size_t max_bytes,
    struct pom_buffer *out, struct pom_message *msg) {
    struct pom_s3 *s3 = (struct pom_s3 *)store;
    struct pom_s3_request request = request_of(s3, entry, max_bytes);
    enum pom_status status = pom_client_run(s3->client, &request.request, msg);
    if (status == POM_OK)
        take_answer(&request.request, out);
    pom_request_clean_up(&request.request);
    return status;
}

struct get {
    struct pom_s3_request request;
    struct pom_s3 *s3;
    struct pom_store_read *read;
};

static void hand_back(struct get *get, enum pom_status status) {
    struct pom_store_read *read = get->read;
    read->status = status;
    pom_request_clean_up(&get->request.request);
    free(get);
    read->done(read);
}

/* Whether an object that was read before may still be read. */
struct probe {
    struct pom_s3_request request;
    struct get *get;
    struct pom_buffer path;
};

static void finish_probe(struct pom_request *request) {
    struct probe *probe = (struct probe *)request;
    struct get *get = probe->get;
    enum pom_status status = get->request.request.status;
    if (request->status == POM_ERR_IO)
        status = pom_fail(&get->read->message, POM_ERR_NETWORK,
            "%.300s: access is denied, and by now to what could be read before too: the permission was withdrawn. Have "
            "it given back, then the same command continues",
            get->request.request.subject);
    else if (request->status != POM_OK)
        get->read->message = request->message;
    if (request->status == POM_ERR_NETWORK || request->status == POM_ERR_CANCELLED)
        status = request->status;
    pom_request_clean_up(request);
    pom_buffer_clean_up(&probe->path);
    free(probe);
    hand_back(get, status);
}

/* False on no memory. */
static bool start_probe(struct pom_s3 *s3, struct get *get) {
    struct probe *probe = pom_calloc(1, sizeof *probe);
    if (!probe || !pom_buffer_text(&probe->path, s3->readable.data)) {
        free(probe);
        return false;
    }
    probe->get = get;
    probe->request = (struct pom_s3_request){.method = "HEAD",
        .key = pom_s3_key(s3, probe->path.data),
        .missing_is_fine = true,
        .request = {.subject = probe->path.data, .urgent = true, .done = finish_probe}};
    pom_client_submit(s3->client, &probe->request.request);
    return true;
}

/* One object that may not be read is a failure of its own; where none may be, no other would fare better. */
static void look_into_denial(struct pom_s3 *s3, struct get *get) {
    if (s3->readable.size && start_probe(s3, get))
        return;
    if (s3->readable.size || ++s3->denied < MOST_DENIED) {
        hand_back(get, POM_ERR_IO);
        return;
    }
    hand_back(get, pom_fail(&get->read->message, POM_ERR_NETWORK,
                       "%.300s: access is denied, as to the %d objects that were asked for before it: the identity may "
                       "list the bucket, but not read it (s3:GetObject). With that permission, continue with "
                       "--retry-failed",
                       get->request.request.subject, MOST_DENIED - 1));
}

static void finish_get(struct pom_request *request) {
    struct get *get = (struct get *)request;
    struct pom_s3 *s3 = get->s3;
    if (request->status == POM_OK) {
        take_answer(request, &get->read->bytes);
        s3->readable.size = 0;
        pom_buffer_text(&s3->readable, request->subject);
    } else {
        get->read->message = request->message;
    }
    if (request->status == POM_ERR_IO)
        look_into_denial(s3, get);
    else
        hand_back(get, request->status);
}

void pom_s3_read_start(struct pom_store *store, struct pom_store_read *read) {
    struct pom_s3 *s3 = (struct pom_s3 *)store;
    struct get *get = pom_calloc(1, sizeof *get);
    if (!get) {
        read->status = pom_fail_memory(&read->message, "a request");
        read->done(read);
        return;
    }
    get->request = request_of(s3, &read->entry, read->max_bytes);
    get->request.request.done = finish_get;
    get->s3 = s3;
    get->read = read;
    pom_client_submit(s3->client, &get->request.request);
}
