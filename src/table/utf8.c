#include "table/utf8.h"

/* The range that the second byte must lie in, after the first (Unicode 15, table 3-7); count is the sequence's length,
 * 0 when no sequence begins so. */
struct lead {
    size_t count;
    unsigned char low, high;
};

static struct lead lead_of(unsigned char c) {
    if (c < 0x80)
        return (struct lead){1, 0, 0};
    if (c >= 0xC2 && c <= 0xDF)
        return (struct lead){2, 0x80, 0xBF};
    if (c >= 0xE0 && c <= 0xEF)
        return (struct lead){3, c == 0xE0 ? 0xA0 : 0x80, c == 0xED ? 0x9F : 0xBF};
    if (c >= 0xF0 && c <= 0xF4)
        return (struct lead){4, c == 0xF0 ? 0x90 : 0x80, c == 0xF4 ? 0x8F : 0xBF};
    return (struct lead){0, 0, 0};
}

/* Looks at the sequence that begins at text: how many bytes belong together (at least 1), and whether they are a
 * character. */
static size_t take(const unsigned char *text, size_t n, bool *valid) {
    struct lead lead = lead_of(text[0]);
    size_t got = 1;
    while (got < lead.count && got < n) {
        unsigned char low = got == 1 ? lead.low : 0x80, high = got == 1 ? lead.high : 0xBF;
        if (text[got] < low || text[got] > high)
            break;
        got++;
    }
    *valid = got == lead.count;
    return got;
}

bool pom_utf8_valid(const char *text, size_t n) {
    const unsigned char *p = (const unsigned char *)text;
    bool valid = true;
    for (size_t i = 0; i < n && valid;)
        i += take(p + i, n - i, &valid);
    return valid;
}

bool pom_utf8_repair(const char *text, size_t n, struct pom_buffer *out) {
    const unsigned char *p = (const unsigned char *)text;
    for (size_t i = 0; i < n;) {
        bool valid;
        size_t got = take(p + i, n - i, &valid);
        if (!(valid ? pom_buffer_append(out, text + i, got) : pom_buffer_append(out, "\xEF\xBF\xBD", 3)))
            return false;
        i += got;
    }
    return true;
}
