#include "job/sample.h"

#include "base/memory.h"
#include "base/resources.h"
#include "job/loader.h"
#include "job/readahead.h"
#include <stdlib.h>
#include <string.h>

enum { MAX_LISTED = 4096 };

struct candidate {
    struct pom_store *source;
    const char *path;
    uint64_t size;
};

struct listing {
    const struct pom_job *job;
    struct pom_store *source; /* being listed */
    struct pom_arena paths;
    size_t n;
    struct candidate list[MAX_LISTED];
    size_t order[MAX_LISTED]; /* in which they are tried: indices */
};

/* POM_ERR_CANCELLED: enough of them. */
static enum pom_status visit(void *user, const struct pom_store_entry *entry, struct pom_message *msg) {
    struct listing *listing = user;
    uint64_t limit = listing->job->options->limit;
    POM_TRY(pom_job_check(listing->job, msg));
    if (!pom_is_wanted(listing->source, entry->path))
        return POM_OK;
    if (listing->n == MAX_LISTED || (limit && listing->n == limit))
        return POM_ERR_CANCELLED;
    const char *path = pom_arena_strdup(&listing->paths, entry->path);
    if (!path)
        return pom_fail_memory(msg, "the listing");
    listing->list[listing->n++] = (struct candidate){listing->source, path, entry->size};
    return POM_OK;
}

static enum pom_status pass_over(void *user, const char *path, const char *cause, struct pom_message *msg) {
    (void)user, (void)path, (void)cause, (void)msg;
    return POM_OK;
}

static enum pom_status list(struct listing *listing, struct pom_message *msg) {
    const struct pom_job *job = listing->job;
    const struct pom_store_visitor visitor = {visit, pass_over, listing};
    enum pom_status status = POM_OK;
    for (int i = 0; i < job->n_sources && status == POM_OK; i++) {
        listing->source = job->sources[i];
        status = pom_store_list(listing->source, &visitor, msg);
    }
    return status == POM_ERR_CANCELLED ? pom_job_check(job, msg) : status;
}

static void tell(const struct pom_job *job, uint64_t taken, uint64_t wanted) {
    const struct pom_features_events *events = &job->options->events;
    const struct pom_features_progress progress = {.phase = POM_PHASE_CALIBRATE,
        .listed = wanted,
        .done = taken,
        .seconds = (double)(pom_now_ns() - job->started_ns) * 1e-9};
    if (events->progress)
        events->progress(events->user, &progress);
}

/* A set each in turn. */
static void add(struct pom_sample *sample, const uint8_t *rgb, size_t image) {
    if (sample->n_calibrate == sample->n_check)
        memcpy(sample->calibrate + (size_t)sample->n_calibrate++ * image, rgb, image);
    else
        memcpy(sample->check + (size_t)sample->n_check++ * image, rgb, image);
}

/* Every stride-th image, and where some fail those beside them. */
static void spread(struct listing *listing, size_t most) {
    size_t stride = (listing->n + most - 1) / most, n = 0;
    for (size_t first = 0; first < stride; first++)
        for (size_t i = first; i < listing->n; i += stride)
            listing->order[n++] = i;
}

/* As many as are still wanted, so that none is read in vain. */
static void read_ahead(struct pom_readahead *ahead, const struct listing *listing, size_t wanted) {
    size_t until = ahead->taken + wanted;
    for (bool begun = true; begun && ahead->begun < listing->n && ahead->begun < until;) {
        const struct candidate *next = &listing->list[listing->order[ahead->begun]];
        begun = pom_readahead_begin(ahead, next->source, next->path, next->size);
    }
}

/* Fails where the next image would fare no better; *loaded: the image is in loader->scaled. */
static enum pom_status load_next(struct pom_loader *loader, struct pom_readahead *ahead, const struct listing *listing,
    bool *loaded, struct pom_message *msg) {
    const struct candidate *next = &listing->list[listing->order[ahead->taken]];
    struct pom_buffer bytes = {0};
    const struct pom_loader_source source = {next->source, {next->path, 0, ""}, &bytes};
    enum pom_stage stage;
    enum pom_status status = pom_readahead_take(ahead, &bytes, msg);
    if (status == POM_OK)
        status = pom_loader_run(loader, &source, &stage, msg);
    pom_buffer_clean_up(&bytes);
    *loaded = status == POM_OK;
    POM_TRY(pom_job_check(loader->job, msg));
    return status == POM_ERR_NETWORK ? status : POM_OK;
}

static enum pom_status load(struct pom_loader *loader, struct pom_readahead *ahead, const struct listing *listing,
    size_t most, struct pom_sample *out, struct pom_message *msg) {
    const struct pom_model_info *info = loader->job->info;
    size_t image = (size_t)info->width * (size_t)info->height * 3;
    for (size_t i = 0, taken = 0; i < listing->n && taken < most; i++) {
        bool loaded;
        POM_TRY(pom_job_check(loader->job, msg));
        read_ahead(ahead, listing, most - taken);
        POM_TRY(load_next(loader, ahead, listing, &loaded, msg));
        if (!loaded)
            continue;
        add(out, loader->scaled.rgb, image);
        tell(loader->job, ++taken, listing->n < most ? listing->n : most);
    }
    return POM_OK;
}

static enum pom_status take(
    struct pom_job *job, struct listing *listing, int half, struct pom_sample *out, struct pom_message *msg) {
    size_t image = (size_t)job->info->width * (size_t)job->info->height * 3;
    struct pom_work_clock apart[POM_WORK_COUNT] = {0}; /* all of this is calibrating */
    struct pom_loader loader = {.job = job, .work = apart};
    struct pom_readahead ahead;
    size_t most = 2 * (size_t)half;
    POM_TRY(list(listing, msg));
    out->listed = listing->n;
    out->pixels = pom_alloc_aligned(most, image);
    if (!out->pixels)
        return pom_fail_memory(msg, "a sample of the images");
    out->calibrate = out->pixels;
    out->check = out->pixels + (size_t)half * image;
    spread(listing, most);
    POM_TRY(pom_readahead_open(job, most, &ahead, msg));
    enum pom_status status = load(&loader, &ahead, listing, most, out, msg);
    pom_readahead_close(&ahead);
    pom_loader_clean_up(&loader);
    if (out->n_check == 0) {
        out->check = out->calibrate;
        out->n_check = out->n_calibrate;
    }
    return status;
}

enum pom_status pom_sample_take(struct pom_job *job, int half, struct pom_sample *out, struct pom_message *msg) {
    struct listing *listing = pom_calloc(1, sizeof *listing);
    if (!listing)
        return pom_fail_memory(msg, "the listing");
    listing->job = job;
    enum pom_status status = take(job, listing, half, out, msg);
    pom_arena_clean_up(&listing->paths);
    free(listing);
    return status;
}

void pom_sample_clean_up(struct pom_sample *sample) {
    free(sample->pixels);
    *sample = (struct pom_sample){0};
}
