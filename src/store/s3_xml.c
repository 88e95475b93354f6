#include "store/s3_xml.h"

#include "base/buffer.h"
#include "store/uri.h"
#include <errno.h>
#include <expat.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 16, MAX_NAME = 32, MAX_TEXT = 16384 };

/* Calls end with each element and its text, once it is closed. */
struct reader {
    XML_Parser parser;
    bool (*end)(struct reader *reader, const char *parent, const char *name); /* false: enough */
    void *user;
    const char *root; /* that the document must have */
    int depth;
    char names[MAX_DEPTH][MAX_NAME]; /* of the open elements */
    struct pom_buffer text;
    bool failed;
};

static void stop(struct reader *reader) {
    reader->failed = true;
    XML_StopParser(reader->parser, XML_FALSE);
}

static void on_start(void *user, const char *name, const char **attributes) {
    (void)attributes;
    struct reader *reader = user;
    if (reader->depth == MAX_DEPTH || (reader->depth == 0 && strcmp(name, reader->root) != 0)) {
        stop(reader);
        return;
    }
    char *to = reader->names[reader->depth++];
    size_t n = strlen(name) < MAX_NAME ? strlen(name) : 0; /* a name that long is none of ours */
    memcpy(to, name, n);
    to[n] = '\0';
    reader->text.size = 0;
}

static void on_text(void *user, const char *text, int n) {
    struct reader *reader = user;
    if ((size_t)n > MAX_TEXT - reader->text.size || !pom_buffer_append(&reader->text, text, (size_t)n))
        stop(reader);
}

static void on_end(void *user, const char *name) {
    (void)name;
    struct reader *reader = user;
    if (reader->failed)
        return;
    const char *parent = reader->depth > 1 ? reader->names[reader->depth - 2] : "";
    if (!pom_buffer_text(&reader->text, "") || !reader->end(reader, parent, reader->names[reader->depth - 1]))
        stop(reader);
    reader->depth--;
    reader->text.size = 0;
}

static bool parse(struct reader *reader, const char *xml, size_t n) {
    reader->parser = XML_ParserCreate("UTF-8");
    if (!reader->parser || n > INT32_MAX) {
        XML_ParserFree(reader->parser);
        return false;
    }
    XML_SetUserData(reader->parser, reader);
    XML_SetElementHandler(reader->parser, on_start, on_end);
    XML_SetCharacterDataHandler(reader->parser, on_text);
    bool good = XML_Parse(reader->parser, xml, (int)n, 1) == XML_STATUS_OK && !reader->failed;
    XML_ParserFree(reader->parser);
    pom_buffer_clean_up(&reader->text);
    return good;
}

struct page_reader {
    struct pom_page *page;
    struct pom_object object;
    bool has_key, has_size, truncated, encoded;
};

/* Keys stand as they are until the end: EncodingType may come last. */
static bool add_object(struct page_reader *self) {
    struct pom_page *page = self->page;
    void *objects = page->objects;
    bool whole = self->has_key && self->has_size;
    if (!whole || !pom_grow(&objects, &page->objects_capacity, page->n_objects + 1, sizeof *page->objects))
        return false;
    page->objects = objects;
    page->objects[page->n_objects++] = self->object;
    self->object = (struct pom_object){.version = ""};
    self->has_key = self->has_size = false;
    return true;
}

static bool add_prefix(struct page_reader *self, const char *prefix) {
    struct pom_page *page = self->page;
    void *prefixes = (void *)page->prefixes;
    const char *copy = pom_arena_strdup(&page->arena, prefix);
    if (!copy || !pom_grow(&prefixes, &page->prefixes_capacity, page->n_prefixes + 1, sizeof(char *)))
        return false;
    page->prefixes = (const char **)prefixes;
    page->prefixes[page->n_prefixes++] = copy;
    return true;
}

static bool parse_size(const char *text, uint64_t *out) {
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && !errno;
}

