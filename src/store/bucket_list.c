/* Listing a bucket in byte order of key, with many requests at once. The keys are divided into ranges: where a page
 * shows that a range goes on, the folders that it holds are asked for (a "probe", by delimiter), and it is cut at their
 * names, so that each part holds about a page of keys or more. Where it holds none, it is cut where names like the last
 * one would go on ("img_0009" at "img_001", "img_002"...), which costs a request where there are none. A range lists
 * its part page by page; what arrives waits for its turn. */
#include "store/bucket_list.h"

#include "base/memory.h"
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    REQUESTS = 32,
    PAGES_WAITING = 64,
    LONG_PAGES = 3,            /* after which a range seems long */
    GUESSED_BYTES = 3,         /* of a name, that is cut at at once */
    MOST_MISSES = 2 * REQUESTS /* guesses in vain, beyond as many that were right */
};

/* A part of the listing: keys after `after` up to `until`, both of which may be NULL; or a page of them that has come.
 */
struct range {
    struct range *before, *next;
    struct pom_page page; /* where ready */
    bool ready, ended;
    char *after, *until, *token; /* after is the last key that has come */
    int busy;                    /* requests under way */
    int level;                   /* path components below the location at which the next probe looks */
    bool probe, probed;          /* probe with the next page; the answer has come */
    double keys_a_folder;        /* of the last page, at that level */
    struct pom_page folders;     /* what the probe found */
    bool guessed;                /* it begins where keys were only expected */
    int pages;                   /* that have come */
};

struct page_request {
    struct pom_request *request; /* the kind's own struct */
    struct listing *listing;
    struct range *range;
    struct pom_page page;
    char *token, *after, *prefix; /* that it asks with */
    bool is_probe, used, done;
};

struct listing {
    const struct pom_bucket *bucket;
    const struct pom_store_visitor *visitor;
    struct range *first;
    int ready;  /* ranges */
    int misses; /* guesses in vain, less those that were right */
    struct page_request requests[REQUESTS];
    struct pom_buffer path, last; /* the entry at hand, and the one before */
    pthread_mutex_t mutex;        /* guards `done` of the requests */
    pthread_cond_t arrived;
};

static char *copy(const char *text) {
    return text ? strdup(text) : NULL;
}

static struct range *new_range(struct range *before, struct range *next) {
    struct range *range = pom_calloc(1, sizeof *range);
    if (!range)
        return NULL;
    range->before = before;
    range->next = next;
    if (before)
        before->next = range;
    if (next)
        next->before = range;
    return range;
}

static void free_range(struct range *range) {
    pom_page_clean_up(&range->page);
    pom_page_clean_up(&range->folders);
    free(range->after);
    free(range->until);
    free(range->token);
    free(range);
}

static void drop_first(struct listing *listing) {
    struct range *first = listing->first;
    listing->ready -= first->ready;
    listing->first = first->next;
    if (listing->first)
        listing->first->before = NULL;
    free_range(first);
}

/* Where the page begins with the key, as that was its server's way to ask for what follows it. */
static void drop_key(struct pom_page *page, const char *key) {
    if (page->n_objects > 0 && page->objects->key && strcmp(page->objects->key, key) == 0)
        memmove(page->objects, page->objects + 1, --page->n_objects * sizeof *page->objects);
}

/* What follows relies on it. */
static bool is_below(const struct pom_page *page, const char *prefix) {
    size_t n = strlen(prefix);
    for (size_t i = 0; i < page->n_objects; i++)
        if (page->objects[i].key && strncmp(page->objects[i].key, prefix, n) != 0)
            return false;
    return true;
}

bool pom_bucket_take(struct pom_request *request, const struct pom_http_transfer *transfer) {
    struct page_request *self = request->user;
    const struct pom_bucket_kind *kind = self->listing->bucket->kind;
    pom_page_clean_up(&self->page);
    if (kind->parse(transfer->answer.data, transfer->answer.size, &self->page, NULL) != POM_OK)
        return false;
    if (!is_below(&self->page, self->prefix))
        return false;
    if (!self->token && self->after)
        drop_key(&self->page, self->after);
    return true;
}

