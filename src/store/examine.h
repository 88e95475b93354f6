/* Telling an examiner, printf-style. Private to the room. */
#ifndef POM_STORE_EXAMINE_H
#define POM_STORE_EXAMINE_H

#include "store/store.h"

void pom_examiner_tell(const struct pom_examiner *examiner, enum pom_finding finding, const char *topic,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
