/* SIGINT and SIGTERM: the first asks the verb to end, the second ends the process. */
#ifndef POM_CLI_INTERRUPT_H
#define POM_CLI_INTERRUPT_H

#include <stdatomic.h>

/* Catches both from here on. Returns the flag that the first one sets; static storage. */
const atomic_bool *pom_catch_interrupts(void);

#endif
