/* Settings that stand in for options which are not on the command line: of environment variables POMONA_<OPTION>, then
 * of the file ~/.config/pomona/config.toml. They are put before the words of the command line, which therefore win. */
#ifndef POM_CLI_SETTINGS_H
#define POM_CLI_SETTINGS_H

#include "verb.h"

#include "base/buffer.h"
#include "base/memory.h"
#include "base/toml.h"

/* Zero-initialise; released by pom_settings_clean_up. */
struct pom_settings {
    char *file; /* that is read; NULL: none */
    struct pom_toml toml;
    struct pom_arena words;
    char **argv; /* NULL-ended; the words are the caller's own or lie in `words` */
    int argc;
    size_t capacity;
};

/* Finds the file (--config FILE among argv's words, POMONA_CONFIG, else $XDG_CONFIG_HOME/pomona/config.toml where it
 * is) and fills argv with the name of the verb, its settings as --name=value, and the words of the command line but
 * --config. path: the words before, "pomona model bench". Settings are checked here, so that a message can say where a
 * bad one stands; a name in the file that is no option of any verb below root is refused. */
enum pom_status pom_settings_collect(struct pom_settings *settings, const struct pom_verb *root,
    const struct pom_verb *verb, const char *path, int argc, char **argv, struct pom_message *msg);
void pom_settings_clean_up(struct pom_settings *settings);

/* "POMONA_OUTPUT_LAYER" of output-layer. */
enum { POM_VARIABLE_BYTES = 80 };
void pom_settings_variable(const char *option, char out[POM_VARIABLE_BYTES]);

#endif