/* On the engine's thread. */
static void on_done(struct pom_request *request) {
    struct page_request *self = request->user;
    struct listing *listing = self->listing;
    pthread_mutex_lock(&listing->mutex);
    self->done = true;
    pthread_cond_signal(&listing->arrived);
    pthread_mutex_unlock(&listing->mutex);
}

/* The folder that holds the key, so many components below the location; NULL: the key lies above. */
static char *folder_at(const struct pom_bucket *bucket, const char *key, int level) {
    size_t n = strlen(bucket->key);
    for (int i = 0; i < level; i++) {
        const char *slash = key ? strchr(key + n, '/') : NULL;
        if (!slash)
            return NULL;
        n = (size_t)(slash - key) + 1;
    }
    return key ? pom_strndup(key, n) : strdup(bucket->key);
}

static struct page_request *free_request(struct listing *listing) {
    for (int i = 0; i < REQUESTS; i++)
        if (!listing->requests[i].used)
            return &listing->requests[i];
    return NULL;
}

static void clean_up_request(struct page_request *self) {
    if (self->request)
        self->listing->bucket->kind->clean_up(self->request);
    free(self->request);
    pom_page_clean_up(&self->page);
    free(self->token);
    free(self->after);
    free(self->prefix);
    *self = (struct page_request){0};
}

/* good: there was memory for what self asks with. */
static enum pom_status submit(
    struct listing *listing, struct range *range, struct page_request *self, bool good, struct pom_message *msg) {
    const struct pom_bucket *bucket = listing->bucket;
    const struct pom_page_question question = {self->prefix, self->token, self->after, self->is_probe};
    self->listing = listing;
    self->range = range;
    self->request = good ? pom_calloc(1, bucket->kind->request_bytes) : NULL;
    if (!self->request || !bucket->kind->ask(bucket->store, &question, self->request)) {
        clean_up_request(self);
        return pom_fail_memory(msg, "the listing");
    }
    self->request->subject = bucket->prefix;
    self->request->max_bytes = POM_PAGE_BYTES;
    self->request->hedge = true;
    self->request->done = on_done;
    self->request->user = self;
    self->used = true;
    range->busy++;
    pom_client_submit(bucket->client, self->request);
    return POM_OK;
}

static enum pom_status start_page(struct listing *listing, struct range *range, struct pom_message *msg) {
    struct page_request *self = free_request(listing);
    self->token = copy(range->token);
    self->after = copy(range->after);
    self->prefix = strdup(listing->bucket->key);
    bool good = self->prefix && (!range->token || self->token) && (!range->after || self->after);
    return submit(listing, range, self, good, msg);
}

static enum pom_status start_probe(struct listing *listing, struct range *range, struct pom_message *msg) {
    struct page_request *self = free_request(listing);
    range->probe = false;
    self->is_probe = true;
    self->prefix = folder_at(listing->bucket, range->after, range->level);
    self->after = copy(range->after);
    return submit(listing, range, self, self->prefix && (!range->after || self->after), msg);
}

/* Asks for what the ranges lack, those first whose turn comes first. */
static enum pom_status start_requests(struct listing *listing, struct pom_message *msg) {
    for (struct range *range = listing->first; range; range = range->next) {
        if (range->ready || range->ended || range->busy)
            continue;
        if (listing->ready >= PAGES_WAITING && range != listing->first)
            return POM_OK;
        if (!free_request(listing))
            return POM_OK;
        POM_TRY(start_page(listing, range, msg));
        if (range->probe && free_request(listing))
            POM_TRY(start_probe(listing, range, msg));
    }
    return POM_OK;
}

/* How many keys there are to a folder of the level, in this page, which seldom begins and ends with a whole one. */
static double density(const struct pom_bucket *bucket, const struct pom_page *page, int level) {
    size_t folders = 0;
    for (size_t i = 1; i < page->n_objects; i++) {
        const char *a = page->objects[i - 1].key, *b = page->objects[i].key;
        size_t n = strlen(bucket->key);
        for (int slashes = 0; a && b && a[n] && a[n] == b[n]; n++)
            if (a[n] == '/' && slashes++ == level)
                break;
        folders += a && b && a[n] != b[n] && (strchr(a + n, '/') || strchr(b + n, '/'));
    }
    return (double)page->n_objects / (double)(folders ? folders : 1);
}

