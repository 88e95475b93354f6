#include "commands.h"
#include "say.h"
#include "settings.h"

#include "base/file.h"
#include "base/status.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the file says of a verb, and what variables say of its options. */
static void print_variables(const struct pom_verb *verb) {
    for (const struct pom_option *option = verb->options; option && option->name; option++) {
        char name[POM_VARIABLE_BYTES];
        pom_settings_variable(option->name, name);
        const char *value = getenv(name);
        if (value && *value)
            pom_say(stdout, "%s %s = %s  (%s)\n", verb->name, option->name, value, name);
    }
    for (const struct pom_verb *const *v = verb->verbs; v && *v; v++)
        print_variables(*v);
}

static void print_file(const struct pom_settings *settings) {
    for (size_t i = 0; i < settings->toml.n; i++) {
        const struct pom_toml_entry *entry = &settings->toml.list[i];
        pom_say(stdout, "%s%s%s = %s  (line %d)\n", entry->section, *entry->section ? " " : "", entry->name,
            entry->value, entry->line);
    }
}

/* The verb's own settings were collected before, and the file was found to be good: it is read again for printing. */
static enum pom_status run(int argc, char **argv, enum pom_exit *exit_code, struct pom_message *msg) {
    struct pom_settings settings = {0};
    *exit_code = POM_EXIT_OK;
    if (argc > 1)
        return pom_fail(msg, POM_ERR_ARGUMENT, "no more words: pomona config");
    enum pom_status status =
        pom_settings_collect(&settings, &pom_commands, &pom_cmd_config, "pomona config", argc, argv, msg);
    if (status == POM_OK) {
        pom_say(stdout, "# %s\n", settings.file ? settings.file : "no file of settings");
        print_file(&settings);
        print_variables(&pom_commands);
    }
    pom_settings_clean_up(&settings);
    return status;
}

const struct pom_verb pom_cmd_config = {
    .name = "config",
    .summary = "What the file of settings and the environment say; `pomona help config` tells how they are written.",
    .usage = "",
    .run = run,
    .details =
        "Every option of every verb that has a long name can be given in three places; the first one that has it "
        "wins:\n"
        "  1. the command line:       --output-layer fc2\n"
        "  2. the environment:        POMONA_OUTPUT_LAYER=fc2\n"
        "  3. the file of settings:   output-layer = \"fc2\"\n"
        "\n"
        "The file is --config FILE, else $POMONA_CONFIG (empty: none), else $XDG_CONFIG_HOME/pomona/config.toml,\n"
        "else ~/.config/pomona/config.toml. It is written in a part of TOML: name = value, [sections] and # comments;\n"
        "texts are in quotes. What stands before the first section is for every verb that has the option, what\n"
        "stands in a section for that verb. Names that no verb has are refused. Switches are true or false; one that\n"
        "is set can be unset on the command line: --quiet=false.\n"
        "\n"
        "  threads = 8\n"
        "  memory = \"4G\"\n"
        "\n"
        "  [features]\n"
        "  model = \"mobilenetv2\"\n"
        "  pca = 0.90\n"
        "  quiet = true\n"
        "\n"
        "  [model.bench]\n"
        "  seconds = 10\n"
        "\n"
        "  [environment]              # variables that are not set otherwise; secrets are refused here\n"
        "  AWS_PROFILE = \"photos\"\n"
        "\n"
        "Examples:\n"
        "  pomona config\n"
        "  pomona config --config other.toml\n",
};
