/* Numbers as text: the fewest digits that read back to the same bits, a float also by way of a double (decimals halfway
 * between two floats are passed over). Thread-safe, whatever the locale. */
#ifndef POM_TABLE_NUMBER_H
#define POM_TABLE_NUMBER_H

#include <stddef.h>

enum { POM_NUMBER_TEXT = 32 };

/* A finite value as a JSON number (RFC 8259); returns its length, the NUL not counted. */
size_t pom_float_text(float value, char out[POM_NUMBER_TEXT]);
size_t pom_double_text(double value, char out[POM_NUMBER_TEXT]);

#endif
