#include "options.h"
#include "job/features_job.h"

#include "base/status.h"
#include "verb.h"
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_OPTIONS = 48,
    HELP_COLUMN = 24,
    LONG_CODE = 256 /* getopt's code of the first long option: past every letter */
};

/* getopt's own description of the table, and the short options as it wants them. */
struct getopt_tables {
    struct option longs[MAX_OPTIONS + 1];
    char shorts[2 * MAX_OPTIONS + 3];
    const char *names[MAX_OPTIONS];
    size_t n;
};

static void describe(const struct pom_option *table, struct getopt_tables *out) {
    char *shorts = out->shorts;
    *shorts++ = ':'; /* a missing argument is told apart from an unknown option */
    for (out->n = 0; table && table[out->n].name && out->n < MAX_OPTIONS; out->n++) {
        const struct pom_option *option = &table[out->n];
        out->names[out->n] = option->name;
        out->longs[out->n] = (struct option){
            option->name, option->argument ? required_argument : optional_argument, NULL, LONG_CODE + (int)out->n};
        if (option->letter) {
            *shorts++ = option->letter;
            if (option->argument)
                *shorts++ = ':';
        }
    }
    *shorts = '\0';
    out->longs[out->n] = (struct option){0};
}

/* The option of a letter that getopt found in the table. */
static const struct pom_option *by_letter(const struct pom_option *table, int letter) {
    while (table->letter != letter)
        table++;
    return table;
}

/* What getopt refused: argv[optind - 1], or a letter within it. */
static enum pom_status refuse(int code, const char *word, const struct getopt_tables *tables, struct pom_message *msg) {
    if (code == ':')
        return pom_fail(msg, POM_ERR_ARGUMENT, "%s needs a value", word);
    if (strncmp(word, "--", 2) != 0)
        return pom_fail(msg, POM_ERR_ARGUMENT, "unknown option -%c", optopt);
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    const char *near = pom_nearest(name, tables->names, tables->n);
    if (near)
        return pom_fail(msg, POM_ERR_ARGUMENT, "unknown option --%s: did you mean --%s?", name, near);
    return pom_fail(msg, POM_ERR_ARGUMENT, "unknown option --%s", name);
}

static enum pom_status take(const struct pom_option *option, const char *text, void *values, struct pom_message *msg) {
    enum pom_status status = option->parse(text, (char *)values + option->offset, msg);
    return status == POM_OK
               ? POM_OK
               : pom_fail_in(msg, status, "--%s%s%s", option->name, option->argument ? " " : "=", text ? text : "");
}

enum pom_status pom_options_parse(
    const struct pom_option *table, int argc, char **argv, void *values, int *first_operand, struct pom_message *msg) {
    struct getopt_tables tables;
    describe(table, &tables);
    opterr = 0;
    optind = 0; /* glibc: begin anew */
    int code;
    while ((code = getopt_long(argc, argv, tables.shorts, tables.longs, NULL)) != -1) {
        if (code == '?' || code == ':')
            return refuse(code, argv[optind - 1], &tables, msg);
        const struct pom_option *option = code >= LONG_CODE ? &table[code - LONG_CODE] : by_letter(table, code);
        POM_TRY(take(option, optarg, values, msg));
    }
    *first_operand = optind;
    return POM_OK;
}

/* Prints text with its later lines indented to the column of the first. */
static void print_indented(const char *text, FILE *out) {
    for (const char *line = text; *line;) {
        size_t n = strcspn(line, "\n");
        fprintf(out, "%.*s\n", (int)n, line);
        line += n;
        if (*line++ != '\n')
            break;
        fprintf(out, "%*s", HELP_COLUMN, "");
    }
}

void pom_options_print(const struct pom_option *table, FILE *out) {
    for (const struct pom_option *option = table; option && option->name; option++) {
        char head[64], letter[8] = "    ";
        if (option->letter)
            snprintf(letter, sizeof letter, "-%c, ", option->letter);
        int n = snprintf(head, sizeof head, "  %s--%s%s%s", letter, option->name, option->argument ? " " : "",
            option->argument ? option->argument : "");
        fprintf(out, "%-*s", HELP_COLUMN, head);
        if (n >= HELP_COLUMN)
            fprintf(out, "\n%*s", HELP_COLUMN, "");
        print_indented(option->help, out);
    }
    fprintf(out, "      --config FILE     settings that stand in for options: see `pomona help config`\n"
                 "  -h, --help            this text\n");
}

