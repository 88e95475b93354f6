/* The state of a features job that its stages share. Private to the room. */
#ifndef POM_JOB_JOB_H
#define POM_JOB_JOB_H

#include "job/features_job.h"
#include "job/lease.h"
#include "job/manifest.h"
#include "job/queue.h"
#include "job/spool.h"
#include "job/work.h"
#include "store/store.h"
#include <pthread.h>

enum {
    POM_JOB_MAX_BATCH = 8,      /* images that a worker runs through the network at once */
    POM_JOB_TODO_ITEMS = 65536, /* that listing may be ahead of the workers: some 10 MB of paths */
    POM_JOB_DONE_ITEMS = 1024
};

/* Notes in the manifest. */
#define POM_NOTE_TABLE "features table"    /* version of the published one, which rows in POM_PLACE_TABLE are in */
#define POM_NOTE_NEXT_TABLE "next table"   /* version of the one about to be published */
#define POM_NOTE_FILES "files"             /* all that was published: "name version", one a line */
#define POM_NOTE_PRECISION "precision"     /* that was chosen, and the figures: see choice_note.c */
#define POM_NOTE_CALIBRATION "calibration" /* of int8, bytes */
#define POM_NOTE_COMPLETE "complete"       /* "yes" while those files are all that the manifest says, else "" */

/* An image on its way from the lister over a worker to the recorder, which frees it. */
struct pom_item {
    struct pom_store *source;
    uint64_t size;
    enum pom_stage failed;
    char *cause;             /* owned; NULL unless failed */
    struct pom_buffer bytes; /* where it was read ahead */
    bool ahead;              /* it counts among what is read ahead */
    int64_t record;          /* of the spool, unless failed */
    char *version;           /* within text */
    char path[];
};

struct pom_item *pom_item_new(const char *path, const char *version);
void pom_item_free(struct pom_item *item);

/* Marks the item as failed; the cause is copied. */
void pom_item_fail(struct pom_item *item, enum pom_stage stage, const char *cause);

struct pom_counters {
    _Atomic uint64_t listed, carried_rows, carried_errors, computed, failed, dropped, skipped, unlabelled;
    _Atomic uint64_t bytes, requests;
    struct pom_work_clock work[POM_WORK_COUNT];
    _Atomic uint64_t first_row_ns; /* on the monotonic clock */
    atomic_bool listed_all;
};

/* How many threads run, and what each may hold. */
struct pom_budget {
    int threads, batch;
    size_t memory_bytes; /* of the process */
    size_t image_bytes;  /* that each worker may hold for reading and decoding one image */
    size_t large_bytes;  /* that one image may take while all other workers wait */
    size_t ahead_bytes;  /* of images that wait for a worker; 0 where no source reads ahead */
};

/* What is read ahead. */
struct pom_ahead {
    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t changed;
    uint64_t bytes; /* that are under way or wait for a worker, and their items */
    int items;
    int reading; /* items under way */
    bool full;   /* the reader waits for room */
};

struct pom_job {
    const struct pom_features_options *options;
    const char *label;      /* pattern */
    const char *model_name; /* or file */
    double min_cosine;
    uint64_t started_ns;
    struct pom_store **sources; /* in order of path */
    int n_sources;
    struct pom_model *model;
    const struct pom_model_info *info;
    struct pom_budget budget;
    struct pom_lease *lease; /* on the destination; NULL: none */
    struct pom_manifest *manifest;
    struct pom_spool *spool;
    struct pom_queue *listed, *todo, *done; /* of struct pom_item; listed is todo where no source reads ahead */
    struct pom_ahead ahead;
    struct pom_counters count;
    pthread_rwlock_t large; /* held for reading while an image of usual size is loaded, for writing by a large one */

    atomic_bool stop;      /* set with the first failure: every stage ends soon */
    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t changed;
    int running; /* threads */
    enum pom_status status;
    struct pom_message message;
};

/* Ends the job with this failure, unless it already has one. Thread-safe. */
void pom_job_fail(struct pom_job *job, enum pom_status status, const struct pom_message *msg);

/* The failure of a job that was cancelled. */
enum pom_status pom_job_cancelled(struct pom_message *msg);

void pom_job_warn(const struct pom_job *job, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The stages: each runs until its input ends or the job stops, and reports by pom_job_fail. */
void pom_lister_run(struct pom_job *job);
void pom_worker_run(struct pom_job *job);
void pom_recorder_run(struct pom_job *job);

/* Runs all stages to their end, telling of progress meanwhile. Returns the job's failure. */
enum pom_status pom_pipeline_run(struct pom_job *job, struct pom_message *msg);

/* Opens the sources and puts them in order of path; those that overlap are refused. */
enum pom_status pom_sources_open(
    const char *const *locations, int n, const atomic_bool *cancel, struct pom_store ***out, struct pom_message *msg);
void pom_sources_close(struct pom_store **sources, int n);

/* Fills job->budget from the options and the model. POM_ERR_LIMIT where the memory does not do. */
enum pom_status pom_budget_plan(struct pom_job *job, struct pom_message *msg);

/* The memory of a process in which one image may take so many bytes. */
size_t pom_budget_memory_for(const struct pom_budget *budget, size_t large_bytes);

/* Whether the object is one that the job takes: named as images are, or a source by itself. */
bool pom_is_wanted(const struct pom_store *source, const char *path);

/* POM_ERR_CANCELLED where someone asked for it; POM_ERR_CONFLICT where another job has taken the destination. */
enum pom_status pom_job_check(const struct pom_job *job, struct pom_message *msg);

#endif
