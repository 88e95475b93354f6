#include "job/verify.h"

#include "base/file.h"
#include "base/memory.h"
#include "job/choice.h"
#include "job/feature_table.h"
#include "job/lock.h"
#include "job/made_with.h"
#include "job/state.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const size_t most_image_bytes = (size_t)1 << 30;

struct verify {
    const struct pom_verify_options *options;
    struct pom_verify_report *report;
    struct pom_store *store; /* the destination */
    struct pom_made_with made;
    struct pom_manifest *manifest; /* NULL where there is none */
    struct pom_buffer manifest_path;
    struct pom_manifest_cursor *cursor;
    const struct pom_manifest_row *known; /* the cursor's, not before the row at hand */
    struct pom_model *model;
    struct pom_featurizer *featurizer;
    struct pom_store **sources; /* as in the receipt; NULL where one is gone */
    size_t n_sources;
    float *features;         /* computed */
    struct pom_buffer image; /* as stored */
    uint64_t random;
};

/* Vigna's splitmix64, 2015. */
static uint64_t next_random(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Of a local destination its own, of a bucket a copy. */
static enum pom_status find_manifest(struct verify *self, struct pom_message *msg) {
    struct pom_buffer *path = &self->manifest_path;
    if (pom_store_reads_ahead(self->store))
        return pom_state_fetch(self->store, path, msg);
    if (!pom_buffer_printf(path, "%s/manifest.sqlite", pom_store_staging(self->store)))
        return pom_fail_memory(msg, "the manifest");
    if (!pom_file_exists(path->data))
        path->size = 0;
    return POM_OK;
}

static enum pom_status open_manifest(struct verify *self, struct pom_message *msg) {
    POM_TRY(find_manifest(self, msg));
    if (!self->manifest_path.size)
        return POM_OK;
    POM_TRY(pom_manifest_open(self->manifest_path.data, &self->manifest, msg));
    POM_TRY(pom_manifest_cursor_new(self->manifest, &self->cursor, msg));
    return pom_manifest_cursor_next(self->cursor, &self->known, msg);
}

/* What was fetched of a bucket is a copy. */
static void drop_copy(const struct verify *self, const struct pom_buffer *path) {
    if (path->size && pom_store_reads_ahead(self->store))
        unlink(path->data);
}

static enum pom_status read_calibration(struct verify *self, struct pom_buffer *out, struct pom_message *msg) {
    struct pom_choice choice;
    bool found = false;
    if (self->made.precision == POM_PRECISION_EXACT)
        return POM_OK;
    if (self->manifest)
        POM_TRY(pom_choice_read(self->manifest, &choice, out, &found, msg));
    if (found && (out->size || self->made.precision == POM_PRECISION_BF16)) /* bf16 of a network without one */
        return POM_OK;
    return pom_fail(msg, POM_ERR_NOT_FOUND,
        "%s holds %s features, and the calibration that they were computed with stands in the job's manifest, which "
        "is gone",
        pom_store_prefix(self->store), pom_precision_name(self->made.precision));
}

static enum pom_status check_model(const struct verify *self, struct pom_message *msg) {
    const struct pom_model_info *info = pom_model_info(self->model);
    const struct pom_made_with *made = &self->made;
    const char *is = info->sha256 ? info->sha256 : "", *was = made->sha256 ? made->sha256 : "";
    if (strcmp(is, was) != 0)
        return pom_fail(msg, POM_ERR_CONFLICT,
            "%s was made with model %s of SHA-256 %.16s..., and %s has %.16s...: name the one that it was with --model",
            pom_store_prefix(self->store), made->model, *was ? was : "none", info->path ? info->path : info->name,
            *is ? is : "none");
    if (info->width != made->width || info->height != made->height)
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "%s was made with images of %dx%d, which %s does not take now",
            pom_store_prefix(self->store), made->width, made->height, info->name);
    return POM_OK;
}

static const char *model_to_load(const struct verify *self) {
    const struct pom_made_with *made = &self->made;
    if (self->options->model)
        return self->options->model;
    return made->model_file && pom_file_exists(made->model_file) ? made->model_file : made->model;
}

static enum pom_status load_model(struct verify *self, struct pom_message *msg) {
    const struct pom_made_with *made = &self->made;
    struct pom_buffer calibration = {0};
    POM_TRY(read_calibration(self, &calibration, msg));
    const struct pom_model_options options = {
        .output_layer = made->output_layer,
        .preprocess = made->preprocess,
        .size = made->width == made->height ? made->width : 0,
        .precision = made->precision,
        .calibration = {calibration.data, calibration.size},
    };
    enum pom_status status = pom_model_load(model_to_load(self), &options, &self->model, msg);
    pom_buffer_clean_up(&calibration);
    POM_TRY(status);
    POM_TRY(check_model(self, msg));
    const struct pom_featurizer_options featurizer = {.filter = made->filter, .max_batch = 1};
    const struct pom_model_info *info = pom_model_info(self->model);
    self->features = pom_alloc_aligned(info->features, sizeof *self->features);
    if (!self->features)
        return pom_fail_memory(msg, "a row of features");
    self->report->features = info->features;
    snprintf(self->report->model, sizeof self->report->model, "%s", info->name);
    snprintf(self->report->precision, sizeof self->report->precision, "%s", pom_precision_name(info->precision));
    return pom_featurizer_new(self->model, &featurizer, &self->featurizer, msg);
}