static bool on_content(struct page_reader *self, const char *name, const char *text) {
    struct pom_arena *arena = &self->page->arena;
    if (strcmp(name, "Key") == 0)
        return self->has_key = (self->object.key = pom_arena_strdup(arena, text)) && *text;
    if (strcmp(name, "ETag") == 0)
        return !*text || (self->object.version = pom_arena_strdup(arena, text));
    if (strcmp(name, "LastModified") == 0 && *self->object.version != '"')
        return (self->object.version = pom_arena_strdup(arena, text)) != NULL;
    if (strcmp(name, "Size") == 0)
        return self->has_size = parse_size(text, &self->object.size);
    return true;
}

static bool on_page(struct reader *reader, const char *parent, const char *name) {
    struct page_reader *self = reader->user;
    const char *text = reader->text.data;
    if (strcmp(parent, "Contents") == 0)
        return on_content(self, name, text);
    if (strcmp(parent, "CommonPrefixes") == 0 && strcmp(name, "Prefix") == 0)
        return add_prefix(self, text);
    if (reader->depth != 2)
        return true;
    if (strcmp(name, "Contents") == 0)
        return add_object(self);
    if (strcmp(name, "IsTruncated") == 0)
        self->truncated = strcmp(text, "true") == 0;
    if (strcmp(name, "EncodingType") == 0)
        self->encoded = strcmp(text, "url") == 0;
    if (strcmp(name, "NextContinuationToken") == 0 && *text)
        return (self->page->next = pom_arena_strdup(&self->page->arena, text)) != NULL;
    return true;
}

static void decode_keys(struct pom_page *page) {
    for (size_t i = 0; i < page->n_objects; i++)
        if (!pom_uri_decode((char *)page->objects[i].key, true))
            page->objects[i].key = NULL;
    for (size_t i = 0; i < page->n_prefixes; i++)
        pom_uri_decode((char *)page->prefixes[i], true);
}

enum pom_status pom_s3_page_parse(const char *xml, size_t n, struct pom_page *out, struct pom_message *msg) {
    struct page_reader self = {.page = out, .object.version = ""};
    struct reader reader = {.end = on_page, .user = &self, .root = "ListBucketResult"};
    if (!parse(&reader, xml, n) || self.truncated != (out->next != NULL)) {
        pom_page_clean_up(out);
        return pom_fail(msg, POM_ERR_FORMAT, "the answer is not a listing as S3 writes it");
    }
    if (self.encoded)
        decode_keys(out);
    return POM_OK;
}

static void copy_text(const struct reader *reader, char *out, size_t size) {
    size_t n = reader->text.size < size ? reader->text.size : size - 1;
    memcpy(out, reader->text.data, n);
    out[n] = '\0';
}

static bool on_error(struct reader *reader, const char *parent, const char *name) {
    (void)parent;
    struct pom_s3_error *error = reader->user;
    if (reader->depth != 2)
        return true;
    if (strcmp(name, "Code") == 0)
        copy_text(reader, error->code, sizeof error->code);
    if (strcmp(name, "Message") == 0)
        copy_text(reader, error->message, sizeof error->message);
    if (strcmp(name, "Region") == 0)
        copy_text(reader, error->region, sizeof error->region);
    return true;
}

bool pom_s3_error_parse(const char *xml, size_t n, struct pom_s3_error *out) {
    *out = (struct pom_s3_error){0};
    struct reader reader = {.end = on_error, .user = out, .root = "Error"};
    return parse(&reader, xml, n);
}

struct text_reader {
    const char *parent, *name;
    char *out;
    size_t size;
};

static bool on_element(struct reader *reader, const char *parent, const char *name) {
    const struct text_reader *self = reader->user;
    if (strcmp(parent, self->parent) == 0 && strcmp(name, self->name) == 0)
        copy_text(reader, self->out, self->size);
    return true;
}

bool pom_xml_text(
    const char *xml, size_t n, const char *root, const char *parent, const char *name, char *out, size_t size) {
    struct text_reader self = {parent, name, out, size};
    struct reader reader = {.end = on_element, .user = &self, .root = root};
    *out = '\0';
    return parse(&reader, xml, n);
}
