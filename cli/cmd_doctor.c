#include "access.h"
#include "commands.h"
#include "doctor.h"
#include "interrupt.h"
#include "say.h"

#include "base/status.h"
#include <stdbool.h>
#include <stdio.h>

struct values {
    bool read_only;
    struct pom_access access;
};

static const struct pom_option options[] = {
    {"read-only", 0, NULL, "try no permission that writing takes", pom_option_switch,
        offsetof(struct values, read_only)},
    POM_OPTIONS_ACCESS(offsetof(struct values, access)),
    {0},
};

struct count {
    int warnings, bad;
};

static void tell(void *user, enum pom_finding finding, const char *topic, const char *text) {
    static const char *const words[] = {"ok", "note", "WARN", "BAD"};
    struct count *count = user;
    count->warnings += finding == POM_FINDING_WARNING;
    count->bad += finding == POM_FINDING_BAD;
    pom_say(stdout, "%-5s %-10s %s\n", words[finding], topic, text);
    fflush(stdout);
}

static enum pom_status run(int argc, char **argv, enum pom_exit *exit_code, struct pom_message *msg) {
    struct values values = {0};
    struct count count = {0};
    int first;
    POM_TRY(pom_options_parse(options, argc, argv, &values, &first, msg));
    POM_TRY(pom_access_apply(&values.access, msg));
    const struct pom_examiner examiner = {tell, &count};
    const atomic_bool *cancel = pom_catch_interrupts();
    pom_doctor_machine(&examiner);
    for (int i = first; i < argc; i++) {
        putchar('\n');
        pom_say(stdout, "%s\n", argv[i]);
        pom_doctor_place(argv[i], !values.read_only, cancel, &examiner);
    }
    if (count.bad || count.warnings)
        printf("\n%d bad, %d to look at\n", count.bad, count.warnings);
    else
        printf("\nall is well\n");
    if (count.bad)
        *exit_code = POM_EXIT_FAILED;
    return POM_OK;
}

const struct pom_verb pom_cmd_doctor = {
    .name = "doctor",
    .summary = "Finds what stands in the way of a job: machine, network, credentials, permissions.",
    .usage = "[URI]... [OPTION]...",
    .options = options,
    .run = run,
    .details =
        "Without URI it looks at this machine: processor and precisions, threads and memory that are allowed, open\n"
        "files, disk, network, proxy and certificates. With URI, a folder or a bucket, also at who asks there and "
        "from\n"
        "where those credentials are (never the secret), the region, clocks, whether the world can read it, and it\n"
        "tries one by one what a job needs: list, get, and put, upload in parts and delete, with an object of a name\n"
        "of its own.\n"
        "\n"
        "Each line is ok, note, WARN or BAD. Exit status: 0 nothing is BAD; 1 something is.\n"
        "\n"
        "Examples:\n"
        "  pomona doctor\n"
        "  pomona doctor --read-only s3://photos/fruits\n"
        "  pomona doctor s3://tables/out\n",
};
