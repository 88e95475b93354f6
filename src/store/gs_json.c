#include "store/gs_json.h"

#include "store/gs.h"
#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum pom_status bad(struct pom_message *msg) {
    return pom_fail(msg, POM_ERR_FORMAT, "the answer is not what Google Cloud Storage sends");
}

/* Numbers are texts in this API. */
static bool parse_number(const json_t *value, uint64_t *out) {
    const char *text = json_string_value(value);
    char *end = NULL;
    if (!text || !isdigit((unsigned char)*text))
        return false;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return !*end && errno == 0;
}

static enum pom_status parse_item(
    const json_t *item, struct pom_arena *arena, struct pom_object *out, struct pom_message *msg) {
    const json_t *name = json_object_get(item, "name");
    const json_t *generation = json_object_get(item, "generation");
    uint64_t number;
    if (!json_is_string(name) || !parse_number(generation, &number) ||
        !parse_number(json_object_get(item, "size"), &out->size))
        return bad(msg);
    bool whole = strlen(json_string_value(name)) == json_string_length(name);
    out->version = pom_arena_strdup(arena, json_string_value(generation));
    out->key = whole ? pom_arena_strdup(arena, json_string_value(name)) : NULL;
    return out->version && (out->key || !whole) ? POM_OK : pom_fail_memory(msg, "a listing");
}

static enum pom_status parse_items(const json_t *items, struct pom_page *out, struct pom_message *msg) {
    size_t n = json_array_size(items);
    out->objects = pom_calloc(n + 1, sizeof *out->objects);
    if (!out->objects)
        return pom_fail_memory(msg, "a listing");
    for (; out->n_objects < n; out->n_objects++)
        POM_TRY(parse_item(json_array_get(items, out->n_objects), &out->arena, &out->objects[out->n_objects], msg));
    return POM_OK;
}

static enum pom_status parse_prefixes(const json_t *prefixes, struct pom_page *out, struct pom_message *msg) {
    size_t n = json_array_size(prefixes);
    out->prefixes = pom_calloc(n + 1, sizeof *out->prefixes);
    if (!out->prefixes)
        return pom_fail_memory(msg, "a listing");
    for (size_t i = 0; i < n; i++) {
        const char *prefix = json_string_value(json_array_get(prefixes, i));
        if (!prefix)
            return bad(msg);
        out->prefixes[i] = pom_arena_strdup(&out->arena, prefix);
        if (!out->prefixes[i])
            return pom_fail_memory(msg, "a listing");
        out->n_prefixes++;
    }
    return POM_OK;
}

static json_t *load(const char *json, size_t n) {
    json_t *root = n ? json_loadb(json, n, JSON_ALLOW_NUL, NULL) : NULL;
    if (json_is_object(root))
        return root;
    json_decref(root);
    return NULL;
}

static enum pom_status parse_page(const json_t *root, struct pom_page *out, struct pom_message *msg) {
    const json_t *next = json_object_get(root, "nextPageToken");
    POM_TRY(parse_items(json_object_get(root, "items"), out, msg));
    POM_TRY(parse_prefixes(json_object_get(root, "prefixes"), out, msg));
    if (!next || !*json_string_value(next))
        return POM_OK;
    out->next = pom_arena_strdup(&out->arena, json_string_value(next));
    return out->next ? POM_OK : pom_fail_memory(msg, "a listing");
}

enum pom_status pom_gs_page_parse(const char *json, size_t n, struct pom_page *out, struct pom_message *msg) {
    json_t *root = load(json, n);
    const json_t *next = json_object_get(root, "nextPageToken");
    enum pom_status status = root && (!next || json_is_string(next)) ? parse_page(root, out, msg) : bad(msg);
    json_decref(root);
    return status;
}

enum pom_status pom_gs_object_parse(
    const char *json, size_t n, struct pom_remote_object *out, struct pom_message *msg) {
    json_t *root = load(json, n);
    const json_t *generation = json_object_get(root, "generation");
    uint64_t number;
    const char *digest = json_string_value(json_object_get(json_object_get(root, "metadata"), POM_GS_DIGEST));
    bool good = parse_number(generation, &number) && parse_number(json_object_get(root, "size"), &out->size);
    if (good) {
        out->found = true;
        snprintf(out->version, sizeof out->version, "%s", json_string_value(generation));
        snprintf(out->digest, sizeof out->digest, "%s", digest ? digest : "");
    }
    json_decref(root);
    return good ? POM_OK : bad(msg);
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

void pom_gs_error_parse(const char *text, size_t n, struct pom_gs_error *out) {
    *out = (struct pom_gs_error){0};
    json_t *root = load(text, n);
    const json_t *error = json_object_get(root, "error");
    const char *message = json_string_value(json_object_get(error, "message"));
    const char *reason =
        json_string_value(json_object_get(json_array_get(json_object_get(error, "errors"), 0), "reason"));
    if (root) {
        snprintf(out->message, sizeof out->message, "%s", message ? message : "");
        snprintf(out->reason, sizeof out->reason, "%s", reason ? reason : "");
    } else {
        take_line(text, n, out->message, sizeof out->message);
    }
    json_decref(root);
}