/* Cuts the page at the end of its range. */
static bool cut(const struct range *range, struct pom_page *page) {
    size_t n = page->n_objects;
    while (range->until && n > 0 && page->objects[n - 1].key && strcmp(page->objects[n - 1].key, range->until) > 0)
        n--;
    bool reached = n < page->n_objects;
    page->n_objects = n;
    return reached;
}

/* What follows the next slash; NULL: there is none. */
static const char *next_part(const char *text) {
    const char *slash = strchr(text, '/');
    return slash ? slash + 1 : NULL;
}

static bool has_folder(const struct pom_bucket *bucket, const char *key, int level) {
    const char *part = key + strlen(bucket->key);
    while (part && level-- > 0)
        part = next_part(part);
    return part != NULL;
}

/* Makes one range of what follows `boundary` in the range, and leaves it what comes before. */
static bool split_at(struct range **range, const char *boundary, int level) {
    struct range *rest = new_range(*range, (*range)->next);
    if (!rest)
        return false;
    rest->until = (*range)->until;
    rest->after = strdup(boundary);
    rest->level = level;
    (*range)->until = strdup(boundary);
    bool good = rest->after && (*range)->until;
    *range = rest;
    return good;
}

/* Letters and digits that stand in the keys at the place or behind it, from there on where keys differ. */
static void find_letters(const struct pom_page *page, const char *last, size_t at, bool letters[256]) {
    for (size_t i = 0; i < page->n_objects; i++) {
        const char *key = page->objects[i].key;
        if (!key || strncmp(key, last, at) != 0 || !key[at])
            continue;
        for (size_t j = at; j < at + 2; j++)
            letters[(unsigned char)key[j]] |= isalnum((unsigned char)key[j]) != 0;
    }
}

/* How many bytes the last key shares with the first one of its folder in the page. */
static size_t shared_bytes(const struct pom_page *page, const char *last, size_t folder) {
    size_t i = 0, n = folder;
    while (!page->objects[i].key || strncmp(page->objects[i].key, last, folder) != 0)
        i++;
    while (last[n] && page->objects[i].key[n] == last[n])
        n++;
    return n;
}

/* Cuts the part where the key would have a greater letter at the place: at each of the letters. */
static bool cut_at_letters(struct range **part, const char *last, size_t place, const bool letters[256]) {
    char *boundary = pom_strndup(last, place + 1);
    bool good = boundary != NULL;
    for (int letter = (unsigned char)last[place] + 1; letter < 256 && good; letter++) {
        if (!letters[letter])
            continue;
        boundary[place] = (char)letter;
        if ((*part)->until && strcmp(boundary, (*part)->until) >= 0)
            break;
        good = split_at(part, boundary, (*part)->level);
        (*part)->guessed = true;
    }
    free(boundary);
    return good;
}

/* Cuts what follows the page, which has no folders, where keys may be expected. */
static bool guess(struct range *range, const struct pom_page *page) {
    const char *last = range->after, *slash = strrchr(last, '/');
    size_t folder = slash ? (size_t)(slash - last) + 1 : 0, at = shared_bytes(page, last, folder);
    size_t least = at >= folder + GUESSED_BYTES ? at - GUESSED_BYTES + 1 : folder;
    bool letters[256] = {false}, good = true;
    find_letters(page, last, at, letters);
    for (size_t place = at + 1; good && place-- > least && isalnum((unsigned char)last[place]);)
        good = cut_at_letters(&range, last, place, letters);
    return good;
}

/* Whether there is nothing better to cut a range at, and it seems long. */
static bool is_flat(const struct listing *listing, const struct range *range) {
    return !range->ended && !range->probe && !range->probed && !range->busy &&
           (range->guessed || range->pages >= LONG_PAGES) && listing->misses < MOST_MISSES;
}

