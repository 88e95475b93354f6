#include "store/reading.h"

#include "base/memory.h"
#include <stdlib.h>

enum { MOST_DENIED = 32 /* before any could be read */ };

struct reading {
    const struct pom_reading_kind *kind;
    struct pom_store *store;
    struct pom_client *client;
    struct pom_readings *all;
    struct pom_store_read *read;
    struct pom_request *request;
    struct pom_buffer probed; /* path of an object that was read before */
};

void pom_readings_clean_up(struct pom_readings *readings) {
    pom_buffer_clean_up(&readings->readable);
}

/* Takes over the bytes of the answer. */
static void take_answer(struct pom_request *request, struct pom_buffer *out) {
    struct pom_buffer old = *out;
    *out = request->answer->answer;
    request->answer->answer = old;
}

static void hand_back(struct reading *reading, enum pom_status status) {
    struct pom_store_read *read = reading->read;
    read->status = status;
    if (reading->request)
        reading->kind->release(reading->request);
    pom_buffer_clean_up(&reading->probed);
    free(reading);
    read->done(read);
}

/* Whether an object that was read before may still be read. */
static void finish_probe(struct pom_request *request) {
    struct reading *reading = request->user;
    enum pom_status status = POM_ERR_IO;
    struct pom_message *msg = &reading->read->message;
    if (request->status == POM_ERR_IO)
        status = pom_fail(msg, POM_ERR_NETWORK,
            "%.380s; by now also to what could be read before: the permission was withdrawn. With it, the same command "
            "continues",
            reading->request->message.text);
    if (request->status == POM_ERR_NETWORK || request->status == POM_ERR_CANCELLED) {
        status = request->status;
        *msg = request->message;
    }
    reading->kind->release(request);
    hand_back(reading, status);
}

/* False on no memory. */
static bool start_probe(struct reading *reading) {
    if (!pom_buffer_text(&reading->probed, reading->all->readable.data))
        return false;
    struct pom_request *probe = reading->kind->probe(reading->store, reading->probed.data, NULL);
    if (!probe)
        return false;
    probe->urgent = true;
    probe->done = finish_probe;
    probe->user = reading;
    pom_client_submit(reading->client, probe);
    return true;
}

/* One object that may not be read is a failure of its own; where none may be, no other would fare better. */
static void look_into_denial(struct reading *reading) {
    struct pom_readings *all = reading->all;
    if (all->readable.size && start_probe(reading))
        return;
    if (all->readable.size || ++all->denied < MOST_DENIED) {
        hand_back(reading, POM_ERR_IO);
        return;
    }
    hand_back(reading, pom_fail(&reading->read->message, POM_ERR_NETWORK,
                           "%.380s; so it was with the %d asked for before: what is listed may not be read. With that "
                           "permission, continue with --retry-failed",
                           reading->request->message.text, MOST_DENIED - 1));
}

static void finish(struct pom_request *request) {
    struct reading *reading = request->user;
    struct pom_readings *all = reading->all;
    if (request->status == POM_OK) {
        take_answer(request, &reading->read->bytes);
        all->readable.size = 0;
        pom_buffer_text(&all->readable, request->subject);
    } else {
        reading->read->message = request->message;
    }
    if (request->status == POM_ERR_IO)
        look_into_denial(reading);
    else
        hand_back(reading, request->status);
}

void pom_reading_start(const struct pom_reading_kind *kind, struct pom_store *store, struct pom_client *client,
    struct pom_readings *readings, struct pom_store_read *read) {
    struct reading *reading = pom_calloc(1, sizeof *reading);
    if (!reading) {
        read->status = pom_fail_memory(&read->message, "a request");
        read->done(read);
        return;
    }
    *reading = (struct reading){.kind = kind, .store = store, .client = client, .all = readings, .read = read};
    reading->request = kind->get(store, &read->entry, read->max_bytes, &read->message);
    if (!reading->request) {
        hand_back(reading, POM_ERR_MEMORY);
        return;
    }
    reading->request->done = finish;
    reading->request->user = reading;
    pom_client_submit(client, reading->request);
}

enum pom_status pom_reading_run(const struct pom_reading_kind *kind, struct pom_store *store, struct pom_client *client,
    const struct pom_store_entry *entry, size_t max_bytes, struct pom_buffer *out, struct pom_message *msg) {
    struct pom_request *request = kind->get(store, entry, max_bytes, msg);
    if (!request)
        return POM_ERR_MEMORY;
    enum pom_status status = pom_client_run(client, request, msg);
    if (status == POM_OK)
        take_answer(request, out);
    kind->release(request);
    return status;
}
