/* The main job: images -> features -> tables, resumable. What `pomona features` does. */
#ifndef POM_JOB_FEATURES_JOB_H
#define POM_JOB_FEATURES_JOB_H

#include "base/status.h"
#include "table/table.h"
#include <pomona/image.h>
#include <pomona/model.h>
#include <pomona/stats.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum pom_phase { POM_PHASE_CALIBRATE, POM_PHASE_IMAGES, POM_PHASE_TABLES, POM_PHASE_PCA };

/* How far the job is. */
struct pom_features_progress {
    enum pom_phase phase;
    uint64_t listed, done; /* done: carried over, computed or failed; in POM_PHASE_TABLES, rows written; in
                              POM_PHASE_CALIBRATE, of the sample */
    uint64_t computed, errors;
    bool listing; /* more may come to listed */
    double seconds;
};

/* How the job tells of itself; each may be NULL. progress comes from the thread that called, about ten times a second;
 * warn from any thread. */
struct pom_features_events {
    void (*progress)(void *user, const struct pom_features_progress *progress);
    void (*warn)(void *user, const char *text);
    void *user;
};

#define POM_DEFAULT_MIN_COSINE 0.995

/* The precision that is asked for. Another than exact is taken only where its features are close enough to the exact
 * ones; else the job runs in exact. */
enum pom_wish {
    POM_WISH_EXACT,
    POM_WISH_FAST, /* the fastest */
    POM_WISH_BF16, /* this one */
    POM_WISH_INT8,
    POM_WISHES
};

/* "exact", "fast", "bf16", "int8". */
const char *pom_wish_name(enum pom_wish wish);

/* What a job is billed at, in dollars; 0: nobody asks for anything. */
struct pom_rates {
    const char *date, *source; /* of the table of prices */
    const char *region;        /* whose prices they are; NULL: what source says */
    double list, get, put;     /* a request */
    const char *machine;       /* NULL: it is not reckoned with */
    double cpu_hour;           /* of a CPU of it */
};

/* Zero-initialise for the defaults. All is borrowed for the call. */
struct pom_features_options {
    const char *const *sources; /* folders or images */
    int n_sources;
    const char *destination;
    const char *model;                      /* name or .onnx file; NULL: "efficientnet-lite0" */
    struct pom_model_options model_options; /* precision and calibration are the job's: leave them zero */
    enum pom_wish precision;
    double min_cosine; /* that the mean of a sample's cosines to exact has to reach, in (0, 1]; 0: the default below */
    enum pom_filter filter;
    const char *label; /* pattern; NULL: the parent folder's name */
    bool project;      /* write a projection, and pca where pca says so */
    struct pom_pca_options pca;
    bool keep_scaled;
    enum pom_format format;
    bool spark_vectors;
    int threads;                   /* 0: pom_cpu_count() */
    size_t memory_bytes;           /* bound on the process's memory; 0: half of what the machine or its cgroup has */
    uint64_t limit;                /* images; 0: all */
    bool fresh;                    /* replace what the destination holds */
    bool retry_failed;             /* read the images again that failed in an earlier run */
    bool strict;                   /* the first failure ends the job */
    const struct pom_rates *rates; /* NULL: run.json tells no cost */
    const atomic_bool *cancel;     /* set by anyone: the job ends soon with POM_ERR_CANCELLED, ready to be continued */
    struct pom_features_events events;
};

/* A narrow precision that was tried: the cosines of its features to the exact ones. */
struct pom_trial {
    enum pom_precision precision;
    double mean, minimum;
};

/* The precision that a job runs in, and why. */
struct pom_choice {
    enum pom_precision used;
    int calibrated, checked;    /* images; 0 where exact was asked for */
    int n_trials;               /* in the order in which they were tried: the last is used, unless that is exact */
    struct pom_trial trials[2]; /* int8, bf16 */
};

/* What the time goes into. */
enum pom_work {
    POM_WORK_CALIBRATE, /* choosing a precision */
    POM_WORK_LIST,
    POM_WORK_READ,
    POM_WORK_DECODE,
    POM_WORK_RESIZE,
    POM_WORK_INFER,
    POM_WORK_WRITE,      /* spool, manifest and tables */
    POM_WORK_STATISTICS, /* scaler and PCA, with the tables that they write */
    POM_WORK_COUNT
};
const char *pom_work_name(enum pom_work work);

/* Summed over the threads. */
struct pom_work_time {
    double thread_s; /* wall clock */
    double cpu_s;
};

/* What a run did. */
struct pom_features_report {
    uint64_t listed, rows, errors; /* in the tables: rows + errors = listed */
    uint64_t computed, failed;     /* of those, in this run; the others were carried over */
    uint64_t dropped;              /* rows of an earlier run whose image is no longer there */
    uint64_t skipped;              /* files that are not images, by their suffix: not listed */
    uint64_t unlabelled;           /* rows whose path does not match the label pattern */
    uint64_t bytes, requests;      /* read from the sources */
    struct pom_choice choice;
    size_t features, components;
    double explained; /* share of the variance that the components hold */
    struct pom_work_time work[POM_WORK_COUNT];
    double cpu_s; /* of the whole job: more than the work's by what starts and ends it */
    double load_model_s, first_row_s, images_s, tables_s, pca_s, total_s; /* wall clock; first_row_s from the start */
    bool up_to_date;                                                      /* nothing had changed: nothing was written */
    struct pom_label_count *labels;                                       /* most frequent first; owned by the report */
    size_t n_labels;
};

struct pom_label_count {
    char *label;
    uint64_t rows;
};

/* Runs the job. On failure the destination holds the tables of the last run that finished, or none, and what was
 * computed is kept for the next run. POM_ERR_CONFLICT: the destination was made with other settings, holds tables of
 * something else, or is in use. The report is the caller's to clean up, after a failure too. */
enum pom_status pom_features_job(
    const struct pom_features_options *options, struct pom_features_report *report, struct pom_message *msg);

void pom_features_report_clean_up(struct pom_features_report *report);

#endif
