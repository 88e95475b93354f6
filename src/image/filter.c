#include "base/status.h"
#include <pomona/image.h>
#include <string.h>

static const char *const names[] = {
    [POM_FILTER_BICUBIC] = "bicubic",
    [POM_FILTER_BILINEAR] = "bilinear",
    [POM_FILTER_LANCZOS] = "lanczos",
    [POM_FILTER_BOX] = "box",
    [POM_FILTER_NEAREST] = "nearest",
};

enum { N_FILTERS = sizeof names / sizeof *names };

enum pom_status pom_filter_parse(const char *name, enum pom_filter *out, struct pom_message *msg) {
    for (int i = 0; i < N_FILTERS; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (enum pom_filter)i;
            return POM_OK;
        }
    return pom_fail(
        msg, POM_ERR_ARGUMENT, "no filter is named '%s': use bicubic, bilinear, lanczos, box or nearest", name);
}

const char *pom_filter_name(enum pom_filter filter) {
    return (unsigned)filter < N_FILTERS ? names[filter] : "unknown";
}
