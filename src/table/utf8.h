/* UTF-8 (RFC 3629): checking and repairing. */
#ifndef POM_TABLE_UTF8_H
#define POM_TABLE_UTF8_H

#include "base/buffer.h"
#include <stdbool.h>
#include <stddef.h>

bool pom_utf8_valid(const char *text, size_t n);

/* Appends text to out, every maximal ill-formed part of it replaced by U+FFFD (Unicode 15, section 3.9, "best
 * practice"). False on no memory. */
bool pom_utf8_repair(const char *text, size_t n, struct pom_buffer *out);

#endif
