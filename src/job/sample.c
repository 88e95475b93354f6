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

/* The job's threads load images side by side, in rounds of as many as are still wanted: which images the sample has
 * does not depend on who loads them. */
struct sampling {
    struct pom_job *job;
    const struct listing *listing;
    struct pom_sample *out;
    size_t most, taken;                         /* images of the sample */
    struct pom_work_clock work[POM_WORK_COUNT]; /* kept apart: all of this is calibrating */
    bool *loaded;                               /* of a round's images: `most` */
    pthread_mutex_t mutex;                      /* guards the rest */
    struct pom_readahead ahead;
    size_t first, end; /* of the round, in the listing's order */
    size_t done;       /* images loaded */
    enum pom_status status;
    struct pom_message message;
};

/* The place of the sample's i-th image: a set each in turn. */
static uint8_t *place(const struct sampling *s, size_t i) {
    const struct pom_model_info *info = s->job->info;
    size_t image = (size_t)info->width * (size_t)info->height * 3;
    return (i % 2 ? s->out->check : s->out->calibrate) + i / 2 * image;
}

/* Takes the next image of the round, and its bytes where they were read ahead. False: there is none. */
static bool take_next(struct sampling *s, size_t *index, struct pom_buffer *bytes, enum pom_status *status) {
    pthread_mutex_lock(&s->mutex);
    if (s->status == POM_OK)
        s->status = pom_job_check(s->job, &s->message);
    *index = s->ahead.taken;
    bool more = s->status == POM_OK && *index < s->end;
    if (more) {
        read_ahead(&s->ahead, s->listing, s->end - *index);
        *status = pom_readahead_take(&s->ahead, bytes, &s->message);
        if (*status == POM_ERR_NETWORK)
            s->status = *status;
    }
    pthread_mutex_unlock(&s->mutex);
    return more;
}

/* Fails the sample where the next image would fare no better. */
static void finish_next(struct sampling *s, size_t index, enum pom_status status, const struct pom_message *msg) {
    pthread_mutex_lock(&s->mutex);
    s->loaded[index - s->first] = status == POM_OK;
    s->done += status == POM_OK;
    if (status == POM_ERR_NETWORK && s->status == POM_OK) {
        s->status = status;
        s->message = *msg;
    }
    pthread_mutex_unlock(&s->mutex);
}

static void tell_of(struct sampling *s) {
    pthread_mutex_lock(&s->mutex);
    size_t done = s->done;
    pthread_mutex_unlock(&s->mutex);
    tell(s->job, done, s->listing->n < s->most ? s->listing->n : s->most);
}

static void load_images(struct sampling *s, bool telling) {
    const struct pom_model_info *info = s->job->info;
    struct pom_loader loader = {.job = s->job, .work = s->work};
    struct pom_buffer bytes = {0};
    struct pom_message msg = {0};
    enum pom_status status;
    enum pom_stage stage;
    size_t index;
    while (take_next(s, &index, &bytes, &status)) {
        const struct candidate *next = &s->listing->list[s->listing->order[index]];
        const struct pom_loader_source source = {next->source, {next->path, 0, ""}, &bytes};
        if (status == POM_OK)
            status = pom_loader_run(&loader, &source, &stage, &msg);
        if (status == POM_OK)
            memcpy(place(s, s->taken + index - s->first), loader.scaled.rgb,
                (size_t)info->width * (size_t)info->height * 3);
        finish_next(s, index, status, &msg);
        if (telling)
            tell_of(s);
    }
    pom_buffer_clean_up(&bytes);
    pom_loader_clean_up(&loader);
}

static void *loading_thread(void *user) {
    load_images(user, false);
    return NULL;
}

/* The caller is one of the threads, and the one that tells. */
static void run_threads(struct sampling *s, pthread_t *threads, size_t most) {
    size_t n = 0;
    while (n < most && pthread_create(&threads[n], NULL, loading_thread, s) == 0)
        n++;
    load_images(s, true);
    for (size_t i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}

/* Closes the gaps that failed images have left. */
static void close_gaps(struct sampling *s) {
    const struct pom_model_info *info = s->job->info;
    size_t image = (size_t)info->width * (size_t)info->height * 3, first = s->taken;
    for (size_t i = 0; i < s->end - s->first; i++) {
        if (!s->loaded[i])
            continue;
        if (s->taken != first + i)
            memcpy(place(s, s->taken), place(s, first + i), image);
        s->taken++;
    }
}

static enum pom_status load(struct sampling *s, struct pom_message *msg) {
    size_t others = (size_t)s->job->budget.threads - 1, n = s->listing->n;
    pthread_t *threads = pom_calloc(others + 1, sizeof *threads);
    if (!threads)
        return pom_fail_memory(msg, "a sample of the images");
    while (s->status == POM_OK && s->end < n && s->taken < s->most) {
        size_t wanted = s->most - s->taken;
        s->first = s->end;
        s->end = n - s->first < wanted ? n : s->first + wanted;
        run_threads(s, threads, others);
        if (s->status == POM_OK)
            close_gaps(s);
    }
    free(threads);
    if (s->status != POM_OK && msg)
        *msg = s->message;
    return s->status;
}

/* A sample of one image is for both. */
static void divide(struct pom_sample *out, size_t taken) {
    out->n_calibrate = (int)((taken + 1) / 2);
    out->n_check = (int)(taken / 2);
    if (out->n_check == 0) {
        out->check = out->calibrate;
        out->n_check = out->n_calibrate;
    }
}

static enum pom_status take(
    struct pom_job *job, struct listing *listing, int half, struct pom_sample *out, struct pom_message *msg) {
    size_t image = (size_t)job->info->width * (size_t)job->info->height * 3, most = 2 * (size_t)half;
    struct sampling sampling = {
        .job = job, .listing = listing, .out = out, .most = most, .mutex = PTHREAD_MUTEX_INITIALIZER};
    POM_TRY(list(listing, msg));
    out->listed = listing->n;
    out->pixels = pom_alloc_aligned(most, image);
    sampling.loaded = pom_calloc(most, sizeof *sampling.loaded);
    if (!out->pixels || !sampling.loaded) {
        free(sampling.loaded);
        return pom_fail_memory(msg, "a sample of the images");
    }
    out->calibrate = out->pixels;
    out->check = out->pixels + (size_t)half * image;
    spread(listing, most);
    enum pom_status status = pom_readahead_open(job, most, &sampling.ahead, msg);
    if (status == POM_OK)
        status = load(&sampling, msg);
    pom_readahead_close(&sampling.ahead);
    free(sampling.loaded);
    divide(out, sampling.taken);
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
