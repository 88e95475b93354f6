#include "store/hdfs_json.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static enum pom_status bad(struct pom_message *msg) {
    return pom_fail(msg, POM_ERR_FORMAT, "the answer is not what WebHDFS sends");
}

static bool take_number(const json_t *object, const char *name, uint64_t *out) {
    const json_t *value = json_object_get(object, name);
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *out = (uint64_t)json_integer_value(value);
    return true;
}

static enum pom_status parse_entry(const json_t *from, struct pom_hdfs_page *page, struct pom_message *msg) {
    struct pom_hdfs_status *entry = &page->entries[page->n];
    const char *name = json_string_value(json_object_get(from, "pathSuffix"));
    const char *type = json_string_value(json_object_get(from, "type"));
    if (!name || strchr(name, '/') || !type || !take_number(from, "length", &entry->size) ||
        !take_number(from, "modificationTime", &entry->modified_ms))
        return bad(msg);
    entry->id = 0;
    take_number(from, "fileId", &entry->id);
    entry->folder = strcmp(type, "DIRECTORY") == 0;
    entry->name = pom_arena_strdup(&page->arena, name);
    page->n++;
    return entry->name ? POM_OK : pom_fail_memory(msg, "a listing");
}

static enum pom_status parse_entries(const json_t *list, struct pom_hdfs_page *page, struct pom_message *msg) {
    if (!json_is_array(list))
        return bad(msg);
    size_t n = json_array_size(list);
    page->entries = pom_arena_alloc(&page->arena, n + 1, sizeof *page->entries);
    if (!page->entries)
        return pom_fail_memory(msg, "a listing");
    for (size_t i = 0; i < n; i++)
        POM_TRY(parse_entry(json_array_get(list, i), page, msg));
    return POM_OK;
}

static enum pom_status parse_one(const json_t *from, struct pom_hdfs_page *page, struct pom_message *msg) {
    page->entries = pom_arena_alloc(&page->arena, 1, sizeof *page->entries);
    return page->entries ? parse_entry(from, page, msg) : pom_fail_memory(msg, "a file's status");
}

static enum pom_status parse_page(const json_t *root, struct pom_hdfs_page *page, struct pom_message *msg) {
    const json_t *one = json_object_get(root, "FileStatus"), *batch = json_object_get(root, "DirectoryListing");
    const json_t *all = batch ? json_object_get(batch, "partialListing") : root;
    uint64_t left = 0;
    if (one)
        return parse_one(one, page, msg);
    if (batch && !take_number(batch, "remainingEntries", &left))
        return bad(msg);
    POM_TRY(parse_entries(json_object_get(json_object_get(all, "FileStatuses"), "FileStatus"), page, msg));
    page->more = left > 0 && page->n > 0;
    return POM_OK;
}

enum pom_status pom_hdfs_page_parse(const char *json, size_t n, struct pom_hdfs_page *out, struct pom_message *msg) {
    json_t *root = n ? json_loadb(json, n, 0, NULL) : NULL;
    enum pom_status status = root ? parse_page(root, out, msg) : bad(msg);
    json_decref(root);
    return status;
}

void pom_hdfs_page_clean_up(struct pom_hdfs_page *page) {
    pom_arena_clean_up(&page->arena);
    *page = (struct pom_hdfs_page){0};
}

bool pom_hdfs_is_false(const char *json, size_t n) {
    json_t *root = n ? json_loadb(json, n, 0, NULL) : NULL;
    bool is_false = json_is_false(json_object_get(root, "boolean"));
    json_decref(root);
    return is_false;
}

/* One line of what the server sent instead of JSON. */
static void take_line(const char *text, size_t n, char *out, size_t size) {
    size_t length = 0;
    while (length < n && length + 1 < size && isprint((unsigned char)text[length])) {
        out[length] = text[length];
        length++;
    }
    out[length] = '\0';
}

void pom_hdfs_error_parse(const char *text, size_t n, struct pom_hdfs_error *out) {
    *out = (struct pom_hdfs_error){0};
    json_t *root = n ? json_loadb(text, n, 0, NULL) : NULL;
    const json_t *error = json_object_get(root, "RemoteException");
    const char *exception = json_string_value(json_object_get(error, "exception"));
    const char *message = json_string_value(json_object_get(error, "message"));
    if (exception)
        snprintf(out->exception, sizeof out->exception, "%s", exception);
    if (message)
        take_line(message, strlen(message), out->message, sizeof out->message);
    else
        take_line(text, n, out->message, sizeof out->message);
    json_decref(root);
}
