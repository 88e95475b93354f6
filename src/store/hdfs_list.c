/* The walk over HDFS, in byte order of path: a folder counts with a slash at its end. What comes next in a folder - the
 * folders within it, and its next page - is asked for ahead, many at once. */
#include "base/memory.h"
#include "store/hdfs.h"
#include "store/hdfs_json.h"
#include "store/uri.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_PAGE = 256 << 20, /* of a server that lists a folder at once */
    MOST_AHEAD = 32       /* folders within each that is being walked; as many of their further pages */
};

struct walk {
    struct pom_hdfs *hdfs;
    const struct pom_store_visitor *visitor;
    struct pom_message *msg;
    struct pom_buffer path; /* of the folder or file at hand; a folder's ends in a slash */
    struct ahead *ahead;
    pthread_mutex_t mutex; /* guards `done` of those */
    pthread_cond_t arrived;
};

/* A page that was asked for before its turn. */
struct ahead {
    struct pom_call call;
    struct walk *walk;
    struct pom_buffer path; /* of the folder */
    char *after;            /* NULL: its first page */
    int *count;             /* of these, of the folder that it was asked for in */
    bool done;
    bool taken_in; /* then the rest is the answer */
    enum pom_status status;
    struct pom_message message;
    struct pom_hdfs_page page;
    struct ahead *next;
};

/* Folders that are still to be walked, as names come before them that are like theirs with a byte less than a slash
 * behind: each is the beginning of the next. */
struct waiting {
    char **names;
    size_t n, capacity;
    int ahead;
};

static enum pom_status memory(struct walk *walk) {
    return pom_fail_memory(walk->msg, "the listing");
}

/* Writes down the question for the part of the folder behind the name `after`; NULL: from the beginning. */
static enum pom_status write_call(
    struct walk *walk, const char *folder, const char *after, struct pom_call *call, struct pom_message *msg) {
    struct pom_hdfs *hdfs = walk->hdfs;
    struct pom_buffer op = {0};
    *call = (struct pom_call){.method = "GET", .request = {.subject = folder, .max_bytes = MAX_PAGE}};
    bool good = pom_buffer_text(&op, hdfs->no_batches ? "LISTSTATUS" : "LISTSTATUS_BATCH");
    if (after)
        good = good && pom_buffer_text(&op, "&startAfter=") && pom_uri_encode(&op, after, "");
    enum pom_status status = good ? pom_hdfs_call(hdfs, folder, op.data, call, msg) : memory(walk);
    pom_buffer_clean_up(&op);
    return status;
}

/* Takes the page out of the answer, and cleans the call up. */
static enum pom_status take_answer(
    struct pom_call *call, enum pom_status status, struct pom_hdfs_page *page, struct pom_message *msg) {
    const struct pom_http_transfer *answer = call->request.answer;
    if (status == POM_OK)
        status = pom_hdfs_page_parse(answer->answer.data, answer->answer.size, page, msg);
    pom_call_clean_up(call);
    return status;
}

static void free_ahead(struct ahead *ahead) {
    pom_call_clean_up(&ahead->call);
    pom_hdfs_page_clean_up(&ahead->page);
    pom_buffer_clean_up(&ahead->path);
    free(ahead->after);
    free(ahead);
}

/* On the engine's thread. */
static void on_done(struct pom_request *request) {
    struct ahead *ahead = (struct ahead *)request;
    struct walk *walk = ahead->walk;
    pthread_mutex_lock(&walk->mutex);
    ahead->done = true;
    pthread_cond_signal(&walk->arrived);
    pthread_mutex_unlock(&walk->mutex);
}

/* Asks ahead for a page of the folder `base` + `name`. Not where a folder comes at once, as that may be too much; nor
 * without memory: what is missing is asked for in its turn. */
static void look_ahead(struct walk *walk, int *count, const char *base, const char *name, const char *after) {
    struct ahead *ahead = walk->hdfs->no_batches ? NULL : pom_calloc(1, sizeof *ahead);
    if (!ahead)
        return;
    bool good = pom_buffer_printf(&ahead->path, "%s%s%s", base, name, *name ? "/" : "");
    ahead->after = after ? strdup(after) : NULL;
    if (!good || (after && !ahead->after) || write_call(walk, ahead->path.data, after, &ahead->call, NULL) != POM_OK) {
        free_ahead(ahead);
        return;
    }
    ahead->walk = walk;
    ahead->count = count;
    ahead->next = walk->ahead;
    walk->ahead = ahead;
    ++*count;
    ahead->call.request.done = on_done;
    pom_client_submit(walk->hdfs->remote.client, &ahead->call.request);
}

