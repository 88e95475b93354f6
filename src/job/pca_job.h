/* A table of features -> scaler and PCA -> tables: what `pomona pca` does, and the --pca step of `pomona features`.
 *
 * The table is read twice (more often for features too wide for a covariance matrix), in blocks of rows; memory does
 * not grow with its length. The files are made in a staging folder; publishing them is the caller's work. */
#ifndef POM_JOB_PCA_JOB_H
#define POM_JOB_PCA_JOB_H

#include "base/status.h"
#include "table/table.h"
#include <pomona/stats.h>
#include <stdatomic.h>

/* Zero-initialise for the defaults. All is borrowed for the call. */
struct pom_pca_job_options {
    const char *table;      /* a table with `path`, `label` and the features, or a folder of such part files */
    const char *column;     /* of the features; NULL: "features" */
    const char *projection; /* a stored projection to apply; NULL: fit one on the table */
    const struct pom_moments *moments; /* of the table's rows, where they are known: it is not read for them then */
    struct pom_pca_options pca; /* what to fit; k 0 and variance 0: the scaler alone, then no pca table is written */
    bool keep_scaled;           /* write the standardised features too */
    const char *folder;         /* where the files are made; exists */
    enum pom_format format;     /* of the files */
    bool spark_vectors;         /* lists as Spark MLlib's vectors (Parquet only) */
    const struct pom_metadata
        *metadata; /* for the footer of each file; NULL: the model's SHA-256 that the table's own footer has */
    int n_metadata;
    size_t memory_bytes;       /* for fitting; 0: 1 GiB */
    int threads;               /* of the matrix products, for the whole process; 0: as it is */
    const atomic_bool *cancel; /* set by anyone: the job ends with the next block of rows; NULL: never */
};

enum { POM_PCA_JOB_FILES = 3, POM_PCA_JOB_NAME = 24 };

struct pom_pca_job_result {
    uint64_t rows;
    size_t d, k; /* features in, components out: options.pca.k, lowered to the rank of the rows; 0 from a fit: all are
                    equal */
    double explained; /* share of the variance that the k components hold */
    double residual;  /* as in struct pom_projection */

    /* Finished in options.folder, in the order in which to publish: "projection.parquet", "pca.parquet",
     * "scaled.parquet". None where a PCA was to be fitted and all rows are equal. */
    char files[POM_PCA_JOB_FILES][POM_PCA_JOB_NAME];
    int n_files;
};

/* On failure nothing is left in the folder. POM_ERR_ARGUMENT: fewer than two rows to fit on, or rows that the stored
 * projection does not fit. POM_ERR_CANCELLED: by options.cancel, which a decomposition under way does not see. */
enum pom_status pom_pca_job_run(
    const struct pom_pca_job_options *options, struct pom_pca_job_result *out, struct pom_message *msg);

#endif
