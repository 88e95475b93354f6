/* The verbs, one cmd_<verb>.c each. */
#ifndef POM_CLI_COMMANDS_H
#define POM_CLI_COMMANDS_H

#include "verb.h"

extern const struct pom_verb pom_cmd_features;
extern const struct pom_verb pom_cmd_pca;
extern const struct pom_verb pom_cmd_model;
extern const struct pom_verb pom_cmd_ls;
extern const struct pom_verb pom_cmd_plan;
extern const struct pom_verb pom_cmd_verify;
extern const struct pom_verb pom_cmd_doctor;
extern const struct pom_verb pom_cmd_config;

/* `pomona` itself: all of them. */
extern const struct pom_verb pom_commands;

#endif
