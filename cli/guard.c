#include "guard.h"

#include "base/buffer.h"
#include "base/status.h"
#include "store/region.h"
#include "store/store.h"
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum pom_status pom_option_eu_only(const char *text, void *value, struct pom_message *msg) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-,";
    struct pom_guard *guard = value;
    *guard = (struct pom_guard){.on = !text || strcmp(text, "false") != 0};
    if (!text || !guard->on || strcmp(text, "true") == 0)
        return POM_OK;
    if (!*text || strspn(text, letters) != strlen(text))
        return pom_fail(
            msg, POM_ERR_ARGUMENT, "wanted true, false or names of regions, such as eu-west-2,eu-central-2");
    guard->also = text;
    return POM_OK;
}

/* Whether the list names the region. */
static bool is_named(const char *list, const char *region) {
    size_t n = strlen(region);
    for (; list; list = strchr(list, ',')) {
        list += *list == ',';
        if (strncasecmp(list, region, n) == 0 && (list[n] == '\0' || list[n] == ','))
            return true;
        if (!*list)
            return false;
    }
    return false;
}

static enum pom_status check_region(
    const struct pom_guard *guard, const char *what, const char *region, struct pom_message *msg) {
    if (pom_region_is_in_eu(region) || is_named(guard->also, region))
        return POM_OK;
    return pom_fail(msg, POM_ERR_CONFLICT,
        "%s is in %s, outside the member states of the EU, and --eu-only is set: --eu-only=%s would let it pass", what,
        region, region);
}

static enum pom_status check_machine(
    const struct pom_guard *guard, const atomic_bool *cancel, struct pom_message *msg) {
    struct pom_buffer region = {0};
    enum pom_status status = pom_machine_region(cancel, &region, msg);
    if (status == POM_OK && region.size)
        status = check_region(guard, "this machine", region.data, msg);
    pom_buffer_clean_up(&region);
    return status;
}

/* Opened as a destination is: nothing need be there. */
static enum pom_status check_bucket(
    const struct pom_guard *guard, const char *location, const atomic_bool *cancel, struct pom_message *msg) {
    struct pom_store *store = NULL;
    struct pom_buffer region = {0};
    POM_TRY(pom_store_open(location, true, cancel, &store, msg));
    enum pom_status status = pom_store_region(store, &region, msg);
    if (status == POM_OK)
        status = check_region(guard, location, region.data, msg);
    else
        status = pom_fail_in(msg, status, "--eu-only is set");
    rmdir(pom_store_staging(store)); /* stays where a job's state is in it */
    pom_store_close(store);
    pom_buffer_clean_up(&region);
    return status;
}

enum pom_status pom_guard_check(const struct pom_guard *guard, const char *const *sources, int n,
    const char *destination, const atomic_bool *cancel, struct pom_message *msg) {
    if (!guard->on)
        return POM_OK;
    POM_TRY(check_machine(guard, cancel, msg));
    for (int i = 0; i <= n; i++) {
        const char *location = i < n ? sources[i] : destination;
        if (location && strstr(location, "://"))
            POM_TRY(check_bucket(guard, location, cancel, msg));
    }
    return POM_OK;
}
