#include "store/note.h"

#include <curl/curl.h>

enum { MAX_DATE = 64 };

static time_t date_in(const struct pom_http_transfer *answer, const char *name) {
    char text[MAX_DATE];
    pom_http_header(answer, name, text, sizeof text);
    return curl_getdate(text, NULL);
}

int64_t pom_note_age_s(const struct pom_http_transfer *answer, time_t then) {
    time_t now = date_in(answer, "date");
    return then < 0 || now < 0 ? -1 : (int64_t)(now - then);
}

int64_t pom_note_answer_age_s(const struct pom_http_transfer *answer) {
    return pom_note_age_s(answer, date_in(answer, "last-modified"));
}
