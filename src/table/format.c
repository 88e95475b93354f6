#include "table/table.h"

#include <string.h>

static const char *const names[] = {
    [POM_FORMAT_PARQUET] = "parquet",
    [POM_FORMAT_JSON] = "json",
    [POM_FORMAT_CSV] = "csv",
};
enum { N_FORMATS = sizeof names / sizeof *names };

static bool find_format(const char *name, enum pom_format *out) {
    for (int i = 0; i < N_FORMATS; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (enum pom_format)i;
            return true;
        }
    }
    return false;
}

enum pom_status pom_format_parse(const char *name, enum pom_format *out, struct pom_message *msg) {
    if (find_format(name, out))
        return POM_OK;
    return pom_fail(msg, POM_ERR_ARGUMENT, "unknown table format \"%s\": use parquet, json or csv", name);
}

const char *pom_format_name(enum pom_format format) {
    return names[format];
}

enum pom_status pom_format_of_path(const char *path, enum pom_format *out, struct pom_message *msg) {
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash ? slash : path, '.');
    if (dot && find_format(dot + 1, out))
        return POM_OK;
    return pom_fail(msg, POM_ERR_ARGUMENT, "%s: a table's name ends in .parquet, .json or .csv", path);
}
