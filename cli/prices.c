#include "prices.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Beside the program, wherever it was put: PREFIX/bin/pomona and PREFIX/share/pomona/prices.toml. */
static char *installed(void) {
    static const char below[] = "/../share/pomona/prices.toml";
    char program[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - sizeof below);
    if (n <= 0)
        return NULL;
    program[n] = '\0';
    char *slash = strrchr(program, '/');
    if (!slash)
        return NULL;
    memcpy(slash, below, sizeof below);
    return realpath(program, NULL);
}

enum pom_status pom_prices_read(const char *file, struct pom_prices *out, struct pom_message *msg) {
    out->file = file ? strdup(file) : installed();
    if (!out->file)
        return pom_fail(msg, POM_ERR_NOT_FOUND,
            "the table of prices, share/pomona/prices.toml beside the program, is not there: name one with --prices");
    POM_TRY(pom_toml_read(out->file, &out->toml, msg));
    out->date = pom_price_text(out, "", "date");
    out->source = pom_price_text(out, "", "source");
    if (!out->date || !out->source)
        return pom_fail(msg, POM_ERR_FORMAT, "%s: a table of prices begins with its date and source", out->file);
    return POM_OK;
}

void pom_prices_clean_up(struct pom_prices *prices) {
    free(prices->file);
    pom_toml_clean_up(&prices->toml);
    *prices = (struct pom_prices){0};
}

enum pom_status pom_price(
    const struct pom_prices *prices, const char *section, const char *name, double *out, struct pom_message *msg) {
    const struct pom_toml_entry *entry = pom_toml_find(&prices->toml, section, name);
    *out = entry && entry->type == POM_TOML_NUMBER ? strtod(entry->value, NULL) : -1;
    if (*out >= 0)
        return POM_OK;
    return pom_fail(msg, POM_ERR_FORMAT, "%s has no price [%s] %s", prices->file, section, name);
}

const char *pom_price_text(const struct pom_prices *prices, const char *section, const char *name) {
    const struct pom_toml_entry *entry = pom_toml_find(&prices->toml, section, name);
    return entry && entry->type == POM_TOML_TEXT ? entry->value : NULL;
}
