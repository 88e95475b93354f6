#include "table_options.h"

#include "base/status.h"
#include "table/table.h"
#include <pomona/image.h>
#include <string.h>

enum pom_status pom_option_format(const char *text, void *value, struct pom_message *msg) {
    return pom_format_parse(text, value, msg);
}

enum pom_status pom_option_filter(const char *text, void *value, struct pom_message *msg) {
    return pom_filter_parse(text, value, msg);
}

enum pom_status pom_option_vectors(const char *text, void *value, struct pom_message *msg) {
    bool spark = strcmp(text, "spark") == 0;
    if (!spark && strcmp(text, "list") != 0)
        return pom_fail(msg, POM_ERR_ARGUMENT, "wanted list or spark");
    *(bool *)value = spark;
    return POM_OK;
}
