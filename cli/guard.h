/* --eu-only: nothing is read, written or computed outside the member states of the European Union. */
#ifndef POM_CLI_GUARD_H
#define POM_CLI_GUARD_H

#include "options.h"

#include <stdatomic.h>
#include <stdbool.h>

struct pom_guard {
    bool on;
    const char *also; /* regions that are fine too, with commas between them; NULL: none */
};

/* [struct pom_guard] a switch; or true, false, or regions that are fine too. */
enum pom_status pom_option_eu_only(const char *text, void *value, struct pom_message *msg);

/* The option, for a verb's table. */
#define POM_OPTION_EU_ONLY(offset)                                                                                     \
    {                                                                                                                  \
        "eu-only", 0, NULL,                                                                                            \
            "refuse buckets, and a machine, outside the member states of the EU; London\n"                             \
            "and Zurich are outside, unless they are named: --eu-only=eu-west-2",                                      \
            pom_option_eu_only, offset                                                                                 \
    }

/* Where the guard is on: POM_ERR_CONFLICT if this machine or a bucket is elsewhere, or if it cannot be told.
 * destination: may be NULL. Local paths are where the machine is. A machine that has no cloud's metadata service is
 * taken to be fine. */
enum pom_status pom_guard_check(const struct pom_guard *guard, const char *const *sources, int n,
    const char *destination, const atomic_bool *cancel, struct pom_message *msg);

#endif
