#include "verb.h"
#include "say.h"
#include "settings.h"

#include "base/buffer.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VERBS = 32, MAX_WORD = 32 };

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Levenshtein's distance of words up to MAX_WORD letters; longer ones are far from everything. */
static size_t edit_distance(const char *a, const char *b) {
    size_t row[MAX_WORD + 1], n = strlen(b);
    if (n > MAX_WORD || strlen(a) > MAX_WORD)
        return MAX_WORD;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            size_t changed = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            row[j + 1] = least(changed, least(row[j], diagonal) + 1);
        }
    }
    return row[n];
}

const char *pom_nearest(const char *text, const char *const *names, size_t n) {
    const char *best = NULL;
    size_t distance = least(3, strlen(text) / 2 + 1); /* nearer than this, or no suggestion */
    for (size_t i = 0; i < n; i++) {
        size_t d = edit_distance(text, names[i]);
        if (d < distance) {
            distance = d;
            best = names[i];
        }
    }
    return best;
}

/* path: the words before the verb, "pomona" or "pomona model". */
static void print_help(const struct pom_verb *verb, const char *path, FILE *out) {
    fprintf(out, "Usage: %s %s\n\n%s\n", path, verb->usage, verb->summary);
    if (verb->verbs) {
        fprintf(out, "\nVerbs:\n");
        for (const struct pom_verb *const *v = verb->verbs; *v; v++)
            fprintf(out, "  %-12s %s\n", (*v)->name, (*v)->summary);
    } else {
        fprintf(out, "\nOptions:\n");
        pom_options_print(verb->options, out);
    }
    if (verb->details)
        fprintf(out, "\n%s", verb->details);
}

static const struct pom_verb *find(const struct pom_verb *group, const char *name) {
    for (const struct pom_verb *const *v = group->verbs; *v; v++)
        if (strcmp((*v)->name, name) == 0)
            return *v;
    return NULL;
}

static int no_such_verb(const struct pom_verb *group, const char *path, const char *name) {
    const char *names[MAX_VERBS];
    size_t n = 0;
    for (const struct pom_verb *const *v = group->verbs; *v && n < MAX_VERBS; v++)
        names[n++] = (*v)->name;
    const char *near = pom_nearest(name, names, n);
    pom_say(stderr, "pomona: there is no `%s %s`", path, name);
    if (near)
        pom_say(stderr, ": did you mean `%s %s`?\n", path, near);
    else
        pom_say(stderr, ": see `%s --help`\n", path);
    return POM_EXIT_FAILED;
}

/* `--help` or `-h` before the end of the options. */
static bool wants_help(int argc, char **argv) {
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

static int run_leaf(const struct pom_verb *root, const struct pom_verb *verb, const char *path, int argc, char **argv) {
    struct pom_message msg = {0};
    struct pom_settings settings = {0};
    enum pom_exit code = POM_EXIT_OK;
    enum pom_status status = pom_settings_collect(&settings, root, verb, path, argc, argv, &msg);
    if (status == POM_OK)
        status = verb->run(settings.argc, settings.argv, &code, &msg);
    pom_settings_clean_up(&settings);
    if (status == POM_OK)
        return code;
    pom_say(stderr, "%s: %s\n", path, *msg.text ? msg.text : pom_status_name(status));
    if (status == POM_ERR_ARGUMENT)
        pom_say(stderr, "See `%s --help`.\n", path);
    return POM_EXIT_FAILED;
}

/* Walks from the root to the verb that is named. path grows by each name. */
static int run_from(const struct pom_verb *root, struct pom_buffer *path, int argc, char **argv) {
    const struct pom_verb *verb = root;
    bool help = false;
    while (verb->verbs) {
        if (argc > 1 && strcmp(argv[1], "help") == 0 && !find(verb, "help")) {
            help = true;
            argc--, argv++;
        } else if (argc < 2 || argv[1][0] == '-') {
            break;
        } else {
            const struct pom_verb *next = find(verb, argv[1]);
            if (!next)
                return no_such_verb(verb, path->data, argv[1]);
            if (!pom_buffer_printf(path, " %s", next->name))
                return POM_EXIT_FAILED;
            verb = next;
            argc--, argv++;
        }
    }
    help = help || wants_help(argc, argv);
    if (verb->run && !help)
        return run_leaf(root, verb, path->data, argc, argv);
    if (verb->verbs && !help && argc > 1)
        return no_such_verb(verb, path->data, argv[1]);
    print_help(verb, path->data, help ? stdout : stderr);
    return help ? POM_EXIT_OK : POM_EXIT_FAILED;
}

int pom_verb_run(const struct pom_verb *root, int argc, char **argv) {
    struct pom_buffer path = {0};
    int code = pom_buffer_text(&path, root->name) ? run_from(root, &path, argc, argv) : POM_EXIT_FAILED;
    pom_buffer_clean_up(&path);
    if (fflush(stdout) == 0)
        return code;
    perror("pomona: cannot write to the standard output");
    return POM_EXIT_FAILED;
}
