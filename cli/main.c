#include "commands.h"
#include "verb.h"
#include <pomona/pomona.h>

#include <stdio.h>
#include <string.h>

/* In the order of the help. */
static const struct pom_verb *const verbs[] = {
    &pom_cmd_features,
    &pom_cmd_pca,
    &pom_cmd_model,
    &pom_cmd_ls,
    &pom_cmd_plan,
    &pom_cmd_verify,
    &pom_cmd_doctor,
    &pom_cmd_config,
    NULL,
};

const struct pom_verb pom_commands = {
    .name = "pomona",
    .summary = "Photographs in a folder -> features of a neural network -> scaled, principal components -> Parquet.",
    .usage = "VERB [OPTION]...",
    .verbs = verbs,
    .details = "`pomona help VERB` tells all about a verb; `pomona --version` prints the version.\n",
};

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        printf("pomona %s\n", pom_version());
        return POM_EXIT_OK;
    }
    return pom_verb_run(&pom_commands, argc, argv);
}
