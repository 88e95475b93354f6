#include "access.h"
#include "commands.h"
#include "guard.h"
#include "interrupt.h"
#include "say.h"

#include "base/status.h"
#include "job/verify.h"
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

enum { DEFAULT_ROWS = 20 };

struct values {
    const char *model;
    struct pom_guard guard;
    struct pom_access access;
    uint64_t rows, seed;
    bool quiet;
};

#define AT(member) offsetof(struct values, member)
static const struct pom_option options[] = {
    {"rows", 'n', "N", "how many rows, picked at random (default 20)", pom_option_total, AT(rows)},
    {"seed", 0, "N", "pick the same rows as the run that told this number", pom_option_total, AT(seed)},
    {"model", 0, "NAME", "the network, where it is not where it was: a name or an .onnx file", pom_option_text,
        AT(model)},
    POM_OPTION_EU_ONLY(AT(guard)),
    POM_OPTIONS_ACCESS(AT(access)),
    {"quiet", 'q', NULL, "no summary", pom_option_switch, AT(quiet)},
    {0},
};
#undef AT

static const char *const words[POM_VERIFIED_COUNT] = {"same", "different", "changed", "gone", "failed"};

static void tell(void *user, enum pom_verified what, const char *path, const char *why) {
    (void)user;
    if (what == POM_VERIFIED_CHANGED)
        why = "another image since";
    if (what == POM_VERIFIED_SAME)
        return;
    printf("%s\t", words[what]);
    pom_say(stdout, "%s", path);
    putchar('\t');
    pom_say(stdout, "%s\n", why);
}

static void summarize(const struct values *values, const struct pom_verify_report *report) {
    uint64_t checked = 0;
    for (int i = 0; i < POM_VERIFIED_COUNT; i++)
        checked += report->count[i];
    pom_say(stderr, "%" PRIu64 " of %" PRIu64 " rows recomputed with %s, %s: %" PRIu64 " the same to the bit", checked,
        report->rows, report->model, report->precision, report->count[POM_VERIFIED_SAME]);
    for (int i = POM_VERIFIED_DIFFERENT; i < POM_VERIFIED_COUNT; i++)
        if (report->count[i])
            pom_say(stderr, ", %" PRIu64 " %s", report->count[i], words[i]);
    pom_say(stderr, " (--seed %" PRIu64 ")\n", values->seed);
}

static enum pom_status run(int argc, char **argv, enum pom_exit *exit_code, struct pom_message *msg) {
    struct values values = {.rows = DEFAULT_ROWS, .seed = (uint64_t)time(NULL)};
    struct pom_verify_report report;
    int first;
    POM_TRY(pom_options_parse(options, argc, argv, &values, &first, msg));
    POM_TRY(pom_access_apply(&values.access, msg));
    if (argc - first != 1)
        return pom_fail(msg, POM_ERR_ARGUMENT, "name the folder of the tables: pomona verify DEST");
    const struct pom_verify_options verify = {.destination = argv[first],
        .model = values.model,
        .rows = values.rows,
        .seed = values.seed,
        .cancel = pom_catch_interrupts(),
        .tell = tell};
    POM_TRY(pom_guard_check(&values.guard, NULL, 0, verify.destination, verify.cancel, msg));
    POM_TRY(pom_verify_run(&verify, &report, msg));
    if (!values.quiet)
        summarize(&values, &report);
    for (int i = POM_VERIFIED_DIFFERENT; i < POM_VERIFIED_COUNT; i++)
        if (report.count[i])
            *exit_code = POM_EXIT_PARTIAL;
    return POM_OK;
}

const struct pom_verb pom_cmd_verify = {
    .name = "verify",
    .summary = "Computes random rows of a table again from their images, and compares them bit by bit.",
    .usage = "DEST [OPTION]...",
    .options = options,
    .run = run,
    .details =
        "DEST is that of `pomona features`. Its run.json says which network and settings the table was made with; the\n"
        "network's SHA-256 has to be the same. Each row that is not confirmed is a line of the standard output, with "
        "tabs:\n"
        "\n"
        "  different  path  the features are not those of this image, which has not changed since\n"
        "  changed    path  the image is another one since; `pomona features` would read it again\n"
        "  gone       path  the image is not there any more\n"
        "  failed     path  the image cannot be read any more\n"
        "\n"
        "That an image has changed is known from the job's manifest; where that is gone, its row is `different`.\n"
        "\n"
        "Exit status: 0 all of them are the same; 1 nothing could be checked, or not the whole table; 2 some rows are\n"
        "not confirmed.\n"
        "\n"
        "Examples:\n"
        "  pomona verify out\n"
        "  pomona verify s3://bucket/out --rows 1000\n",
};
