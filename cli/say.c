#include "say.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>

/* U+0080 to U+009F, of two bytes each: 9B alone begins a sequence as ESC [ does. */
static bool is_c1(const unsigned char *text) {
    return text[0] == 0xc2 && text[1] >= 0x80 && text[1] <= 0x9f;
}

static void print_escaped(FILE *out, const unsigned char *text) {
    for (; *text; text++) {
        bool end = text[0] == '\n' && !text[1];
        if (is_c1(text)) {
            fprintf(out, "\\x%02x\\x%02x", text[0], text[1]);
            text++;
        } else if ((*text < ' ' && !end) || *text == 0x7f)
            fprintf(out, "\\x%02x", *text);
        else
            fputc(*text, out);
    }
}

void pom_say(FILE *out, const char *format, ...) {
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0)
        return; /* no memory left to say it with */
    flockfile(out);
    print_escaped(out, (const unsigned char *)text);
    funlockfile(out);
    free(text);
}
