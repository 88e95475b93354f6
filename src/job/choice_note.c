/* The note on a choice: "PRECISION CALIBRATED CHECKED", then a line "PRECISION MEAN MINIMUM" for each trial. */
#include "job/choice.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum pom_status pom_choice_write(struct pom_manifest *manifest, const struct pom_choice *choice,
    const struct pom_buffer *calibration, struct pom_message *msg) {
    struct pom_buffer text = {0};
    bool written =
        pom_buffer_printf(&text, "%s %d %d", pom_precision_name(choice->used), choice->calibrated, choice->checked);
    for (int i = 0; i < choice->n_trials && written; i++)
        written = pom_buffer_printf(&text, "\n%s %.17g %.17g", pom_precision_name(choice->trials[i].precision),
            choice->trials[i].mean, choice->trials[i].minimum);
    enum pom_status status = written ? pom_manifest_set(manifest, POM_NOTE_PRECISION, text.data, msg)
                                     : pom_fail_memory(msg, "the precision");
    pom_buffer_clean_up(&text);
    POM_TRY(status);
    POM_TRY(pom_manifest_set_bytes(manifest, POM_NOTE_CALIBRATION, calibration->data, calibration->size, msg));
    return pom_manifest_commit(manifest, msg);
}

static bool parse_precision(const char *name, enum pom_precision *out) {
    for (int i = POM_PRECISION_EXACT; i <= POM_PRECISION_INT8; i++) {
        *out = (enum pom_precision)i;
        if (strcmp(name, pom_precision_name(*out)) == 0)
            return true;
    }
    return false;
}

/* The word at *text, and *text behind it. */
static bool take_precision(const char **text, enum pom_precision *out) {
    char name[8];
    size_t n = strcspn(*text, " \n");
    snprintf(name, sizeof name, "%.*s", n < sizeof name ? (int)n : 0, *text);
    *text += n;
    return parse_precision(name, out);
}

static bool take_count(const char **text, int *out) {
    char *end;
    long number = strtol(*text, &end, 10);
    bool good = end > *text && number >= 0 && number <= INT_MAX;
    *out = good ? (int)number : 0;
    *text = end;
    return good;
}

static bool take_cosine(const char **text, double *out) {
    char *end;
    *out = strtod(*text, &end);
    bool good = end > *text;
    *text = end;
    return good;
}

static bool parse(const char *text, struct pom_choice *out) {
    *out = (struct pom_choice){0};
    if (!take_precision(&text, &out->used) || !take_count(&text, &out->calibrated) || !take_count(&text, &out->checked))
        return false;
    while (*text == '\n' && out->n_trials < (int)(sizeof out->trials / sizeof *out->trials)) {
        struct pom_trial *trial = &out->trials[out->n_trials++];
        text++;
        if (!take_precision(&text, &trial->precision) || !take_cosine(&text, &trial->mean) ||
            !take_cosine(&text, &trial->minimum))
            return false;
    }
    return true;
}

enum pom_status pom_choice_read(struct pom_manifest *manifest, struct pom_choice *out, struct pom_buffer *calibration,
    bool *found, struct pom_message *msg) {
    struct pom_manifest_counts counts = {0};
    struct pom_buffer text = {0};
    POM_TRY(pom_manifest_count(manifest, &counts, msg));
    enum pom_status status = pom_manifest_get(manifest, POM_NOTE_PRECISION, &text, msg);
    *found = status == POM_OK && counts.rows > 0 && text.size > 0;
    if (*found && !parse(text.data, out))
        status = pom_fail(msg, POM_ERR_FORMAT, "the manifest's note on the precision is damaged: --fresh starts anew");
    pom_buffer_clean_up(&text);
    POM_TRY(status);
    return *found ? pom_manifest_get(manifest, POM_NOTE_CALIBRATION, calibration, msg) : POM_OK;
}
