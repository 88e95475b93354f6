/* The walk over HDFS, in byte order of path: a folder counts with a slash at its end. */
#include "store/hdfs.h"
#include "store/hdfs_json.h"
#include "store/uri.h"
#include <stdlib.h>
#include <string.h>

enum { MAX_PAGE = 256 << 20 }; /* of a server that lists a folder at once */

struct walk {
    struct pom_hdfs *hdfs;
    const struct pom_store_visitor *visitor;
    struct pom_message *msg;
    struct pom_buffer path; /* of the folder or file at hand; a folder's ends in a slash */
};

/* Folders that are still to be walked, as names come before them that are like theirs with a byte less than a slash
 * behind: each is the beginning of the next. */
struct waiting {
    char **names;
    size_t n, capacity;
};

static enum pom_status memory(struct walk *walk) {
    return pom_fail_memory(walk->msg, "the listing");
}

/* The part of the folder behind the name `after`; NULL: from the beginning. */
static enum pom_status ask(struct walk *walk, const char *after, struct pom_hdfs_page *page, struct pom_message *msg) {
    struct pom_hdfs *hdfs = walk->hdfs;
    struct pom_buffer op = {0};
    struct pom_call call = {.method = "GET", .request = {.subject = walk->path.data, .max_bytes = MAX_PAGE}};
    bool good = pom_buffer_text(&op, hdfs->no_batches ? "LISTSTATUS" : "LISTSTATUS_BATCH");
    if (after)
        good = good && pom_buffer_text(&op, "&startAfter=") && pom_uri_encode(&op, after, "");
    enum pom_status status = good ? pom_hdfs_call(hdfs, walk->path.data, op.data, &call, msg) : memory(walk);
    if (status == POM_OK)
        status = pom_remote_run(&hdfs->remote, &call, msg);
    if (status == POM_OK)
        status = pom_hdfs_page_parse(call.request.answer->answer.data, call.request.answer->answer.size, page, msg);
    pom_call_clean_up(&call);
    pom_buffer_clean_up(&op);
    return status;
}

/* As ask, but a folder that cannot be read is refused and the page is empty; the root of the walk fails it. */
static enum pom_status get_page(struct walk *walk, const char *after, struct pom_hdfs_page *page) {
    struct pom_message why = {0};
    enum pom_status status = ask(walk, after, page, &why);
    if (status == POM_ERR_UNSUPPORTED && !after && !walk->hdfs->no_batches) {
        walk->hdfs->no_batches = true;
        status = ask(walk, after, page, &why);
    }
    bool root = strcmp(walk->path.data, walk->hdfs->remote.store.prefix) == 0;
    if ((status == POM_ERR_IO || status == POM_ERR_NOT_FOUND) && !root)
        return walk->visitor->refuse(walk->visitor->user, walk->path.data, why.text, walk->msg);
    if (status != POM_OK && walk->msg)
        *walk->msg = why;
    return status;
}

static enum pom_status visit_file(struct walk *walk, const struct pom_hdfs_status *file) {
    char version[64];
    size_t base = walk->path.size;
    if (!pom_buffer_text(&walk->path, file->name))
        return memory(walk);
    pom_hdfs_version(file->modified_ms, file->size, version);
    const struct pom_store_entry entry = {walk->path.data, file->size, version};
    enum pom_status status = walk->visitor->visit(walk->visitor->user, &entry, walk->msg);
    walk->path.size = base;
    walk->path.data[base] = '\0';
    return status;
}

static enum pom_status walk_folder(struct walk *walk);

static enum pom_status walk_last(struct walk *walk, struct waiting *waiting) {
    size_t base = walk->path.size;
    char *name = waiting->names[--waiting->n];
    bool good = pom_buffer_printf(&walk->path, "%s/", name);
    free(name);
    enum pom_status status = good ? walk_folder(walk) : memory(walk);
    walk->path.size = base;
    walk->path.data[base] = '\0';
    return status;
}

/* Walks the folders that come before the name; all where it is NULL. */
static enum pom_status walk_before(struct walk *walk, struct waiting *waiting, const char *name) {
    while (waiting->n > 0) {
        const char *last = waiting->names[waiting->n - 1];
        size_t n = strlen(last);
        if (name && strncmp(name, last, n) == 0 && (unsigned char)name[n] < '/')
            return POM_OK;
        POM_TRY(walk_last(walk, waiting));
    }
    return POM_OK;
}

static enum pom_status wait_for(struct walk *walk, struct waiting *waiting, const char *name) {
    void *names = waiting->names;
    if (!pom_grow(&names, &waiting->capacity, waiting->n + 1, sizeof *waiting->names))
        return memory(walk);
    waiting->names = names;
    waiting->names[waiting->n] = strdup(name);
    return waiting->names[waiting->n] ? (waiting->n++, POM_OK) : memory(walk);
}

static enum pom_status visit_page(struct walk *walk, const struct pom_hdfs_page *page, struct waiting *waiting) {
    for (size_t i = 0; i < page->n; i++) {
        const struct pom_hdfs_status *entry = &page->entries[i];
        if (*entry->name == '.')
            continue;
        POM_TRY(walk_before(walk, waiting, entry->name));
        if (entry->folder)
            POM_TRY(wait_for(walk, waiting, entry->name));
        else
            POM_TRY(visit_file(walk, entry));
    }
    return POM_OK;
}

static enum pom_status walk_pages(struct walk *walk, struct waiting *waiting) {
    struct pom_hdfs_page page = {0};
    char *after = NULL;
    enum pom_status status;
    do {
        pom_hdfs_page_clean_up(&page);
        status = get_page(walk, after, &page);
        free(after);
        after = status == POM_OK && page.more ? strdup(page.entries[page.n - 1].name) : NULL;
        if (status == POM_OK && page.more && !after)
            status = memory(walk);
        if (status == POM_OK)
            status = visit_page(walk, &page, waiting);
    } while (status == POM_OK && page.more);
    free(after);
    pom_hdfs_page_clean_up(&page);
    return status == POM_OK ? walk_before(walk, waiting, NULL) : status;
}

/* The folder at walk->path. */
static enum pom_status walk_folder(struct walk *walk) {
    struct waiting waiting = {0};
    enum pom_status status = walk_pages(walk, &waiting);
    while (waiting.n > 0)
        free(waiting.names[--waiting.n]);
    free(waiting.names);
    return status;
}

static enum pom_status visit_one(
    struct pom_hdfs *hdfs, const struct pom_store_visitor *visitor, struct pom_message *msg) {
    struct pom_remote_object object;
    const char *path = hdfs->remote.store.prefix;
    POM_TRY(hdfs->remote.kind->stat(&hdfs->remote, path, &object, msg));
    const struct pom_store_entry entry = {path, object.size, object.version};
    return object.found ? visitor->visit(visitor->user, &entry, msg) : POM_OK;
}

enum pom_status pom_hdfs_list(
    struct pom_store *store, const struct pom_store_visitor *visitor, struct pom_message *msg) {
    struct pom_hdfs *hdfs = (struct pom_hdfs *)store;
    struct walk walk = {.hdfs = hdfs, .visitor = visitor, .msg = msg};
    if (!hdfs->folder)
        return visit_one(hdfs, visitor, msg);
    enum pom_status status = pom_buffer_text(&walk.path, store->prefix) ? walk_folder(&walk) : memory(&walk);
    pom_buffer_clean_up(&walk.path);
    return status;
}
