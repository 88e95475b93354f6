#include "job/loader.h"

#include "image/stretch.h"
#include "job/job.h"

#include <math.h>

static const double mib = 1 << 20;

static void take_bytes(struct pom_loader *loader, struct pom_buffer *bytes) {
    pom_buffer_clean_up(&loader->bytes);
    loader->bytes = *bytes;
    *bytes = (struct pom_buffer){0};
}

static enum pom_status read_bytes(
    struct pom_loader *loader, const struct pom_loader_source *source, size_t most, struct pom_message *msg) {
    struct pom_counters *count = &loader->job->count;
    enum pom_status status = POM_OK;
    if (source->bytes && source->bytes->data) {
        take_bytes(loader, source->bytes);
    } else {
        status = pom_store_read(source->store, &source->entry, most, &loader->bytes, msg);
        if (!pom_store_reads_ahead(source->store))
            atomic_fetch_add_explicit(&count->requests, 1, memory_order_relaxed);
    }
    if (status == POM_ERR_LIMIT)
        return pom_fail(
            msg, status, "the file is over the %.1f MiB for one: raise the memory limit", (double)most / mib);
    if (status == POM_OK)
        atomic_fetch_add_explicit(&count->bytes, loader->bytes.size, memory_order_relaxed);
    return status;
}

/* Adds to the message how much memory would do. */
static void advise(const struct pom_loader *loader, size_t bytes, struct pom_message *msg) {
    size_t memory = pom_budget_memory_for(&loader->job->budget, bytes);
    pom_fail_in(msg, POM_ERR_LIMIT, "use --memory %.0fM or more", ceil((double)memory / mib));
}

/* Within so many bytes, half of them at most for the image as stored. */
static enum pom_status load(struct pom_loader *loader, const struct pom_loader_source *source, size_t bytes,
    enum pom_stage *stage, struct pom_message *msg) {
    const struct pom_job *job = loader->job;
    struct pom_lap lap = pom_lap_begin();
    *stage = POM_STAGE_READ;
    enum pom_status status = read_bytes(loader, source, bytes / 2, msg);
    pom_lap_end(&lap, &loader->work[POM_WORK_READ]);
    POM_TRY(status);

    *stage = POM_STAGE_DECODE;
    size_t needed = 0;
    const struct pom_image_limits limits = {.max_memory_bytes = bytes - loader->bytes.size, .needed_bytes = &needed};
    status = pom_image_decode(loader->bytes.data, loader->bytes.size, &limits, &loader->picture, msg);
    bool by_rows = status == POM_ERR_LIMIT && needed > 0;
    if (by_rows)
        status = pom_image_stretch(loader->bytes.data, loader->bytes.size, &limits, job->info->width, job->info->height,
            job->options->filter, &loader->scaled, msg);
    pom_lap_end(&lap, &loader->work[POM_WORK_DECODE]);
    if (status == POM_ERR_LIMIT && needed > 0)
        advise(loader, needed + loader->bytes.size, msg);
    if (status != POM_OK || by_rows)
        return status;
    status = pom_resizer_run(&loader->resizer, &loader->picture, job->info->width, job->info->height,
        job->options->filter, &loader->scaled, msg);
    pom_lap_end(&lap, &loader->work[POM_WORK_RESIZE]);
    return status;
}

static void drop_large_buffers(struct pom_loader *loader) {
    pom_buffer_clean_up(&loader->bytes);
    pom_image_clean_up(&loader->picture);
    pom_resizer_clean_up(&loader->resizer);
}

enum pom_status pom_loader_run(
    struct pom_loader *loader, const struct pom_loader_source *source, enum pom_stage *stage, struct pom_message *msg) {
    struct pom_job *job = loader->job;
    pthread_rwlock_rdlock(&job->large);
    enum pom_status status = load(loader, source, job->budget.image_bytes, stage, msg);
    pthread_rwlock_unlock(&job->large);
    if (status != POM_ERR_LIMIT || job->budget.large_bytes <= job->budget.image_bytes)
        return status;
    drop_large_buffers(loader);
    pthread_rwlock_wrlock(&job->large);
    status = load(loader, source, job->budget.large_bytes, stage, msg);
    drop_large_buffers(loader);
    pthread_rwlock_unlock(&job->large);
    return status;
}

void pom_loader_clean_up(struct pom_loader *loader) {
    drop_large_buffers(loader);
    pom_image_clean_up(&loader->scaled);
}
