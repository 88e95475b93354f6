#include "access.h"
#include "commands.h"
#include "guard.h"
#include "interrupt.h"
#include "progress.h"
#include "say.h"

#include "base/resources.h"
#include "base/status.h"
#include "store/store.h"
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FLUSH_MS = 200 /* a listing that comes slowly is seen as it comes */ };

struct values {
    bool details, null;
    struct pom_guard guard;
    struct pom_access access;
    uint64_t limit;
};

struct listing {
    struct values values;
    bool terminal; /* names may hold what a terminal would obey */
    bool local;    /* versions are times */
    uint64_t objects, bytes, refused, flushed_ns;
};

#define AT(member) offsetof(struct values, member)
static const struct pom_option options[] = {
    {"long", 'l', NULL,
        "size in bytes, version (a file's time of change in UTC, an object's etag)\nand path, with tabs",
        pom_option_switch, AT(details)},
    {"null", '0', NULL, "end each line with a NUL byte, for xargs -0: names may hold newlines", pom_option_switch,
        AT(null)},
    POM_OPTION_EU_ONLY(AT(guard)),
    POM_OPTIONS_ACCESS(AT(access)),
    {"limit", 0, "N", "only the first N (default: all)", pom_option_total, AT(limit)},
    {0},
};
#undef AT

/* "1763742794.123456789" as "2025-11-21T16:33:14.123456789Z". */
static void print_time(const char *version, char *out, size_t size) {
    char *fraction;
    time_t seconds = (time_t)strtoll(version, &fraction, 10);
    struct tm utc;
    size_t n = gmtime_r(&seconds, &utc) ? strftime(out, size, "%Y-%m-%dT%H:%M:%S", &utc) : 0;
    snprintf(out + n, size - n, "%sZ", fraction);
}

/* A reader that has seen enough, as head(1) has, ends us as any filter is ended. */
static enum pom_status check_output(struct pom_message *msg) {
    if (!ferror(stdout))
        return POM_OK;
    if (errno == EPIPE) {
        signal(SIGPIPE, SIG_DFL);
        raise(SIGPIPE);
    }
    return pom_fail_errno(msg, POM_ERR_IO, "cannot write to the standard output");
}

static void print_entry(const struct listing *listing, const struct pom_store_entry *entry) {
    char version[64];
    if (listing->values.details) {
        if (listing->local)
            print_time(entry->version, version, sizeof version);
        printf("%" PRIu64 "\t%s\t", entry->size, listing->local ? version : entry->version);
    }
    if (listing->terminal)
        pom_say(stdout, "%s", entry->path);
    else
        fputs(entry->path, stdout);
    putchar(listing->values.null ? '\0' : '\n');
}

static enum pom_status visit(void *user, const struct pom_store_entry *entry, struct pom_message *msg) {
    struct listing *listing = user;
    if (listing->values.limit && listing->objects == listing->values.limit)
        return POM_ERR_CANCELLED;
    print_entry(listing, entry);
    listing->objects++;
    listing->bytes += entry->size;
    uint64_t now = pom_now_ns();
    if (now - listing->flushed_ns > FLUSH_MS * UINT64_C(1000000)) {
        fflush(stdout);
        listing->flushed_ns = now;
    }
    return check_output(msg);
}

static enum pom_status refuse(void *user, const char *path, const char *cause, struct pom_message *msg) {
    struct listing *listing = user;
    (void)msg;
    listing->refused++;
    pom_say(stderr, "pomona ls: %s: %s\n", path, cause);
    return POM_OK;
}

static enum pom_status list(struct listing *listing, const char *location, struct pom_message *msg) {
    const atomic_bool *cancel = pom_catch_interrupts();
    POM_TRY(pom_guard_check(&listing->values.guard, &location, 1, NULL, cancel, msg));
    struct pom_store *store;
    POM_TRY(pom_store_open(location, false, cancel, &store, msg));
    const struct pom_store_visitor visitor = {visit, refuse, listing};
    listing->local = !strstr(pom_store_prefix(store), "://");
    enum pom_status status = pom_store_list(store, &visitor, msg);
    pom_store_close(store);
    bool enough = listing->values.limit && listing->objects == listing->values.limit;
    if (status == POM_ERR_CANCELLED)
        status = enough ? POM_OK : pom_fail(msg, status, "interrupted after %" PRIu64 " objects", listing->objects);
    fflush(stdout);
    return status == POM_OK ? check_output(msg) : status;
}

static void summarize(const struct listing *listing) {
    char objects[POM_COUNT_BYTES], bytes[POM_COUNT_BYTES];
    if (isatty(STDERR_FILENO))
        pom_say(stderr, "%s object%s, %s bytes\n", pom_print_count(listing->objects, objects),
            listing->objects == 1 ? "" : "s", pom_print_count(listing->bytes, bytes));
}

static enum pom_status run(int argc, char **argv, enum pom_exit *exit_code, struct pom_message *msg) {
    struct listing listing = {.flushed_ns = pom_now_ns()};
    int first;
    POM_TRY(pom_options_parse(options, argc, argv, &listing.values, &first, msg));
    POM_TRY(pom_access_apply(&listing.values.access, msg));
    if (argc - first != 1)
        return pom_fail(msg, POM_ERR_ARGUMENT, "name one place: pomona ls URI");
    listing.terminal = isatty(STDOUT_FILENO) && !listing.values.null;
    POM_TRY(list(&listing, argv[first], msg));
    summarize(&listing);
    if (listing.refused)
        *exit_code = POM_EXIT_PARTIAL;
    return POM_OK;
}

const struct pom_verb pom_cmd_ls = {
    .name = "ls",
    .summary = "What a folder or bucket holds, one object a line, as it is found.",
    .usage = "URI [OPTION]...",
    .options = options,
    .run = run,
    .details = "URI is a local path, s3://BUCKET/FOLDER, gs://BUCKET/FOLDER or hdfs://HOST:PORT/FOLDER. All below it "
               "is listed in byte order of path, whatever it "
               "is; names\n"
               "that begin with a dot are left out, as `pomona features` leaves them out.\n"
               "\n"
               "Exit status: 0 all was listed; 1 nothing could be; 2 some folders could not be, and the standard error "
               "says why.\n"
               "\n"
               "Examples:\n"
               "  pomona ls s3://bucket/photos | wc -l\n"
               "  pomona ls -l photos | sort -n | tail          (the largest)\n"
               "  pomona ls -0 photos | xargs -0 file\n",
};
