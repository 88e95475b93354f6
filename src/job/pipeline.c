/* Runs the stages, each on its own threads, joined by bounded queues:
 *   lister -> todo -> workers -> done -> recorder
 * and where images come over a network, lister -> listed -> reader -> todo.
 * Their order does not matter: the tables are written from the manifest, which is in order of path. */
#include "base/memory.h"
#include "base/resources.h"
#include "job/job.h"
#include "job/reader.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TICK_MS = 100 };

struct stage {
    struct pom_job *job;
    void (*run)(struct pom_job *job);
    pthread_t thread;
};

/* Caller holds the mutex, or no stage runs. */
static void fail_locked(struct pom_job *job, enum pom_status status, const struct pom_message *msg) {
    if (job->status == POM_OK) {
        job->status = status;
        job->message = *msg;
    }
    atomic_store(&job->stop, true);
    pom_queue_close(job->listed);
    pom_queue_close(job->todo);
}

void pom_job_fail(struct pom_job *job, enum pom_status status, const struct pom_message *msg) {
    pthread_mutex_lock(&job->mutex);
    fail_locked(job, status, msg);
    pthread_mutex_unlock(&job->mutex);
}

void pom_job_warn(const struct pom_job *job, const char *format, ...) {
    const struct pom_features_events *events = &job->options->events;
    if (events->warn) {
        char text[sizeof job->message.text];
        va_list args;
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        events->warn(events->user, text);
    }
}

static void *stage_main(void *user) {
    struct stage *stage = user;
    struct pom_job *job = stage->job;
    stage->run(job);
    pthread_mutex_lock(&job->mutex);
    job->running--;
    pthread_cond_signal(&job->changed);
    pthread_mutex_unlock(&job->mutex);
    return NULL;
}

static bool start(struct pom_job *job, struct stage *stage, void (*run)(struct pom_job *job)) {
    *stage = (struct stage){job, run, 0};
    pthread_mutex_lock(&job->mutex);
    bool started = pthread_create(&stage->thread, NULL, stage_main, stage) == 0;
    job->running += started;
    if (!started) {
        struct pom_message msg;
        pom_fail(&msg, POM_ERR_LIMIT, "the system gives no more threads: lower --threads");
        fail_locked(job, POM_ERR_LIMIT, &msg);
    }
    pthread_mutex_unlock(&job->mutex);
    return started;
}

static void tell_progress(struct pom_job *job) {
    const struct pom_features_events *events = &job->options->events;
    const struct pom_counters *count = &job->count;
    if (!events->progress)
        return;
    uint64_t computed = atomic_load(&count->computed), failed = atomic_load(&count->failed);
    uint64_t carried_errors = atomic_load(&count->carried_errors);
    const struct pom_features_progress progress = {
        .phase = POM_PHASE_IMAGES,
        .listed = atomic_load(&count->listed),
        .done = computed + failed + atomic_load(&count->carried_rows) + carried_errors,
        .computed = computed,
        .errors = failed + carried_errors,
        .listing = !atomic_load(&count->listed_all),
        .seconds = (double)(pom_now_ns() - job->started_ns) * 1e-9,
    };
    events->progress(events->user, &progress);
}

enum pom_status pom_job_cancelled(struct pom_message *msg) {
    return pom_fail(msg, POM_ERR_CANCELLED, "stopped; what is done is kept, the same command continues");
}

enum pom_status pom_job_check(const struct pom_job *job, struct pom_message *msg) {
    const atomic_bool *cancel = job->options->cancel;
    if (cancel && atomic_load(cancel))
        return pom_job_cancelled(msg);
    return job->lease ? pom_lease_check(job->lease, msg) : POM_OK;
}

static void check_cancelled(struct pom_job *job) {
    struct pom_message msg;
    enum pom_status status = pom_job_check(job, &msg);
    if (status != POM_OK)
        fail_locked(job, status, &msg);
}

/* Waits until at most `running` stages run, looking after progress and cancelling. */
static void wait_for_stages(struct pom_job *job, int running) {
    pthread_mutex_lock(&job->mutex);
    while (job->running > running) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += TICK_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        if (pthread_cond_timedwait(&job->changed, &job->mutex, &until) == 0)
            continue;
        check_cancelled(job);
        pthread_mutex_unlock(&job->mutex);
        tell_progress(job);
        pthread_mutex_lock(&job->mutex);
    }
    pthread_mutex_unlock(&job->mutex);
}

/* What a job that stopped has left in a queue. */
static void drop_items(struct pom_queue *queue) {
    void *item;
    while (pom_queue_pop(queue, &item, 1, 1) > 0)
        pom_item_free(item);
}

/* The recorder outlives the others: what they finished is recorded. */
static void run_stages(struct pom_job *job, struct stage *stages) {
    int n = 0, workers = job->budget.threads;
    bool recorder = start(job, &stages[n], pom_recorder_run);
    n += recorder;
    for (int i = 0; i < workers && recorder; i++)
        n += start(job, &stages[n], pom_worker_run);
    bool reader = job->listed != job->todo;
    if (n > 1 && reader)
        n += start(job, &stages[n], pom_reader_run);
    if (n > 1 + reader)
        n += start(job, &stages[n], pom_lister_run);
    wait_for_stages(job, recorder);
    pom_queue_close(job->done);
    wait_for_stages(job, 0);
    for (int i = 0; i < n; i++)
        pthread_join(stages[i].thread, NULL);
    drop_items(job->listed);
    drop_items(job->todo);
}

enum pom_status pom_pipeline_run(struct pom_job *job, struct pom_message *msg) {
    struct stage *stages = pom_calloc((size_t)job->budget.threads + 3, sizeof *stages);
    job->todo = pom_queue_new(POM_JOB_TODO_ITEMS);
    job->listed = pom_reader_is_needed(job) ? pom_queue_new(POM_JOB_TODO_ITEMS) : job->todo;
    job->done = pom_queue_new(POM_JOB_DONE_ITEMS);
    if (stages && job->listed && job->todo && job->done)
        run_stages(job, stages);
    else
        job->status = pom_fail_memory(&job->message, "the queues");
    if (job->listed != job->todo)
        pom_queue_free(job->listed);
    pom_queue_free(job->todo);
    pom_queue_free(job->done);
    job->listed = job->todo = job->done = NULL;
    free(stages);
    if (job->status != POM_OK && msg)
        *msg = job->message;
    return job->status;
}