/* A page has come: it waits for its turn before what is left of its range. */
static enum pom_status take_page(
    struct listing *listing, struct range *range, struct pom_page *page, struct pom_message *msg) {
    bool reached = cut(range, page);
    if (range->guessed && range->pages == 0)
        listing->misses += page->n_objects ? -1 : 1;
    range->pages++;
    const char *last = page->n_objects ? page->objects[page->n_objects - 1].key : NULL;
    free(range->token);
    range->token = copy(page->next);
    range->ended = reached || !page->next;
    if (last) {
        free(range->after);
        range->after = strdup(last);
        range->keys_a_folder = density(listing->bucket, page, range->level);
        range->probe = !range->ended && has_folder(listing->bucket, last, range->level + 1);
        if (range->after && is_flat(listing, range) && !guess(range, page))
            return pom_fail_memory(msg, "the listing");
    }
    struct range *ready = new_range(range->before, range);
    if (!ready || (last && !range->after) || (page->next && !range->token))
        return pom_fail_memory(msg, "the listing");
    if (listing->first == range)
        listing->first = ready;
    ready->ready = true;
    ready->page = *page;
    *page = (struct pom_page){0};
    listing->ready++;
    return POM_OK;
}

/* The probe and the page beside it have come: cuts the range at every so many folders. */
static enum pom_status split(struct range *range, struct pom_message *msg) {
    const struct pom_page *folders = &range->folders;
    double wanted = range->keys_a_folder > 0 ? POM_PAGE_KEYS / range->keys_a_folder : 1;
    size_t step = wanted > 1 ? (size_t)wanted : 1, passed = 0;
    int level = range->level + 1;
    struct range *part = range;
    bool good = true;
    for (size_t i = 0; i < folders->n_prefixes && good && !range->ended; i++) {
        const char *folder = folders->prefixes[i];
        if (range->after && strcmp(folder, range->after) <= 0)
            continue;
        if (part->until && strcmp(folder, part->until) >= 0)
            break;
        if (passed++ % step == 0)
            good = split_at(&part, folder, level);
    }
    if (part != range && folders->next)
        part->level = level - 1; /* there are more folders of this level */
    range->level = level;
    range->probed = false;
    pom_page_clean_up(&range->folders);
    return good ? POM_OK : pom_fail_memory(msg, "the listing");
}

static enum pom_status absorb(struct listing *listing, struct page_request *self, struct pom_message *msg) {
    struct range *range = self->range;
    enum pom_status status = self->request->status;
    range->busy--;
    if (status != POM_OK && msg)
        *msg = self->request->message;
    else if (status == POM_OK && self->is_probe) {
        range->probed = true;
        range->folders = self->page;
        self->page = (struct pom_page){0};
    } else if (status == POM_OK)
        status = take_page(listing, range, &self->page, msg);
    if (status == POM_OK && !range->busy && range->probed)
        status = split(range, msg);
    clean_up_request(self);
    return status;
}

/* Waits until a request is done, and takes in all that are. */
static enum pom_status take_arrived(struct listing *listing, struct pom_message *msg) {
    enum pom_status status = POM_OK;
    bool none = true;
    while (none && status == POM_OK) {
        for (int i = 0; i < REQUESTS && status == POM_OK; i++) {
            struct page_request *self = &listing->requests[i];
            pthread_mutex_lock(&listing->mutex);
            bool done = self->used && self->done;
            pthread_mutex_unlock(&listing->mutex);
            none = none && !done;
            if (done)
                status = absorb(listing, self, msg);
        }
        pthread_mutex_lock(&listing->mutex);
        bool any = false;
        for (int i = 0; i < REQUESTS; i++)
            any = any || listing->requests[i].done;
        if (none && !any)
            pthread_cond_wait(&listing->arrived, &listing->mutex);
        pthread_mutex_unlock(&listing->mutex);
    }
    return status;
}

/* Names that begin with a dot, and the empty objects that stand for folders, are left out. */
static bool is_hidden(const char *name, uint64_t size) {
    size_t n = strlen(name);
    if (n == 0 || (name[n - 1] == '/' && size == 0))
        return true;
    for (const char *part = name; part; part = next_part(part))
        if (*part == '.')
            return true;
    return false;
}