/* One that is gone is told of with its rows. */
static enum pom_status open_sources(struct verify *self, struct pom_message *msg) {
    self->n_sources = json_array_size(self->made.sources);
    self->sources = pom_calloc(self->n_sources + 1, sizeof(struct pom_store *));
    if (!self->sources)
        return pom_fail_memory(msg, "the sources");
    for (size_t i = 0; i < self->n_sources; i++) {
        const char *prefix = json_string_value(json_array_get(self->made.sources, i));
        struct pom_message why = {0};
        enum pom_status status =
            prefix ? pom_store_open(prefix, false, self->options->cancel, &self->sources[i], &why) : POM_ERR_NOT_FOUND;
        if (status != POM_OK && status != POM_ERR_NOT_FOUND)
            return pom_fail(msg, status, "%s", why.text);
    }
    return POM_OK;
}

static struct pom_store *source_of(const struct verify *self, const char *path) {
    for (size_t i = 0; i < self->n_sources; i++)
        if (self->sources[i] &&
            strncmp(path, pom_store_prefix(self->sources[i]), strlen(pom_store_prefix(self->sources[i]))) == 0)
            return self->sources[i];
    return NULL;
}

/* Whether the image is another one than the manifest knows. Rows come in order of path, as the manifest's do. */
static enum pom_status has_changed(
    struct verify *self, struct pom_store *source, const char *path, bool *changed, struct pom_message *msg) {
    *changed = false;
    while (self->known && strcmp(self->known->path, path) < 0)
        POM_TRY(pom_manifest_cursor_next(self->cursor, &self->known, msg));
    if (!self->known || strcmp(self->known->path, path) != 0)
        return POM_OK;
    struct pom_buffer version = {0};
    enum pom_status status = pom_store_version(source, path + strlen(pom_store_prefix(source)), &version, msg);
    *changed = status == POM_OK && strcmp(version.data, self->known->version) != 0;
    pom_buffer_clean_up(&version);
    return status;
}

static uint32_t bits_of(float number) {
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits;
}

/* What the image gives is compared with the row's cell; why says more. POM_VERIFIED_DIFFERENT may still be a change. */
static enum pom_verified compare(
    struct verify *self, const struct pom_cell *cell, struct pom_message *why, enum pom_status *status) {
    const struct pom_bytes bytes = {self->image.data, self->image.size};
    enum pom_status decoded = POM_OK;
    *status = pom_featurize(self->featurizer, &bytes, 1, self->features, &decoded, why, why);
    size_t n = self->report->features;
    if (*status != POM_OK || decoded != POM_OK)
        return POM_VERIFIED_FAILED;
    if (cell->floats.size != n) {
        pom_fail(why, POM_ERR_FORMAT, "%zu features, not %zu", cell->floats.size, n);
        return POM_VERIFIED_DIFFERENT;
    }
    size_t different = 0, first = 0;
    for (size_t i = n; i-- > 0;) {
        if (bits_of(cell->floats.data[i]) == bits_of(self->features[i]))
            continue;
        different++;
        first = i;
    }
    if (different)
        pom_fail(why, POM_ERR_FORMAT, "%zu of %zu features, the first at %zu: %.9g in the table, %.9g of the image",
            different, n, first, (double)cell->floats.data[first], (double)self->features[first]);
    return different ? POM_VERIFIED_DIFFERENT : POM_VERIFIED_SAME;
}

static enum pom_status examine(struct verify *self, const char *path, const struct pom_cell *cell,
    enum pom_verified *what, struct pom_message *why, struct pom_message *msg) {
    struct pom_store *source = source_of(self, path);
    const struct pom_store_entry entry = {path, 0, ""};
    enum pom_status status = source ? pom_store_read(source, &entry, most_image_bytes, &self->image, why)
                                    : pom_fail(why, POM_ERR_NOT_FOUND, "its folder or bucket is not there");
    if (status == POM_ERR_NETWORK || status == POM_ERR_CANCELLED)
        return pom_fail(msg, status, "%s", why->text);
    *what = status == POM_OK              ? POM_VERIFIED_SAME
            : status == POM_ERR_NOT_FOUND ? POM_VERIFIED_GONE
                                          : POM_VERIFIED_FAILED;
    if (status != POM_OK)
        return POM_OK;
    *what = compare(self, cell, why, &status);
    if (status != POM_OK)
        return pom_fail(msg, status, "%s", why->text);
    bool changed = false;
    if (*what != POM_VERIFIED_SAME)
        POM_TRY(has_changed(self, source, path, &changed, msg));
    if (changed)
        *what = POM_VERIFIED_CHANGED;
    return POM_OK;
}

