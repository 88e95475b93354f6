#include "doctor.h"

#include "store/examine.h"

#include "base/buffer.h"
#include "base/file.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const size_t most_bytes = (size_t)1 << 30;

/* The first object of a listing. */
struct first {
    char *path, *version;
    uint64_t size;
};

static enum pom_status take_first(void *user, const struct pom_store_entry *entry, struct pom_message *msg) {
    struct first *first = user;
    first->path = strdup(entry->path);
    first->version = strdup(entry->version);
    first->size = entry->size;
    (void)msg;
    return POM_ERR_CANCELLED;
}

static enum pom_status pass_over(void *user, const char *path, const char *cause, struct pom_message *msg) {
    (void)user, (void)path, (void)cause, (void)msg;
    return POM_OK;
}

static void try_get(struct pom_store *store, const struct first *first, const struct pom_examiner *examiner) {
    struct pom_buffer bytes = {0};
    struct pom_message msg = {0};
    const struct pom_store_entry entry = {first->path, first->size, first->version};
    if (pom_store_read(store, &entry, most_bytes, &bytes, &msg) == POM_OK)
        pom_examiner_tell(examiner, POM_FINDING_GOOD, "get", "%.300s was read: %zu bytes", first->path, bytes.size);
    else
        pom_examiner_tell(examiner, POM_FINDING_BAD, "get", "%s", msg.text);
    pom_buffer_clean_up(&bytes);
}

static void try_list(struct pom_store *store, const struct pom_examiner *examiner) {
    struct first first = {0};
    struct pom_message msg = {0};
    const struct pom_store_visitor visitor = {take_first, pass_over, &first};
    enum pom_status status = pom_store_list(store, &visitor, &msg);
    bool found = first.path && first.version;
    if (status != POM_OK && !found)
        pom_examiner_tell(examiner, POM_FINDING_BAD, "list", "%s", msg.text);
    else if (!found)
        pom_examiner_tell(examiner, POM_FINDING_NOTE, "list", "allowed, and nothing is there: reading cannot be tried");
    else
        pom_examiner_tell(examiner, POM_FINDING_GOOD, "list", "the first object is %.300s", first.path);
    if (found)
        try_get(store, &first, examiner);
    free(first.path);
    free(first.version);
}

/* A file as tables are published, and its removal. */
static enum pom_status put_and_remove(
    struct pom_store *store, const struct pom_examiner *examiner, struct pom_message *msg) {
    static const char content[] = "pomona doctor was here: this object can be removed\n";
    struct pom_buffer file = {0};
    char name[64];
    snprintf(name, sizeof name, "pomona-doctor-%ld", (long)getpid());
    bool good = pom_buffer_printf(&file, "%s/%s", pom_store_staging(store), name);
    enum pom_status status = good ? pom_file_write(file.data, content, sizeof content - 1, msg) : POM_ERR_MEMORY;
    if (status == POM_OK)
        status = pom_store_publish(store, file.data, name, msg);
    if (status == POM_OK) {
        pom_examiner_tell(examiner, POM_FINDING_GOOD, "put", "an object was written");
        status = pom_store_remove(store, name, msg);
        if (status == POM_OK)
            pom_examiner_tell(examiner, POM_FINDING_GOOD, "delete", "and removed again");
    } else {
        unlink(file.data);
    }
    pom_buffer_clean_up(&file);
    return status;
}

/* made: there was nothing before. */
static void try_put(const char *location, bool made, const atomic_bool *cancel, const struct pom_examiner *examiner) {
    struct pom_store *store = NULL;
    struct pom_message msg = {0};
    if (pom_store_open(location, true, cancel, &store, &msg) != POM_OK) {
        pom_examiner_tell(examiner, POM_FINDING_BAD, "open", "%s", msg.text);
        return;
    }
    if (made)
        pom_examiner_tell(examiner, POM_FINDING_NOTE, "list", "nothing is there yet");
    pom_store_examine(store, true, examiner);
    if (put_and_remove(store, examiner, &msg) != POM_OK)
        pom_examiner_tell(examiner, POM_FINDING_BAD, "put", "%s", msg.text);
    rmdir(pom_store_staging(store)); /* stays where a job's state is in it */
    if (made && !pom_store_reads_ahead(store))
        rmdir(pom_store_prefix(store));
    pom_store_close(store);
}

void pom_doctor_place(
    const char *location, bool write, const atomic_bool *cancel, const struct pom_examiner *examiner) {
    struct pom_store *store = NULL;
    struct pom_message msg = {0};
    enum pom_status status = pom_store_open(location, false, cancel, &store, &msg);
    bool missing = status == POM_ERR_NOT_FOUND && write; /* a destination is made */
    if (status == POM_OK && !write)
        pom_store_examine(store, false, examiner);
    if (status == POM_OK)
        try_list(store, examiner);
    else if (!missing)
        pom_examiner_tell(examiner, POM_FINDING_BAD, "open", "%s", msg.text);
    pom_store_close(store);
    if (write && (status == POM_OK || missing))
        try_put(location, missing, cancel, examiner);
}
