/* The local folder that holds the state and the unfinished files of a job whose destination is not local. */
#ifndef POM_STORE_STAGING_H
#define POM_STORE_STAGING_H

#include "base/status.h"

/* Makes $XDG_STATE_HOME/pomona/jobs/HASH (~/.local/state where the variable is not set), HASH being of the
 * destination's canonical prefix: *out is its path, the caller's to free. */
enum pom_status pom_staging_make(const char *prefix, char **out, struct pom_message *msg);

#endif