static enum pom_status verify_row(struct verify *self, const struct pom_cell *cells, struct pom_message *msg) {
    struct pom_message why = {0};
    enum pom_verified what;
    char *path = pom_strndup(cells[0].text.data, cells[0].text.size);
    if (!path)
        return pom_fail_memory(msg, "a row");
    enum pom_status status = examine(self, path, &cells[1], &what, &why, msg);
    if (status == POM_OK) {
        self->report->count[what]++;
        self->options->tell(self->options->user, what, path, what == POM_VERIFIED_SAME ? "" : why.text);
    }
    free(path);
    return status;
}

/* Every row is as likely as any other: algorithm S of Knuth, The Art of Computer Programming, 3.4.2. */
static bool is_picked(struct verify *self, uint64_t *wanted, uint64_t left) {
    if (*wanted == 0 || next_random(&self->random) % left >= *wanted)
        return false;
    --*wanted;
    return true;
}

static enum pom_status check_reader(
    const struct verify *self, const struct pom_table_reader *reader, const char *table, struct pom_message *msg) {
    const char *made = pom_table_metadata(reader, POM_MODEL_HASH_KEY);
    if (!made || !self->made.sha256 || strcmp(made, self->made.sha256) == 0)
        return POM_OK;
    return pom_fail(
        msg, POM_ERR_CONFLICT, "%s and run.json are of different runs: their models are not the same", table);
}

static enum pom_status read_rows(struct verify *self, struct pom_table_reader *reader, struct pom_message *msg) {
    uint64_t left = self->made.rows, wanted = self->options->rows;
    bool done = false;
    for (;;) {
        struct pom_cell cells[2];
        if (self->options->cancel && atomic_load(self->options->cancel))
            return pom_fail(msg, POM_ERR_CANCELLED, "interrupted");
        POM_TRY(pom_table_read(reader, cells, &done, msg));
        if (done || left == 0)
            break;
        if (is_picked(self, &wanted, left--))
            POM_TRY(verify_row(self, cells, msg));
        self->report->rows++;
    }
    if (!done || left)
        return pom_fail(msg, POM_ERR_FORMAT, "the table has %s rows than the %" PRIu64 " that run.json tells of",
            done ? "fewer" : "more", self->made.rows);
    return POM_OK;
}

static enum pom_status verify_table(struct verify *self, struct pom_message *msg) {
    static const struct pom_column wanted[] = {{"path", POM_COLUMN_STRING}, {"features", POM_COLUMN_FLOAT_LIST}};
    char name[32];
    struct pom_buffer path = {0};
    struct pom_table_reader *reader = NULL;
    snprintf(name, sizeof name, "features.%s", pom_format_name(self->made.format));
    enum pom_status status = pom_store_fetch(self->store, name, &path, msg);
    if (status == POM_OK)
        status = pom_table_open(path.data, wanted, 2, &reader, msg);
    if (status == POM_OK)
        status = check_reader(self, reader, path.data, msg);
    if (status == POM_OK)
        status = read_rows(self, reader, msg);
    pom_table_close(reader);
    drop_copy(self, &path);
    pom_buffer_clean_up(&path);
    return status == POM_OK ? status : pom_fail_in(msg, status, "%s%s", pom_store_prefix(self->store), name);
}

static enum pom_status verify_all(struct verify *self, struct pom_message *msg) {
    POM_TRY(pom_made_with_read(self->store, &self->made, msg));
    POM_TRY(open_manifest(self, msg));
    POM_TRY(load_model(self, msg));
    POM_TRY(open_sources(self, msg));
    return verify_table(self, msg);
}

static void clean_up(struct verify *self) {
    pom_featurizer_free(self->featurizer);
    pom_model_free(self->model);
    pom_manifest_cursor_free(self->cursor);
    pom_manifest_close(self->manifest);
    drop_copy(self, &self->manifest_path);
    pom_buffer_clean_up(&self->manifest_path);
    for (size_t i = 0; i < self->n_sources; i++)
        pom_store_close(self->sources[i]);
    free(self->sources);
    free(self->features);
    pom_buffer_clean_up(&self->image);
    pom_made_with_clean_up(&self->made);
}

/* A folder that is not there is not made. */
static enum pom_status open_destination(struct verify *self, struct pom_message *msg) {
    const struct pom_verify_options *options = self->options;
    struct pom_store *there = NULL;
    POM_TRY(pom_store_open(options->destination, false, options->cancel, &there, msg));
    pom_store_close(there);
    return pom_store_open(options->destination, true, options->cancel, &self->store, msg);
}

enum pom_status pom_verify_run(
    const struct pom_verify_options *options, struct pom_verify_report *report, struct pom_message *msg) {
    struct verify self = {.options = options, .report = report, .random = options->seed};
    int lock;
    *report = (struct pom_verify_report){0};
    POM_TRY(open_destination(&self, msg));
    enum pom_status status = pom_lock_take(self.store, &lock, msg);
    if (status == POM_OK) {
        status = verify_all(&self, msg);
        clean_up(&self);
        pom_lock_discard(self.store);
        close(lock);
    }
    pom_store_close(self.store);
    return status;
}