static enum pom_status visit(struct listing *listing, const struct pom_object *object, struct pom_message *msg) {
    const struct pom_bucket *bucket = listing->bucket;
    const struct pom_store_visitor *visitor = listing->visitor;
    size_t key = strlen(bucket->key), prefix = bucket->folder ? key : 0;
    if (!object->key)
        return visitor->refuse(visitor->user, bucket->prefix, "a key below has a NUL character in it", msg);
    if (strncmp(object->key, bucket->key, key) != 0 ||
        (bucket->folder ? is_hidden(object->key + prefix, object->size) : strcmp(object->key, bucket->key) != 0))
        return POM_OK;
    struct pom_buffer last = listing->last;
    listing->last = listing->path;
    listing->path = last;
    listing->path.size = 0;
    if (!pom_buffer_printf(&listing->path, "%.*s%s", (int)(strlen(bucket->prefix) - key), bucket->prefix, object->key))
        return pom_fail_memory(msg, "the listing");
    if (listing->last.size && strcmp(listing->last.data, listing->path.data) >= 0)
        return pom_fail(msg, POM_ERR_UNSUPPORTED,
            "%s: the server does not list in order of key (%.120s after %.120s), which pomona relies on",
            bucket->prefix, listing->path.data, listing->last.data);
    const struct pom_store_entry entry = {listing->path.data, object->size, object->version};
    return visitor->visit(visitor->user, &entry, msg);
}

static enum pom_status visit_first(struct listing *listing, struct pom_message *msg) {
    const struct pom_page *page = &listing->first->page;
    for (size_t i = 0; i < page->n_objects; i++)
        POM_TRY(visit(listing, &page->objects[i], msg));
    drop_first(listing);
    return POM_OK;
}

static enum pom_status run(struct listing *listing, struct pom_message *msg) {
    while (listing->first) {
        struct range *first = listing->first;
        POM_TRY(start_requests(listing, msg));
        if (first->ready)
            POM_TRY(visit_first(listing, msg));
        else if (first->ended && !first->busy)
            drop_first(listing);
        else
            POM_TRY(take_arrived(listing, msg));
    }
    return POM_OK;
}

/* Nothing of the listing may be freed while a request is under way. */
static void wait_for_requests(struct listing *listing) {
    for (int i = 0; i < REQUESTS; i++) {
        struct page_request *self = &listing->requests[i];
        pthread_mutex_lock(&listing->mutex);
        while (self->used && !self->done)
            pthread_cond_wait(&listing->arrived, &listing->mutex);
        pthread_mutex_unlock(&listing->mutex);
        clean_up_request(self);
    }
}

static void free_listing(struct listing *listing) {
    wait_for_requests(listing);
    while (listing->first)
        drop_first(listing);
    pom_buffer_clean_up(&listing->path);
    pom_buffer_clean_up(&listing->last);
    pthread_cond_destroy(&listing->arrived);
    pthread_mutex_destroy(&listing->mutex);
    free(listing);
}

/* One range of all keys; its first page, where that is there already, stands before it. */
static enum pom_status begin(struct listing *listing, struct pom_message *msg) {
    const struct pom_bucket *bucket = listing->bucket;
    struct range *all = listing->first = new_range(NULL, NULL);
    if (!all)
        return pom_fail_memory(msg, "the listing");
    all->probe = bucket->folder;
    return bucket->first && is_below(bucket->first, bucket->key) ? take_page(listing, all, bucket->first, msg) : POM_OK;
}

enum pom_status pom_bucket_list(
    const struct pom_bucket *bucket, const struct pom_store_visitor *visitor, struct pom_message *msg) {
    struct listing *listing = pom_calloc(1, sizeof *listing);
    if (!listing)
        return pom_fail_memory(msg, "the listing");
    listing->bucket = bucket;
    listing->visitor = visitor;
    pthread_mutex_init(&listing->mutex, NULL);
    pthread_cond_init(&listing->arrived, NULL);
    enum pom_status status = begin(listing, msg);
    if (status == POM_OK)
        status = run(listing, msg);
    free_listing(listing);
    return status;
}
