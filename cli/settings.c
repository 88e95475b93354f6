#include "settings.h"

#include "base/file.h"
#include "base/status.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char environment[] = "environment"; /* the section that holds variables, not options */
static const char file_variable[] = "POMONA_CONFIG";

enum { MAX_NAMES = 256 };

static const char *variable(const char *name) {
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

void pom_settings_variable(const char *option, char out[POM_VARIABLE_BYTES]) {
    int n = snprintf(out, POM_VARIABLE_BYTES, "POMONA_%s", option);
    for (int i = 0; i < n && i < POM_VARIABLE_BYTES; i++)
        out[i] = out[i] == '-' ? '_' : (char)(out[i] >= 'a' && out[i] <= 'z' ? out[i] - 'a' + 'A' : out[i]);
}

static enum pom_status add_word(struct pom_settings *settings, char *word, struct pom_message *msg) {
    if (!pom_grow((void **)&settings->argv, &settings->capacity, (size_t)settings->argc + 2, sizeof(char *)))
        return pom_fail_memory(msg, "the command line");
    settings->argv[settings->argc++] = word;
    settings->argv[settings->argc] = NULL;
    return POM_OK;
}

/* The value is tried on its own, so that it can be told where it comes from. */
static enum pom_status add_option(
    struct pom_settings *settings, const struct pom_option *option, const char *value, struct pom_message *msg) {
    _Alignas(POM_OPTION_BYTES) char scratch[POM_OPTION_BYTES] = {0};
    size_t n = strlen(option->name) + strlen(value) + sizeof "--=";
    POM_TRY(option->parse(value, scratch, msg));
    char *word = pom_arena_alloc(&settings->words, n, 1);
    if (!word)
        return pom_fail_memory(msg, "the command line");
    snprintf(word, n, "--%s=%s", option->name, value);
    return add_word(settings, word, msg);
}

static const struct pom_option *find_option(const struct pom_verb *verb, const char *name) {
    for (const struct pom_option *option = verb->options; option && option->name; option++)
        if (strcmp(option->name, name) == 0)
            return option;
    return NULL;
}

static const struct pom_verb *find_verb(const struct pom_verb *group, const char *name, size_t n) {
    for (const struct pom_verb *const *v = group->verbs; v && *v; v++)
        if (strlen((*v)->name) == n && strncmp((*v)->name, name, n) == 0)
            return *v;
    return NULL;
}

/* The verb of a section, "model.bench"; NULL: there is none. */
static const struct pom_verb *verb_of(const struct pom_verb *root, const char *section) {
    const struct pom_verb *verb = root;
    while (verb && *section) {
        size_t n = strcspn(section, ".");
        verb = find_verb(verb, section, n);
        section += n + (section[n] == '.');
    }
    return verb;
}

/* The names of the options of all verbs at or below one. */
static size_t collect_names(const struct pom_verb *verb, const char **names, size_t n) {
    for (const struct pom_option *option = verb->options; option && option->name && n < MAX_NAMES; option++)
        names[n++] = option->name;
    for (const struct pom_verb *const *v = verb->verbs; v && *v; v++)
        n = collect_names(*v, names, n);
    return n;
}

static enum pom_status check_section(const struct pom_settings *settings, const struct pom_verb *root,
    const struct pom_toml_entry *entry, struct pom_message *msg) {
    const char *names[MAX_NAMES];
    size_t n = 0;
    if (verb_of(root, entry->section))
        return POM_OK;
    names[n++] = environment;
    for (const struct pom_verb *const *v = root->verbs; *v; v++)
        names[n++] = (*v)->name;
    const char *near = pom_nearest(entry->section, names, n);
    return pom_fail(msg, POM_ERR_ARGUMENT, "%s, line %d: there is no verb [%.60s]%s%s%s", settings->file, entry->line,
        entry->section, near ? ": did you mean [" : "", near ? near : "", near ? "]?" : "");
}

static enum pom_status check_variable(
    const struct pom_settings *settings, const struct pom_toml_entry *entry, struct pom_message *msg) {
    static const char *const secrets[] = {"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"};
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        if (strcmp(entry->name, secrets[i]) == 0)
            return pom_fail(msg, POM_ERR_ARGUMENT,
                "%s, line %d: secrets do not belong here: put them in ~/.aws/credentials, and AWS_PROFILE here",
                settings->file, entry->line);
    return POM_OK;
}

/* That the name is an option of the section's verb, or of any below it. */
static enum pom_status check_entry(const struct pom_settings *settings, const struct pom_verb *root,
    const struct pom_toml_entry *entry, struct pom_message *msg) {
    const char *names[MAX_NAMES];
    if (strcmp(entry->section, environment) == 0)
        return check_variable(settings, entry, msg);
    POM_TRY(check_section(settings, root, entry, msg));
    size_t n = collect_names(verb_of(root, entry->section), names, 0);
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], entry->name) == 0)
            return POM_OK;
    const char *near = pom_nearest(entry->name, names, n);
    return pom_fail(msg, POM_ERR_ARGUMENT, "%s, line %d: there is no option %.60s%s%s%s%s", settings->file, entry->line,
        entry->name, *entry->section ? " of this verb" : "", near ? ": did you mean " : "", near ? near : "",
        near ? "?" : "");
}

