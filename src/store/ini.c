#include "store/ini.h"

#include "base/buffer.h"
#include "base/file.h"
#include <ctype.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 1 << 20 };

struct span {
    const char *text;
    size_t n;
};

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

static struct span trim(struct span span) {
    while (span.n > 0 && is_space(span.text[0]))
        span.text++, span.n--;
    while (span.n > 0 && is_space(span.text[span.n - 1]))
        span.n--;
    return span;
}

/* A comment after a value begins with a space and a '#' or ';'. */
static struct span without_comment(struct span span) {
    for (size_t i = 1; i < span.n; i++)
        if ((span.text[i] == '#' || span.text[i] == ';') && is_space(span.text[i - 1]))
            return trim((struct span){span.text, i});
    return span;
}

static const char *copy(struct pom_ini *ini, struct span span) {
    char *text = pom_arena_alloc(&ini->arena, span.n + 1, 1);
    if (text && span.n)
        memcpy(text, span.text, span.n);
    return text;
}

struct parser {
    struct pom_ini *ini;
    const char *section; /* NULL before the first */
    const char *above;   /* name that indented lines belong to; NULL: none */
};

static bool add(struct parser *parser, const char *name, const char *value) {
    struct pom_ini *ini = parser->ini;
    void *entries = ini->entries;
    if (!name || !value || !pom_grow(&entries, &ini->capacity, ini->n + 1, sizeof *ini->entries))
        return false;
    ini->entries = entries;
    ini->entries[ini->n++] = (struct pom_ini_entry){parser->section, name, value};
    return true;
}

/* "above.name" */
static const char *nested_name(struct parser *parser, struct span name) {
    size_t n = strlen(parser->above);
    char *text = pom_arena_alloc(&parser->ini->arena, n + name.n + 2, 1);
    if (!text)
        return NULL;
    memcpy(text, parser->above, n);
    text[n] = '.';
    memcpy(text + n + 1, name.text, name.n);
    return text;
}

static bool begin_section(struct parser *parser, struct span line) {
    const char *end = memchr(line.text, ']', line.n);
    if (!end)
        return true;
    struct span name = trim((struct span){line.text + 1, (size_t)(end - line.text) - 1});
    parser->above = NULL;
    parser->section = copy(parser->ini, name);
    return parser->section && add(parser, "", ""); /* notes that it is there */
}

static bool parse_line(struct parser *parser, struct span raw) {
    struct span line = trim(raw);
    if (line.n == 0 || *line.text == '#' || *line.text == ';')
        return true;
    if (*line.text == '[')
        return begin_section(parser, line);
    const char *equals = memchr(line.text, '=', line.n);
    if (!equals || !parser->section)
        return true;
    struct span name = trim((struct span){line.text, (size_t)(equals - line.text)});
    struct span value = trim((struct span){equals + 1, line.n - (size_t)(equals - line.text) - 1});
    if (name.n == 0)
        return true;
    bool indented = is_space(*raw.text);
    const char *value_text = copy(parser->ini, without_comment(value));
    if (indented && parser->above)
        return add(parser, nested_name(parser, name), value_text);
    const char *name_text = copy(parser->ini, name);
    parser->above = value.n == 0 ? name_text : NULL;
    return add(parser, name_text, value_text);
}

enum pom_status pom_ini_parse(struct pom_ini *ini, const char *text, size_t n, struct pom_message *msg) {
    struct parser parser = {.ini = ini};
    bool good = true;
    for (size_t at = 0; at < n && good;) {
        const char *end = memchr(text + at, '\n', n - at);
        size_t size = end ? (size_t)(end - text) - at : n - at;
        if (!memchr(text + at, '\0', size))
            good = parse_line(&parser, (struct span){text + at, size});
        at += size + 1;
    }
    return good ? POM_OK : pom_fail_memory(msg, "a configuration file");
}

enum pom_status pom_ini_read(struct pom_ini *ini, const char *path, struct pom_message *msg) {
    struct pom_buffer text = {0};
    if (!pom_file_exists(path))
        return POM_OK;
    enum pom_status status = pom_file_read(path, MAX_FILE, &text, msg);
    if (status == POM_OK)
        status = pom_ini_parse(ini, text.data, text.size, msg);
    if (text.data)
        OPENSSL_cleanse(text.data, text.capacity);
    pom_buffer_clean_up(&text);
    return status;
}

const char *pom_ini_get(const struct pom_ini *ini, const char *section, const char *name) {
    for (size_t i = ini->n; i-- > 0;) {
        const struct pom_ini_entry *entry = &ini->entries[i];
        if (strcmp(entry->section, section) == 0 && strcmp(entry->name, name) == 0)
            return *entry->value ? entry->value : NULL;
    }
    return NULL;
}

bool pom_ini_has_section(const struct pom_ini *ini, const char *section) {
    for (size_t i = 0; i < ini->n; i++)
        if (strcmp(ini->entries[i].section, section) == 0)
            return true;
    return false;
}

void pom_ini_clean_up(struct pom_ini *ini) {
    for (size_t i = 0; i < ini->n; i++)
        OPENSSL_cleanse((char *)ini->entries[i].value, strlen(ini->entries[i].value));
    free(ini->entries);
    pom_arena_clean_up(&ini->arena);
    *ini = (struct pom_ini){0};
}
