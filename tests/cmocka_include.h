/* cmocka.h with the headers that it needs first. */
#ifndef POM_TESTS_CMOCKA_INCLUDE_H
#define POM_TESTS_CMOCKA_INCLUDE_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#endif
