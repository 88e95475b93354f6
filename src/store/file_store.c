/* Local files. */
#include "base/file.h"
#include "base/memory.h"
#include "store/file_walk.h"
#include "store/kind.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct file_store {
    struct pom_store store;
    bool folder;
};

/* Within a destination, and hidden from a listing of it. */
static const char staging_name[] = ".pomona";

/* The location without slashes at its end, then one for a folder. */
static char *prefix_of(const char *location, bool folder) {
    size_t n = strlen(location);
    while (n > 0 && location[n - 1] == '/')
        n--;
    char *prefix = malloc(n + 2);
    if (!prefix)
        return NULL;
    memcpy(prefix, location, n);
    if (folder)
        prefix[n++] = '/';
    prefix[n] = '\0';
    return prefix;
}

static enum pom_status examine(const char *location, bool create, bool *folder, struct pom_message *msg) {
    struct stat st;
    if (create)
        POM_TRY(pom_make_folders(location, msg));
    if (stat(location, &st) != 0)
        return pom_fail_errno(
            msg, errno == ENOENT || errno == ENOTDIR ? POM_ERR_NOT_FOUND : POM_ERR_IO, "%s", location);
    *folder = S_ISDIR(st.st_mode);
    if (!*folder && !S_ISREG(st.st_mode))
        return pom_fail(msg, POM_ERR_ARGUMENT, "%s is neither a folder nor a file", location);
    return POM_OK;
}

static enum pom_status make_staging(struct pom_store *store, struct pom_message *msg) {
    store->staging = pom_path_join(store->prefix, staging_name);
    return store->staging ? pom_make_folders(store->staging, msg) : pom_fail_memory(msg, "the destination");
}

static enum pom_status file_open(
    const char *location, bool create, const atomic_bool *cancel, struct pom_store **out, struct pom_message *msg) {
    (void)cancel;
    bool folder = false;
    POM_TRY(examine(location, create, &folder, msg));
    struct file_store *self = pom_calloc(1, sizeof *self);
    if (!self)
        return pom_fail_memory(msg, location);
    self->folder = folder;
    self->store.kind = &pom_file_store;
    self->store.prefix = prefix_of(location, folder);
    enum pom_status status = self->store.prefix ? POM_OK : pom_fail_memory(msg, location);
    if (status == POM_OK && create)
        status = make_staging(&self->store, msg);
    if (status != POM_OK)
        pom_store_close(&self->store);
    else
        *out = &self->store;
    return status;
}

static void file_close(struct pom_store *store) {
    free(store); /* the head of a struct file_store */
}

static enum pom_status file_list(
    struct pom_store *store, const struct pom_store_visitor *visitor, struct pom_message *msg) {
    const struct file_store *self = (const struct file_store *)store;
    return self->folder ? pom_file_walk(store->prefix, visitor, msg) : pom_file_visit(store->prefix, visitor, msg);
}

static enum pom_status file_read(struct pom_store *store, const struct pom_store_entry *entry, size_t max_bytes,
    struct pom_buffer *out, struct pom_message *msg) {
    (void)store;
    return pom_file_read(entry->path, max_bytes, out, msg);
}

static enum pom_status join(
    struct pom_store *store, const char *name, struct pom_buffer *out, struct pom_message *msg) {
    out->size = 0;
    return pom_buffer_printf(out, "%s%s", store->prefix, name) ? POM_OK : pom_fail_memory(msg, name);
}

static enum pom_status file_file_version(
    struct pom_store *store, const char *file, struct pom_buffer *version, struct pom_message *msg) {
    (void)store;
    struct stat st;
    char text[POM_FILE_VERSION_BYTES] = "";
    if (stat(file, &st) == 0)
        pom_file_version(&st, text);
    else if (errno != ENOENT)
        return pom_fail_errno(msg, POM_ERR_IO, "%s", file);
    version->size = 0;
    return pom_buffer_text(version, text) ? POM_OK : pom_fail_memory(msg, file);
}

static enum pom_status file_version(
    struct pom_store *store, const char *name, struct pom_buffer *version, struct pom_message *msg) {
    struct pom_buffer path = {0};
    enum pom_status status = join(store, name, &path, msg);
    if (status == POM_OK)
        status = file_file_version(store, path.data, version, msg);
    pom_buffer_clean_up(&path);
    return status;
}

static enum pom_status file_publish(
    struct pom_store *store, const char *file, const char *name, struct pom_message *msg) {
    struct pom_buffer path = {0};
    enum pom_status status = join(store, name, &path, msg);
    if (status == POM_OK)
        status = pom_file_commit(file, path.data, msg);
    pom_buffer_clean_up(&path);
    return status;
}

static enum pom_status file_remove(struct pom_store *store, const char *name, struct pom_message *msg) {
    struct pom_buffer path = {0};
    enum pom_status status = join(store, name, &path, msg);
    if (status == POM_OK && unlink(path.data) != 0 && errno != ENOENT)
        status = pom_fail_errno(msg, POM_ERR_IO, "cannot remove %s", path.data);
    pom_buffer_clean_up(&path);
    return status;
}

static enum pom_status file_region(struct pom_store *store, struct pom_buffer *out, struct pom_message *msg) {
    out->size = 0;
    return pom_buffer_text(out, "") ? POM_OK : pom_fail_memory(msg, store->prefix);
}

const struct pom_store_kind pom_file_store = {
    .open = file_open,
    .close = file_close,
    .list = file_list,
    .read = file_read,
    .version = file_version,
    .publish = file_publish,
    .file_version = file_file_version,
    .remove = file_remove,
    .region = file_region,
};
