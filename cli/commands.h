/* The verbs, one cmd_<verb>.c each. */
#ifndef POM_CLI_COMMANDS_H
#define POM_CLI_COMMANDS_H

#include "verb.h"

#endif
