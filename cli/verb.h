/* Verbs: what stands after `pomona` on the command line. A verb has a function, or verbs of its own (`pomona model
 * list`). */
#ifndef POM_CLI_VERB_H
#define POM_CLI_VERB_H

#include "options.h"

#include <pomona/status.h>

/* The process's exit status. */
enum pom_exit {
    POM_EXIT_OK = 0,
    POM_EXIT_FAILED = 1, /* usage or environment: nothing written */
    POM_EXIT_PARTIAL = 2 /* finished, with rows in the errors table */
};

struct pom_verb {
    const char *name;
    const char *summary;                 /* one line, for the list of verbs */
    const char *usage;                   /* what follows the name: "SRC... -o DEST [OPTION]..." */
    const char *details;                 /* paragraphs and examples for the help, each line ended; NULL: none */
    const struct pom_option *options;    /* NULL: none */
    const struct pom_verb *const *verbs; /* of a group, NULL-ended; then run is NULL */

    /* argv[0] is the verb's name. *exit_code is POM_EXIT_OK on entry. A failure is printed with its message, exit 1. */
    enum pom_status (*run)(int argc, char **argv, enum pom_exit *exit_code, struct pom_message *msg);
};

/* Runs the verb that argv[1..] names below root, answering --help and `help` on the way. Returns the exit status. */
int pom_verb_run(const struct pom_verb *root, int argc, char **argv);

/* The name nearest to text (edit distance), or NULL where none is near. */
const char *pom_nearest(const char *text, const char *const *names, size_t n);

#endif
