/* What the notes of all kinds of stores share. */
#ifndef POM_STORE_NOTE_H
#define POM_STORE_NOTE_H

#include "store/http.h"
#include <time.h>

enum { POM_NOTE_ANSWER = 1 << 20, POM_NOTE_ATTEMPTS = 5 /* before the next turn comes */ };

/* Seconds from then until the answer was sent, by the server's clock: neither this machine's nor the writer's is asked.
 * then < 0, or an answer that does not tell: -1. */
int64_t pom_note_age_s(const struct pom_http_transfer *answer, time_t then);

/* The same, where the answer itself says when the object was written. */
int64_t pom_note_answer_age_s(const struct pom_http_transfer *answer);

#endif
