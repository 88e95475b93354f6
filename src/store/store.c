#include "store/store.h"

#include "store/kind.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Lookup by what stands before "://". */
static const struct {
    const char *name;
    const struct pom_store_kind *kind;
} schemes[] = {{"", &pom_file_store}, {"s3", &pom_s3_store}, {"s3a", &pom_s3_store}, {"gs", &pom_gs_store},
    {"hdfs", &pom_hdfs_store}, {"webhdfs", &pom_hdfs_store}, {"swebhdfs", &pom_hdfs_store}};

/* The length of "scheme" in "scheme://rest"; 0 for a local path. */
static size_t scheme_length(const char *location) {
    size_t n = 0;
    while (isalnum((unsigned char)location[n]) || (n > 0 && strchr("+.-", location[n]) && location[n]))
        n++;
    return strncmp(location + n, "://", 3) == 0 ? n : 0;
}

enum pom_status pom_store_open(
    const char *location, bool create, const atomic_bool *cancel, struct pom_store **out, struct pom_message *msg) {
    *out = NULL;
    if (!*location)
        return pom_fail(msg, POM_ERR_ARGUMENT, "a location is empty: name a folder or a file");
    size_t scheme = scheme_length(location);
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (scheme == strlen(schemes[i].name) && strncasecmp(location, schemes[i].name, scheme) == 0)
            return schemes[i].kind->open(location, create, cancel, out, msg);
    return pom_fail(msg, POM_ERR_UNSUPPORTED,
        "%s: %.*s:// is not supported: name a local path, s3://BUCKET/FOLDER, gs://BUCKET/FOLDER or "
        "hdfs://HOST:PORT/FOLDER",
        location, (int)scheme, location);
}

void pom_store_close(struct pom_store *store) {
    if (!store)
        return;
    free(store->prefix);
    free(store->staging);
    store->kind->close(store);
}

const char *pom_store_prefix(const struct pom_store *store) {
    return store->prefix;
}

const char *pom_store_staging(const struct pom_store *store) {
    return store->staging;
}

enum pom_status pom_store_list(
    struct pom_store *store, const struct pom_store_visitor *visitor, struct pom_message *msg) {
    return store->kind->list(store, visitor, msg);
}

enum pom_status pom_store_read(struct pom_store *store, const struct pom_store_entry *entry, size_t max_bytes,
    struct pom_buffer *out, struct pom_message *msg) {
    return store->kind->read(store, entry, max_bytes, out, msg);
}

bool pom_store_reads_ahead(const struct pom_store *store) {
    return store->kind->read_start != NULL;
}

void pom_store_read_start(struct pom_store *store, struct pom_store_read *read) {
    store->kind->read_start(store, read);
}

void pom_store_cancel(struct pom_store *store) {
    if (store->kind->cancel)
        store->kind->cancel(store);
}

uint64_t pom_store_requests(const struct pom_store *store) {
    return store->kind->requests ? store->kind->requests(store) : 0;
}

enum pom_status pom_store_version(
    struct pom_store *store, const char *name, struct pom_buffer *version, struct pom_message *msg) {
    return store->kind->version(store, name, version, msg);
}

enum pom_status pom_store_fetch(
    struct pom_store *store, const char *name, struct pom_buffer *out, struct pom_message *msg) {
    const char *slash = strrchr(name, '/');
    out->size = 0;
    bool local = !store->kind->download;
    bool named = local ? pom_buffer_printf(out, "%s%s", store->prefix, name)
                       : pom_buffer_printf(out, "%s/fetched-%s", store->staging, slash ? slash + 1 : name);
    if (!named)
        return pom_fail_memory(msg, name);
    return local ? POM_OK : store->kind->download(store, name, out->data, msg);
}

enum pom_status pom_store_download(
    struct pom_store *store, const char *name, const char *file, struct pom_message *msg) {
    return store->kind->download(store, name, file, msg);
}

enum pom_status pom_store_publish(
    struct pom_store *store, const char *file, const char *name, struct pom_message *msg) {
    return store->kind->publish(store, file, name, msg);
}

enum pom_status pom_store_file_version(
    struct pom_store *store, const char *file, struct pom_buffer *version, struct pom_message *msg) {
    return store->kind->file_version(store, file, version, msg);
}

enum pom_status pom_store_remove(struct pom_store *store, const char *name, struct pom_message *msg) {
    return store->kind->remove(store, name, msg);
}

enum pom_status pom_store_tidy(struct pom_store *store, struct pom_message *msg) {
    return store->kind->tidy ? store->kind->tidy(store, msg) : POM_OK;
}

bool pom_store_has_notes(const struct pom_store *store) {
    return store->kind->note_write != NULL;
}

enum pom_status pom_store_note_read(
    struct pom_store *store, const char *name, struct pom_store_note *note, struct pom_message *msg) {
    return store->kind->note_read(store, name, note, msg);
}

enum pom_status pom_store_note_write(
    struct pom_store *store, const char *name, const char *text, struct pom_buffer *version, struct pom_message *msg) {
    return store->kind->note_write(store, name, text, version, msg);
}

enum pom_status pom_store_note_remove(struct pom_store *store, const char *name, struct pom_message *msg) {
    return store->kind->note_remove(store, name, msg);
}

void pom_store_examine(struct pom_store *store, bool write, const struct pom_examiner *examiner) {
    if (store->kind->examine)
        store->kind->examine(store, write, examiner);
}

enum pom_status pom_store_region(struct pom_store *store, struct pom_buffer *out, struct pom_message *msg) {
    if (store->kind->region)
        return store->kind->region(store, out, msg);
    return pom_fail(msg, POM_ERR_UNSUPPORTED, "%s: such a store does not tell where its data lies", store->prefix);
}
