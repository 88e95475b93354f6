#include "store/staging.h"

#include "base/buffer.h"
#include "base/file.h"
#include "base/hash.h"
#include <stdlib.h>
#include <string.h>

enum { HASH_DIGITS = 24 };

enum pom_status pom_staging_make(const char *prefix, char **out, struct pom_message *msg) {
    char hash[POM_SHA256_HEX];
    struct pom_buffer path = {0};
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    bool set = state && *state == '/'; /* the specification of XDG has others ignored */
    if (!set && (!home || !*home))
        return pom_fail(msg, POM_ERR_ARGUMENT,
            "%s: there is no place for the job's unfinished files: set XDG_STATE_HOME or HOME to a folder", prefix);
    POM_TRY(pom_sha256(prefix, strlen(prefix), hash, msg));
    if (!pom_buffer_printf(
            &path, "%s%s/pomona/jobs/%.*s", set ? state : home, set ? "" : "/.local/state", HASH_DIGITS, hash))
        return pom_fail_memory(msg, prefix);
    enum pom_status status = pom_make_folders(path.data, msg);
    if (status == POM_OK)
        *out = path.data;
    else
        pom_buffer_clean_up(&path);
    return status;
}
