/* Text for people: names of files and folders may hold anything, also what a terminal would obey. */
#ifndef POM_CLI_SAY_H
#define POM_CLI_SAY_H

#include <stdio.h>

/* As fprintf, with control characters, C1's in UTF-8 among them, as \x1b. Only a newline at the very end stays. */
void pom_say(FILE *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