/* Variables of the file that are not set; no thread runs yet. */
static enum pom_status set_variables(const struct pom_toml *toml, struct pom_message *msg) {
    for (size_t i = 0; i < toml->n; i++)
        if (strcmp(toml->list[i].section, environment) == 0 && setenv(toml->list[i].name, toml->list[i].value, 0) != 0)
            return pom_fail_memory(msg, "the environment");
    return POM_OK;
}

/* Adds what a section says for the verb's options. */
static enum pom_status add_section(
    struct pom_settings *settings, const struct pom_verb *verb, const char *section, struct pom_message *msg) {
    for (size_t i = 0; i < settings->toml.n; i++) {
        const struct pom_toml_entry *entry = &settings->toml.list[i];
        const struct pom_option *option = find_option(verb, entry->name);
        if (!option || strcmp(entry->section, section) != 0)
            continue;
        enum pom_status status = add_option(settings, option, entry->value, msg);
        if (status != POM_OK)
            return pom_fail_in(msg, status, "%s, line %d: %s", settings->file, entry->line, entry->name);
    }
    return POM_OK;
}

static enum pom_status add_file(struct pom_settings *settings, const struct pom_verb *root, const struct pom_verb *verb,
    const char *path, struct pom_message *msg) {
    char section[64] = "";
    POM_TRY(pom_toml_read(settings->file, &settings->toml, msg));
    for (size_t i = 0; i < settings->toml.n; i++)
        POM_TRY(check_entry(settings, root, &settings->toml.list[i], msg));
    POM_TRY(set_variables(&settings->toml, msg));
    POM_TRY(add_section(settings, verb, section, msg));
    /* From "pomona model bench": first what stands in [model], then what in [model.bench]. */
    for (path = strchr(path, ' '); path; path = strchr(path, ' ')) {
        size_t n = strlen(section), word = strcspn(++path, " ");
        snprintf(section + n, sizeof section - n, "%s%.*s", n ? "." : "", (int)word, path);
        POM_TRY(add_section(settings, verb, section, msg));
    }
    return POM_OK;
}

static enum pom_status add_variables(
    struct pom_settings *settings, const struct pom_verb *verb, struct pom_message *msg) {
    for (const struct pom_option *option = verb->options; option && option->name; option++) {
        char name[POM_VARIABLE_BYTES];
        pom_settings_variable(option->name, name);
        const char *value = variable(name);
        enum pom_status status = value ? add_option(settings, option, value, msg) : POM_OK;
        if (status != POM_OK)
            return pom_fail_in(msg, status, "%s=%.100s", name, value);
    }
    return POM_OK;
}

/* Takes --config out of the words: its value becomes that of the variable, where all look for it. */
static enum pom_status take_file_option(int *argc, char **argv, struct pom_message *msg) {
    static const char name[] = "--config";
    const size_t n = sizeof name - 1;
    const char *file = NULL;
    int kept = 1, i = 1;
    for (; i < *argc && strcmp(argv[i], "--") != 0; i++) {
        if (strncmp(argv[i], name, n) != 0 || (argv[i][n] && argv[i][n] != '='))
            argv[kept++] = argv[i];
        else if (argv[i][n])
            file = argv[i] + n + 1;
        else if (i + 1 < *argc)
            file = argv[++i];
        else
            return pom_fail(msg, POM_ERR_ARGUMENT, "--config needs a value");
    }
    while (i < *argc)
        argv[kept++] = argv[i++];
    *argc = kept;
    return !file || setenv(file_variable, file, 1) == 0 ? POM_OK : pom_fail_memory(msg, "the environment");
}

/* The usual file where it is; an empty name in the variable is none. */
static enum pom_status find_file(struct pom_settings *settings, struct pom_message *msg) {
    const char *asked = getenv(file_variable), *base = variable("XDG_CONFIG_HOME"), *home = variable("HOME");
    struct pom_buffer path = {0};
    bool good = true;
    if (asked)
        good = !*asked || pom_buffer_text(&path, asked);
    else if (base && *base == '/')
        good = pom_buffer_printf(&path, "%s/pomona/config.toml", base);
    else if (home)
        good = pom_buffer_printf(&path, "%s/.config/pomona/config.toml", home);
    if (!good)
        return pom_fail_memory(msg, "the settings");
    if (!asked && path.data && !pom_file_exists(path.data))
        pom_buffer_clean_up(&path);
    settings->file = path.data;
    return POM_OK;
}

enum pom_status pom_settings_collect(struct pom_settings *settings, const struct pom_verb *root,
    const struct pom_verb *verb, const char *path, int argc, char **argv, struct pom_message *msg) {
    POM_TRY(take_file_option(&argc, argv, msg));
    POM_TRY(find_file(settings, msg));
    POM_TRY(add_word(settings, argv[0], msg));
    if (settings->file)
        POM_TRY(add_file(settings, root, verb, path, msg));
    POM_TRY(add_variables(settings, verb, msg));
    for (int i = 1; i < argc; i++)
        POM_TRY(add_word(settings, argv[i], msg));
    return POM_OK;
}

void pom_settings_clean_up(struct pom_settings *settings) {
    free(settings->file);
    free(settings->argv);
    pom_toml_clean_up(&settings->toml);
    pom_arena_clean_up(&settings->words);
    *settings = (struct pom_settings){0};
}