enum pom_status pom_option_switch(const char *text, void *value, struct pom_message *msg) {
    bool off = text && strcmp(text, "false") == 0;
    if (text && !off && strcmp(text, "true") != 0)
        return pom_fail(msg, POM_ERR_ARGUMENT, "wanted true or false");
    *(bool *)value = !off;
    return POM_OK;
}

enum pom_status pom_option_text(const char *text, void *value, struct pom_message *msg) {
    if (!*text)
        return pom_fail(msg, POM_ERR_ARGUMENT, "the value is empty");
    *(const char **)value = text;
    return POM_OK;
}

static bool whole_number(const char *text, long long most, long long *out) {
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return end != text && !*end && errno == 0 && *out >= 1 && *out <= most;
}

enum pom_status pom_option_count(const char *text, void *value, struct pom_message *msg) {
    long long number;
    if (!whole_number(text, INT_MAX, &number))
        return pom_fail(msg, POM_ERR_ARGUMENT, "wanted a whole number from 1 to %d", INT_MAX);
    *(int *)value = (int)number;
    return POM_OK;
}

enum pom_status pom_option_total(const char *text, void *value, struct pom_message *msg) {
    long long number;
    if (!whole_number(text, INT64_MAX, &number))
        return pom_fail(msg, POM_ERR_ARGUMENT, "wanted a whole number from 1 to %lld", (long long)INT64_MAX);
    *(uint64_t *)value = (uint64_t)number;
    return POM_OK;
}

/* K, M, G, T and KB, KiB, ...: powers of 1024 all of them; 0 for anything else. */
static double unit_bytes(const char *unit) {
    static const char letters[] = "kmgt";
    if (!*unit || strcasecmp(unit, "b") == 0)
        return 1;
    const char *letter = strchr(letters, *unit | 0x20);
    if (!letter || (unit[1] && strcasecmp(unit + 1, "b") != 0 && strcasecmp(unit + 1, "ib") != 0))
        return 0;
    double bytes = 1024;
    for (; letter > letters; letter--)
        bytes *= 1024;
    return bytes;
}

enum pom_status pom_option_bytes(const char *text, void *value, struct pom_message *msg) {
    char *end;
    double number = strtod(text, &end), unit = end == text ? 0 : unit_bytes(end);
    if (!(number > 0) || unit == 0 || number * unit > (double)(SIZE_MAX / 2))
        return pom_fail(msg, POM_ERR_ARGUMENT, "wanted a size such as 512M or 2GiB");
    *(size_t *)value = (size_t)(number * unit);
    return POM_OK;
}

enum pom_status pom_option_seconds(const char *text, void *value, struct pom_message *msg) {
    char *end;
    double number = strtod(text, &end);
    if (end == text || *end || !(number > 0) || number > 1e9)
        return pom_fail(msg, POM_ERR_ARGUMENT, "wanted a number of seconds over 0");
    *(double *)value = number;
    return POM_OK;
}

enum pom_status pom_option_cosine(const char *text, void *value, struct pom_message *msg) {
    char *end;
    double number = strtod(text, &end);
    if (end == text || *end || !(number > 0 && number <= 1))
        return pom_fail(msg, POM_ERR_ARGUMENT, "wanted a number over 0 and up to 1, such as 0.995");
    *(double *)value = number;
    return POM_OK;
}

enum pom_status pom_option_precision(const char *text, void *value, struct pom_message *msg) {
    for (enum pom_wish wish = POM_WISH_EXACT; wish < POM_WISHES; wish++)
        if (strcmp(text, pom_wish_name(wish)) == 0) {
            *(enum pom_wish *)value = wish;
            return POM_OK;
        }
    return pom_fail(msg, POM_ERR_ARGUMENT, "wanted exact, fast, bf16 or int8");
}

enum pom_status pom_option_components(const char *text, void *value, struct pom_message *msg) {
    struct pom_components *out = value;
    long long whole;
    if (whole_number(text, INT_MAX, &whole)) {
        *out = (struct pom_components){.k = (size_t)whole};
        return POM_OK;
    }
    char *end;
    double share = strtod(text, &end);
    if (end != text && strcmp(end, "%") == 0) {
        share /= 100;
        end++;
    }
    if (end == text || *end || !(share > 0 && share < 1))
        return pom_fail(msg, POM_ERR_ARGUMENT,
            "wanted a number of components, whole, such as 50, or a share of the variance, below 1, such as 0.90");
    *out = (struct pom_components){.variance = share};
    return POM_OK;
}
