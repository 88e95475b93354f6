#include "job/label.h"

#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

const char pom_label_default[] = "{label}/*";
static const char mark[] = "{label}";
enum { MARK_SIZE = sizeof mark - 1 };

enum pom_status pom_label_check(const char *pattern, struct pom_message *msg) {
    const char *first = strstr(pattern, mark);
    if (first && !strstr(first + 1, mark))
        return POM_OK;
    return pom_fail(msg, POM_ERR_ARGUMENT, "a label pattern holds {label} once, such as %s", pom_label_default);
}

/* Matches the whole of text, longest runs first. */
static bool match(const char *pattern, const char *text, const char **label, size_t *size) {
    if (strncmp(pattern, mark, MARK_SIZE) == 0) {
        for (size_t n = strcspn(text, "/"); n > 0; n--) {
            if (match(pattern + MARK_SIZE, text + n, label, size)) {
                *label = text;
                *size = n;
                return true;
            }
        }
        return false;
    }
    if (*pattern == '*') {
        for (size_t n = strcspn(text, "/") + 1; n-- > 0;)
            if (match(pattern + 1, text + n, label, size))
                return true;
        return false;
    }
    if (!*pattern || !*text)
        return *pattern == *text;
    return (*pattern == *text || (*pattern == '?' && *text != '/')) && match(pattern + 1, text + 1, label, size);
}

static size_t count_slashes(const char *text) {
    size_t n = 0;
    for (; *text; text++)
        n += *text == '/';
    return n;
}

/* The end of path that has as many slashes as the pattern. */
static const char *tail_of(const char *path, size_t slashes) {
    const char *at = path + strlen(path);
    while (at > path && (at[-1] != '/' || slashes-- > 0))
        at--;
    return at;
}

bool pom_label_find(const char *pattern, const char *path, const char **label, size_t *size) {
    *label = "";
    *size = 0;
    bool found = match(pattern, tail_of(path, count_slashes(pattern)), label, size);
    if (!found) {
        *label = "";
        *size = 0;
    }
    return found;
}

/* Bytes up to the end of the last "." or ".." in path; 0 where it has none. */
static size_t nameless(const char *path) {
    size_t end = 0;
    for (const char *at = path; *at;) {
        size_t n = strcspn(at, "/");
        if (n > 0 && n <= 2 && at[0] == '.' && at[n - 1] == '.')
            end = (size_t)(at - path) + n;
        at += n;
        at += *at == '/';
    }
    return end;
}

bool pom_label_of_file(
    const char *pattern, const char *path, struct pom_buffer *scratch, const char **label, size_t *size) {
    size_t n = nameless(path);
    if (n > 0) {
        char *head = pom_strndup(path, n), *real = head ? realpath(head, NULL) : NULL;
        scratch->size = 0;
        if (real && pom_buffer_printf(scratch, "%s%s", real, path + n))
            path = scratch->data;
        free(real);
        free(head);
    }
    return pom_label_find(pattern, path, label, size);
}
