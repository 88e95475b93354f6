/* Files of settings, in a strict part of TOML 1.0 (https://toml.io/en/v1.0.0): comments, [sections] of bare names with
 * dots, and one `name = value` a line, where name is bare and value a "basic" or 'literal' string, a decimal number or
 * true or false. Arrays, inline tables, dates, quoted and dotted keys, and strings of several lines are refused. */
#ifndef POM_BASE_TOML_H
#define POM_BASE_TOML_H

#include "base/buffer.h"
#include "base/status.h"

enum pom_toml_type { POM_TOML_TEXT, POM_TOML_NUMBER, POM_TOML_SWITCH };

struct pom_toml_entry {
    const char *section; /* "" before the first */
    const char *name;
    const char *value; /* a string's content, or the number or switch as it is written */
    enum pom_toml_type type;
    int line;
};

/* Zero-initialise; released by pom_toml_clean_up. */
struct pom_toml {
    struct pom_toml_entry *list; /* in the order of the file */
    size_t n, capacity;
    char *text; /* that the entries lie in */
};

/* Takes n bytes of text. name: of the file, for messages, which say its line too. POM_ERR_FORMAT: it is not of this
 * part of TOML, or sets a name twice. */
enum pom_status pom_toml_parse(
    const char *name, const char *text, size_t n, struct pom_toml *out, struct pom_message *msg);
enum pom_status pom_toml_read(const char *path, struct pom_toml *out, struct pom_message *msg);
void pom_toml_clean_up(struct pom_toml *toml);

/* The entry of this name, or NULL. */
const struct pom_toml_entry *pom_toml_find(const struct pom_toml *toml, const char *section, const char *name);

#endif
