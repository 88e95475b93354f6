/* The settings that decide what stands in the tables, noted in the manifest under the names of their options. */
#include "job/destination.h"
#include "job/label.h"
#include <stdio.h>
#include <string.h>

enum { SHOWN = 80, BEFORE = 30 }; /* bytes of a value in the message, and of those how many before a difference */

struct check {
    struct pom_job *job;
    bool fresh;                    /* nothing was made with the settings that are noted */
    struct pom_buffer noted;       /* value in the manifest */
    struct pom_buffer differences; /* for the message */
};

static size_t common_prefix(const char *a, const char *b) {
    size_t n = 0;
    while (a[n] && a[n] == b[n])
        n++;
    return n;
}

/* A long value is shown around the place where it differs. */
static bool add_value(struct pom_buffer *out, const char *value, size_t same) {
    size_t from = same > BEFORE && strlen(value) > SHOWN ? same - BEFORE : 0;
    while (from > 0 && ((unsigned char)value[from] & 0xC0) == 0x80) /* within a character */
        from--;
    const char *shown = value + from;
    return pom_buffer_printf(out, "%s%.*s%s", from ? "..." : "", SHOWN, shown, strlen(shown) > SHOWN ? "..." : "");
}

static enum pom_status check(struct check *check, const char *option, const char *value, struct pom_message *msg) {
    struct pom_manifest *manifest = check->job->manifest;
    POM_TRY(pom_manifest_get(manifest, option, &check->noted, msg));
    if (!check->noted.size || check->fresh)
        return pom_manifest_set(manifest, option, value, msg);
    if (strcmp(check->noted.data, value) == 0)
        return POM_OK;
    struct pom_buffer *text = &check->differences;
    size_t same = common_prefix(check->noted.data, value);
    bool added = pom_buffer_printf(text, "%s%s was ", text->size ? "; " : "", option) &&
                 add_value(text, check->noted.data, same) && pom_buffer_text(text, ", is ") &&
                 add_value(text, value, same);
    return added ? POM_OK : pom_fail_memory(msg, "the settings");
}

static enum pom_status check_switch(struct check *state, const char *option, bool on, struct pom_message *msg) {
    return check(state, option, on ? "on" : "off", msg);
}

static enum pom_status check_number(struct check *state, const char *option, uint64_t number, struct pom_message *msg) {
    char text[32] = "none";
    if (number)
        snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    return check(state, option, text, msg);
}

static enum pom_status check_sources(struct check *state, struct pom_message *msg) {
    struct pom_buffer all = {0};
    bool added = pom_buffer_text(&all, "");
    for (int i = 0; i < state->job->n_sources && added; i++)
        added = pom_buffer_printf(&all, "%s%s", i ? " " : "", pom_store_prefix(state->job->sources[i]));
    enum pom_status status = added ? check(state, "SRC", all.data, msg) : pom_fail_memory(msg, "the settings");
    pom_buffer_clean_up(&all);
    return status;
}

static enum pom_status check_model(struct check *state, struct pom_message *msg) {
    const struct pom_model_info *info = state->job->info;
    char text[256];
    snprintf(
        text, sizeof text, "%.100s (SHA-256 %s)", info->name, info->sha256 && *info->sha256 ? info->sha256 : "none");
    POM_TRY(check(state, "--model", text, msg));
    POM_TRY(
        check(state, "--output-layer", info->output_layer && *info->output_layer ? info->output_layer : "none", msg));
    POM_TRY(check(state, "--preprocess", info->preprocess ? info->preprocess : "none", msg));
    snprintf(text, sizeof text, "%dx%d", info->width, info->height);
    return check(state, "--size", text, msg);
}

static enum pom_status check_pca(struct check *state, struct pom_message *msg) {
    const struct pom_features_options *options = state->job->options;
    char text[32] = "none";
    if (options->pca.k)
        snprintf(text, sizeof text, "%zu", options->pca.k);
    else if (options->pca.variance > 0)
        snprintf(text, sizeof text, "%.9g", options->pca.variance);
    POM_TRY(check(state, "--pca", text, msg));
    POM_TRY(check_switch(state, "--no-scale", options->pca.no_scale, msg));
    POM_TRY(check_switch(state, "--no-center", options->pca.no_center, msg));
    return check_switch(state, "--keep-scaled", options->keep_scaled, msg);
}

static enum pom_status check_precision(struct check *state, struct pom_message *msg) {
    const struct pom_features_options *options = state->job->options;
    char text[32];
    POM_TRY(check(state, "--precision", pom_wish_name(options->precision), msg));
    snprintf(text, sizeof text, "%.9g", state->job->min_cosine);
    return options->precision ? check(state, "--min-cosine", text, msg) : POM_OK;
}

static enum pom_status check_all(struct check *state, struct pom_message *msg) {
    const struct pom_features_options *options = state->job->options;
    POM_TRY(check_sources(state, msg));
    POM_TRY(check_model(state, msg));
    POM_TRY(check(state, "--resize", pom_filter_name(options->filter), msg));
    POM_TRY(check(state, "--label", state->job->label, msg));
    POM_TRY(check_pca(state, msg));
    POM_TRY(check(state, "--format", pom_format_name(options->format), msg));
    POM_TRY(check(state, "--vectors", options->spark_vectors ? "spark" : "list", msg));
    POM_TRY(check_precision(state, msg));
    return check_number(state, "--limit", options->limit, msg);
}

/* Neither a row nor a table: an earlier run has ended before its first. */
static enum pom_status check_fresh(struct check *state, struct pom_message *msg) {
    struct pom_manifest_counts counts = {0};
    POM_TRY(pom_manifest_count(state->job->manifest, &counts, msg));
    POM_TRY(pom_manifest_get(state->job->manifest, POM_NOTE_FILES, &state->noted, msg));
    state->fresh = counts.rows == 0 && counts.errors == 0 && state->noted.size == 0;
    return POM_OK;
}

enum pom_status pom_settings_check(struct pom_job *job, struct pom_message *msg) {
    struct check state = {.job = job};
    enum pom_status status = check_fresh(&state, msg);
    if (status == POM_OK)
        status = check_all(&state, msg);
    if (status == POM_OK && state.differences.size)
        status = pom_fail(msg, POM_ERR_CONFLICT,
            "%s was made with other settings: use the same, another -o, or --fresh to replace it (%.300s)",
            job->options->destination, state.differences.data);
    pom_buffer_clean_up(&state.noted);
    pom_buffer_clean_up(&state.differences);
    return status;
}
