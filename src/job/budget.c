/* Dividing the memory: first the network's own needs, then images. */
#include "base/resources.h"
#include "job/job.h"
#include "job/reader.h"

enum { LEAST_IMAGE_MIB = 8 /* a 2-megapixel photograph, encoded and decoded */ };

static const size_t mib = (size_t)1 << 20;
static const size_t most_ahead = (size_t)1 << 30;  /* of images from a network: enough for any */
static const size_t base_bytes = (size_t)48 << 20; /* the program, its libraries, queues, SQLite, a table's row group */

/* What the network takes with so many threads and images a batch. */
static size_t network_bytes(const struct pom_model_info *info, int threads, int batch) {
    size_t image =
        info->session_bytes + info->features * sizeof(float) + (size_t)info->width * (size_t)info->height * 3;
    return base_bytes + info->weight_bytes + (size_t)threads * (size_t)batch * image;
}

static size_t fixed_bytes(const struct pom_model_info *info, int threads, int batch) {
    return network_bytes(info, threads, batch) + (size_t)threads * LEAST_IMAGE_MIB * mib;
}

enum pom_status pom_budget_plan(struct pom_job *job, struct pom_message *msg) {
    struct pom_budget *budget = &job->budget;
    size_t memory = job->options->memory_bytes ? job->options->memory_bytes : pom_memory_limit() / 2;
    budget->memory_bytes = memory;
    budget->threads = job->options->threads ? job->options->threads : pom_cpu_count();
    budget->batch = POM_JOB_MAX_BATCH;
    while (fixed_bytes(job->info, budget->threads, budget->batch) > memory && budget->batch > 1)
        budget->batch /= 2;
    while (fixed_bytes(job->info, budget->threads, budget->batch) > memory && budget->threads > 1)
        budget->threads--;
    size_t network = network_bytes(job->info, budget->threads, budget->batch);
    size_t need = fixed_bytes(job->info, budget->threads, budget->batch);
    if (need > memory)
        return pom_fail(msg, POM_ERR_LIMIT,
            "%s needs at least %zu MiB of memory, and %zu MiB are given: raise --memory", job->info->name,
            need / mib + 1, memory / mib);
    /* A quarter for the images that all workers load at once, the rest for one that is larger than usual. */
    size_t images = memory - network, least = LEAST_IMAGE_MIB * mib;
    budget->ahead_bytes = !pom_reader_is_needed(job) ? 0 : images / 4 < most_ahead ? images / 4 : most_ahead;
    images -= budget->ahead_bytes;
    budget->image_bytes = images / 4 / (size_t)budget->threads;
    if (budget->image_bytes < least)
        budget->image_bytes = least;
    size_t all = (size_t)budget->threads * budget->image_bytes;
    budget->large_bytes = images > all ? images - all : 0;
    return POM_OK;
}

/* Of more memory a quarter may go to what is read ahead, and a quarter of the rest to the workers. */
size_t pom_budget_memory_for(const struct pom_budget *budget, size_t large_bytes) {
    size_t more = large_bytes > budget->large_bytes ? large_bytes - budget->large_bytes : 0;
    return budget->memory_bytes + (more < SIZE_MAX / 32 ? more * 16 / 9 : more);
}