static bool is_done(struct walk *walk, const struct ahead *ahead) {
    pthread_mutex_lock(&walk->mutex);
    bool done = ahead->done;
    pthread_mutex_unlock(&walk->mutex);
    return done;
}

/* Takes in the answers that have come, and asks for the pages that follow them. */
static void take_in(struct walk *walk) {
    for (struct ahead *ahead = walk->ahead; ahead; ahead = ahead->next) {
        if (ahead->taken_in || !is_done(walk, ahead))
            continue;
        ahead->taken_in = true;
        ahead->message = ahead->call.request.message;
        ahead->status = take_answer(&ahead->call, ahead->call.request.status, &ahead->page, &ahead->message);
        if (ahead->status == POM_OK && ahead->page.more && *ahead->count < 2 * MOST_AHEAD)
            look_ahead(walk, ahead->count, ahead->path.data, "", ahead->page.entries[ahead->page.n - 1].name);
    }
}

static void wait_for_answer(struct walk *walk, const struct ahead *ahead) {
    for (take_in(walk); !ahead->taken_in; take_in(walk)) {
        pthread_mutex_lock(&walk->mutex);
        if (!ahead->done)
            pthread_cond_wait(&walk->arrived, &walk->mutex);
        pthread_mutex_unlock(&walk->mutex);
    }
}

static struct ahead **find_ahead(struct walk *walk, const char *after) {
    struct ahead **place = &walk->ahead;
    for (; *place; place = &(*place)->next) {
        const struct ahead *ahead = *place;
        bool same = after && ahead->after ? strcmp(after, ahead->after) == 0 : after == ahead->after;
        if (same && strcmp(ahead->path.data, walk->path.data) == 0)
            break;
    }
    return place;
}

/* The answer for the folder at hand, if it was asked for ahead. */
static struct ahead *take_ahead(struct walk *walk, const char *after) {
    struct ahead *ahead = *find_ahead(walk, after);
    if (!ahead)
        return NULL;
    wait_for_answer(walk, ahead);
    *find_ahead(walk, after) = ahead->next;
    --*ahead->count;
    return ahead;
}

/* The part of the folder at hand behind the name `after`; NULL: from the beginning. */
static enum pom_status ask(struct walk *walk, const char *after, struct pom_hdfs_page *page, struct pom_message *msg) {
    struct ahead *ahead = take_ahead(walk, after);
    struct pom_call call;
    if (ahead) {
        enum pom_status status = ahead->status;
        *msg = ahead->message;
        *page = ahead->page;
        ahead->page = (struct pom_hdfs_page){0};
        free_ahead(ahead);
        return status;
    }
    enum pom_status status = write_call(walk, walk->path.data, after, &call, msg);
    if (status == POM_OK)
        status = pom_remote_run(&walk->hdfs->remote, &call, msg);
    return take_answer(&call, status, page, msg);
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
    for (size_t i = 0, ahead = 0; i < page->n; i++) {
        const struct pom_hdfs_status *entry = &page->entries[i];
        for (ahead = ahead < i ? i : ahead; ahead < page->n && waiting->ahead < MOST_AHEAD; ahead++)
            if (page->entries[ahead].folder && *page->entries[ahead].name != '.')
                look_ahead(walk, &waiting->ahead, walk->path.data, page->entries[ahead].name, NULL);
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
        if (after && !*find_ahead(walk, after))
            look_ahead(walk, &waiting->ahead, walk->path.data, "", after);
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

/* What was asked for in vain, as the walk has ended before. */
static void drop_ahead(struct walk *walk) {
    while (walk->ahead) {
        struct ahead *ahead = walk->ahead;
        pthread_mutex_lock(&walk->mutex);
        while (!ahead->done)
            pthread_cond_wait(&walk->arrived, &walk->mutex);
        pthread_mutex_unlock(&walk->mutex);
        walk->ahead = ahead->next;
        free_ahead(ahead);
    }
}

enum pom_status pom_hdfs_list(
    struct pom_store *store, const struct pom_store_visitor *visitor, struct pom_message *msg) {
    struct pom_hdfs *hdfs = (struct pom_hdfs *)store;
    struct walk walk = {.hdfs = hdfs, .visitor = visitor, .msg = msg};
    if (!hdfs->folder)
        return visit_one(hdfs, visitor, msg);
    pthread_mutex_init(&walk.mutex, NULL);
    pthread_cond_init(&walk.arrived, NULL);
    enum pom_status status = pom_buffer_text(&walk.path, store->prefix) ? walk_folder(&walk) : memory(&walk);
    drop_ahead(&walk);
    pthread_cond_destroy(&walk.arrived);
    pthread_mutex_destroy(&walk.mutex);
    pom_buffer_clean_up(&walk.path);
    return status;
}
