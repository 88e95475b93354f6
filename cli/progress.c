#include "progress.h"
#include "say.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LABELS_SHOWN = 10 };
static const double sparse_every_s = 10, terminal_every_s = 0.1;

void pom_progress_init(struct pom_progress *progress, bool quiet) {
    *progress = (struct pom_progress){.quiet = quiet, .terminal = isatty(STDERR_FILENO), .begun_s = -1};
    pthread_mutex_init(&progress->mutex, NULL);
}

const char *pom_print_count(uint64_t count, char out[POM_COUNT_BYTES]) {
    char digits[POM_COUNT_BYTES];
    int n = snprintf(digits, sizeof digits, "%" PRIu64, count), to = 0;
    for (int i = 0; i < n; i++) {
        if (i > 0 && (n - i) % 3 == 0)
            out[to++] = ',';
        out[to++] = digits[i];
    }
    out[to] = '\0';
    return out;
}

static const char *plural(uint64_t count) {
    return count == 1 ? "" : "s";
}

static void clear_line(struct pom_progress *progress) {
    if (progress->shown)
        fputs("\r\033[K", stderr);
    progress->shown = false;
}

/* "35 s", "4 min" or "2.5 h". */
static const char *print_duration(double seconds, char *out, size_t size) {
    if (seconds < 100)
        snprintf(out, size, "%.0f s", seconds);
    else if (seconds < 5400)
        snprintf(out, size, "%.0f min", seconds / 60);
    else
        snprintf(out, size, "%.1f h", seconds / 3600);
    return out;
}

static void print_images(const struct pom_progress *state, const struct pom_features_progress *p) {
    char done[POM_COUNT_BYTES], listed[POM_COUNT_BYTES], errors[POM_COUNT_BYTES], left[32];
    double elapsed = p->seconds - state->begun_s, rate = elapsed > 0 ? (double)p->computed / elapsed : 0;
    pom_say(stderr, "%s/%s images%s", pom_print_count(p->done, done), pom_print_count(p->listed, listed),
        p->listing ? " listed so far" : "");
    if (rate > 0)
        pom_say(stderr, ", %.1f/s", rate);
    if (p->errors)
        pom_say(stderr, ", %s failed", pom_print_count(p->errors, errors));
    if (rate > 0 && !p->listing)
        pom_say(stderr, ", %s left", print_duration((double)(p->listed - p->done) / rate, left, sizeof left));
}

static void print_line(struct pom_progress *state, const struct pom_features_progress *p) {
    char count[POM_COUNT_BYTES];
    if (state->terminal)
        fputs("\r", stderr);
    if (p->phase == POM_PHASE_CALIBRATE)
        pom_say(stderr, "calibrating: %" PRIu64 " of %" PRIu64 " images", p->done, p->listed);
    else if (p->phase == POM_PHASE_IMAGES)
        print_images(state, p);
    else if (p->phase == POM_PHASE_TABLES)
        pom_say(stderr, "writing tables: %s rows", pom_print_count(p->done, count));
    else
        pom_say(stderr, "principal components of %s rows", pom_print_count(p->done, count));
    fputs(state->terminal ? "\033[K" : "\n", stderr);
    fflush(stderr);
    state->shown = state->terminal;
    state->printed_s = p->seconds;
}

static void on_progress(void *user, const struct pom_features_progress *p) {
    struct pom_progress *state = user;
    pthread_mutex_lock(&state->mutex);
    if (state->begun_s < 0 && p->phase != POM_PHASE_CALIBRATE)
        state->begun_s = state->printed_s = p->seconds;
    double every = state->terminal ? terminal_every_s : sparse_every_s;
    if (!state->quiet && (p->seconds - state->printed_s >= every || (state->terminal && p->phase == POM_PHASE_PCA)))
        print_line(state, p);
    pthread_mutex_unlock(&state->mutex);
}

static void on_warning(void *user, const char *text) {
    struct pom_progress *state = user;
    pthread_mutex_lock(&state->mutex);
    clear_line(state);
    pom_say(stderr, "pomona: warning: %s\n", text);
    pthread_mutex_unlock(&state->mutex);
}

struct pom_features_events pom_progress_events(struct pom_progress *progress) {
    return (struct pom_features_events){.progress = on_progress, .warn = on_warning, .user = progress};
}

void pom_progress_clean_up(struct pom_progress *progress) {
    clear_line(progress);
    pthread_mutex_destroy(&progress->mutex);
}

