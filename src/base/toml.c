#include "base/toml.h"

#include "base/file.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

static const size_t most_bytes = (size_t)1 << 20;

struct parser {
    struct pom_toml *out;
    const char *file;    /* its name */
    const char *section; /* the one at hand */
    int line;
    struct pom_message *msg;
};

static enum pom_status refuse(const struct parser *parser, const char *why) {
    return pom_fail(parser->msg, POM_ERR_FORMAT, "%s, line %d: %s", parser->file, parser->line, why);
}

static bool is_bare(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static char *skip_blanks(char *at) {
    return at + strspn(at, " \t");
}

/* The end of a bare name, which begins at `at`; `at` itself where there is none. */
static char *end_of_name(char *at) {
    while (is_bare(*at))
        at++;
    return at;
}

/* Only a comment may follow. */
static enum pom_status end_line(const struct parser *parser, char *at) {
    at = skip_blanks(at);
    return *at == '\0' || *at == '#' ? POM_OK : refuse(parser, "something follows what is complete");
}

static enum pom_status take_section(struct parser *parser, char *at) {
    char *name = at, *end = at;
    if (*at == '[')
        return refuse(parser, "arrays of tables are not of the part of TOML that is taken");
    while ((end = end_of_name(at)) > at && *end == '.')
        at = end + 1;
    if (end == at || *end != ']')
        return refuse(parser, "wanted a section such as [features] or [model.bench]");
    *end = '\0';
    parser->section = name;
    return end_line(parser, end + 1);
}

static char escaped(char c) {
    static const char from[] = "\"\\bfnrt", to[] = "\"\\\b\f\n\r\t";
    const char *found = c ? strchr(from, c) : NULL;
    return found ? to[found - from] : '\0';
}

/* Decodes the string that begins with the quote at `at`, in place. */
static enum pom_status take_string(struct parser *parser, char *at, struct pom_toml_entry *entry) {
    char quote = *at++, *to = at;
    entry->value = to;
    if (at[0] == quote && at[1] == quote)
        return refuse(parser, "strings of several lines are not of the part of TOML that is taken");
    while (*at && *at != quote) {
        char c = *at++;
        if (c == '\\' && quote == '"' && !(c = escaped(*at++)))
            return refuse(parser, "of a string's escapes only \\\" \\\\ \\b \\f \\n \\r \\t are taken");
        *to++ = c;
    }
    if (!*at)
        return refuse(parser, "a string does not end on its line");
    POM_TRY(end_line(parser, at + 1));
    *to = '\0';
    return POM_OK;
}

static bool is_number(const char *text) {
    char *end;
    if (text[strspn(text, "+-0123456789.eE")])
        return false;
    strtod(text, &end);
    return end > text && !*end;
}

static enum pom_status take_bare(struct parser *parser, char *at, struct pom_toml_entry *entry) {
    size_t n = strcspn(at, " \t#");
    POM_TRY(end_line(parser, at + n));
    at[n] = '\0';
    entry->value = at;
    entry->type = is_number(at) ? POM_TOML_NUMBER : POM_TOML_SWITCH;
    if (entry->type == POM_TOML_NUMBER || strcmp(at, "true") == 0 || strcmp(at, "false") == 0)
        return POM_OK;
    return refuse(parser, "wanted a number, true, false, or a text in quotes");
}

static enum pom_status add(struct parser *parser, const struct pom_toml_entry *entry) {
    struct pom_toml *out = parser->out;
    if (pom_toml_find(out, entry->section, entry->name))
        return pom_fail(parser->msg, POM_ERR_FORMAT, "%s, line %d: %s is set a second time", parser->file, entry->line,
            entry->name);
    if (!pom_grow((void **)&out->list, &out->capacity, out->n + 1, sizeof *out->list))
        return pom_fail_memory(parser->msg, parser->file);
    out->list[out->n++] = *entry;
    return POM_OK;
}

static enum pom_status take_entry(struct parser *parser, char *at) {
    struct pom_toml_entry entry = {.section = parser->section, .name = at, .line = parser->line};
    char *end = end_of_name(at), *equals = skip_blanks(end);
    if (end == at || *equals != '=')
        return refuse(parser, "wanted a [section] or name = value");
    at = skip_blanks(equals + 1);
    POM_TRY(*at == '"' || *at == '\'' ? take_string(parser, at, &entry) : take_bare(parser, at, &entry));
    *end = '\0';
    return add(parser, &entry);
}

static bool has_control(const char *text) {
    for (; *text; text++)
        if (((unsigned char)*text < ' ' && *text != '\t') || *text == 0x7f)
            return true;
    return false;
}

static enum pom_status take_line(struct parser *parser, char *line) {
    size_t n = strlen(line);
    if (n > 0 && line[n - 1] == '\r')
        line[n - 1] = '\0';
    if (has_control(line))
        return refuse(parser, "control characters are not text");
    line = skip_blanks(line);
    if (*line == '\0' || *line == '#')
        return POM_OK;
    return *line == '[' ? take_section(parser, line + 1) : take_entry(parser, line);
}

enum pom_status pom_toml_parse(
    const char *name, const char *text, size_t n, struct pom_toml *out, struct pom_message *msg) {
    struct parser parser = {.out = out, .file = name, .section = "", .msg = msg};
    out->text = pom_strndup(text, n);
    if (!out->text)
        return pom_fail_memory(msg, name);
    if (strlen(out->text) != n)
        return pom_fail(msg, POM_ERR_FORMAT, "%s holds NUL bytes: it is not text", name);
    for (char *line = out->text, *next; line; line = next) {
        if ((next = strchr(line, '\n')))
            *next++ = '\0';
        parser.line++;
        POM_TRY(take_line(&parser, line));
    }
    return POM_OK;
}

enum pom_status pom_toml_read(const char *path, struct pom_toml *out, struct pom_message *msg) {
    struct pom_buffer text = {0};
    enum pom_status status = pom_file_read(path, most_bytes, &text, msg);
    if (status == POM_OK)
        status = pom_toml_parse(path, text.size ? text.data : "", text.size, out, msg);
    pom_buffer_clean_up(&text);
    return status;
}

void pom_toml_clean_up(struct pom_toml *toml) {
    free(toml->list);
    free(toml->text);
    *toml = (struct pom_toml){0};
}

const struct pom_toml_entry *pom_toml_find(const struct pom_toml *toml, const char *section, const char *name) {
    for (size_t i = 0; i < toml->n; i++)
        if (strcmp(toml->list[i].section, section) == 0 && strcmp(toml->list[i].name, name) == 0)
            return &toml->list[i];
    return NULL;
}