static void print_labels(const struct pom_features_report *report) {
    char count[POM_COUNT_BYTES];
    size_t shown = report->n_labels < LABELS_SHOWN ? report->n_labels : LABELS_SHOWN;
    uint64_t others = 0;
    if (report->n_labels)
        pom_say(stderr, "%10s  label\n", "rows");
    for (size_t i = 0; i < report->n_labels; i++) {
        const struct pom_label_count *label = &report->labels[i];
        if (i < shown)
            pom_say(stderr, "%10s  %s\n", pom_print_count(label->rows, count), *label->label ? label->label : "(none)");
        else
            others += label->rows;
    }
    if (others)
        pom_say(stderr, "%10s  in %zu more label%s\n", pom_print_count(others, count), report->n_labels - shown,
            plural(report->n_labels - shown));
}

static void print_errors(const struct pom_features_options *options, const struct pom_features_report *report) {
    char count[POM_COUNT_BYTES];
    const char *slash = options->destination[strlen(options->destination) - 1] == '/' ? "" : "/";
    if (report->errors)
        pom_say(stderr, "%s failed: %s%serrors.%s says why, --retry-failed reads again\n",
            pom_print_count(report->errors, count), options->destination, slash, pom_format_name(options->format));
    if (report->unlabelled)
        pom_say(stderr, "%s %s an empty label: no match with --label\n", pom_print_count(report->unlabelled, count),
            report->unlabelled == 1 ? "has" : "have");
    if (report->skipped)
        pom_say(stderr, "%s other file%s passed over: not named as images are\n",
            pom_print_count(report->skipped, count), report->skipped == 1 ? " was" : "s were");
}

/* Of what was tried; a warning has told of what was refused. */
static void print_precision(const struct pom_choice *choice) {
    for (int i = 0; i < choice->n_trials; i++)
        if (choice->trials[i].precision == choice->used)
            pom_say(stderr, "%s: mean cosine to exact %.6f, least %.6f, on %d image%s\n",
                pom_precision_name(choice->used), choice->trials[i].mean, choice->trials[i].minimum, choice->checked,
                plural((uint64_t)choice->checked));
    if (choice->calibrated && choice->used == POM_PRECISION_EXACT)
        pom_say(stderr, "precision exact: no other would do\n");
}

static void print_result(const struct pom_features_options *options, const struct pom_features_report *report) {
    char rows[POM_COUNT_BYTES], carried[POM_COUNT_BYTES];
    uint64_t done = report->computed + report->failed;
    if (report->up_to_date) {
        pom_say(stderr, "%s is up to date: %s row%s, nothing had changed (%.2f s)\n", options->destination,
            pom_print_count(report->rows, rows), plural(report->rows), report->total_s);
        return;
    }
    print_labels(report);
    pom_say(stderr, "%s row%s, %zu label%s, %zu feature%s in %s: %.2f s", pom_print_count(report->rows, rows),
        plural(report->rows), report->n_labels, plural(report->n_labels), report->features, plural(report->features),
        options->destination, report->total_s);
    if (report->computed && report->images_s > 0)
        pom_say(stderr, ", %.1f images/s", (double)report->computed / report->images_s);
    if (report->listed > done)
        pom_say(stderr, ", %s carried over", pom_print_count(report->listed - done, carried));
    if (report->dropped)
        pom_say(stderr, ", %s dropped", pom_print_count(report->dropped, carried));
    fputs("\n", stderr);
    print_precision(&report->choice);
    if (report->components)
        pom_say(stderr, "%zu principal component%s %.1f %% of the variance\n", report->components,
            report->components == 1 ? " holds" : "s hold", 100 * report->explained);
}

/* "CPU 19.8 s: infer 94.1 %, decode 2.6 %, ..." of what takes a thousandth or more. */
static void print_work(const struct pom_features_report *report) {
    const char *comma = "";
    pom_say(stderr, "CPU %.1f s: ", report->cpu_s);
    for (int i = 0; i < POM_WORK_COUNT; i++) {
        double share = report->work[i].cpu_s / report->cpu_s;
        if (!(share >= 0.001))
            continue;
        pom_say(stderr, "%s%s %.1f %%", comma, pom_work_name((enum pom_work)i), 100 * share);
        comma = ", ";
    }
    fputs("\n", stderr);
}

void pom_progress_summary(struct pom_progress *progress, const struct pom_features_options *options,
    const struct pom_features_report *report) {
    clear_line(progress);
    if (progress->quiet)
        return;
    print_result(options, report);
    if (!report->up_to_date)
        print_work(report);
    print_errors(options, report);
}
