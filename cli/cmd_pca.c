/* pomona pca: scaler and principal components of a table of features. */
#include "access.h"
#include "base/file.h"
#include "base/resources.h"
#include "base/status.h"
#include "commands.h"
#include "guard.h"
#include "interrupt.h"
#include "job/lease.h"
#include "job/lock.h"
#include "job/pca_job.h"
#include "options.h"
#include "pca_input.h"
#include "say.h"
#include "store/store.h"
#include "table_options.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

struct pca_values {
    const char *table, *destination, *projection, *column;
    struct pom_components components;
    bool no_scale, no_center, keep_scaled, quiet;
    enum pom_format format;
    bool spark_vectors;
    int threads;
    size_t memory_bytes;
    struct pom_guard guard;
    struct pom_access access;
    struct pom_pca_input of_table, of_projection;
};

#define VALUE(member) offsetof(struct pca_values, member)

static const struct pom_option options[] = {
    {"output", 'o', "DEST", "folder for the tables (needed)", pom_option_text, VALUE(destination)},
    {"pca", 0, "K|SHARE",
        "components to keep: a number such as 50, or the fewest that explain\na share of the variance (default 0.90)",
        pom_option_components, VALUE(components)},
    {"no-scale", 0, NULL, "do not standardise the features first", pom_option_switch, VALUE(no_scale)},
    {"no-center", 0, NULL,
        "project without subtracting the mean, as Spark's PCAModel.transform\n(no difference once scaled)",
        pom_option_switch, VALUE(no_center)},
    {"keep-scaled", 0, NULL, "write the standardised features too: scaled.parquet", pom_option_switch,
        VALUE(keep_scaled)},
    {"projection", 0, "FILE", "apply this stored projection instead of fitting one", pom_option_text,
        VALUE(projection)},
    {"column", 0, "NAME", "the list column to read (default features)", pom_option_text, VALUE(column)},
    {"format", 0, "FORMAT", "parquet (default), json or csv", pom_option_format, VALUE(format)},
    {"vectors", 0, "KIND", "list (default), or spark: columns that Spark MLlib takes as vectors", pom_option_vectors,
        VALUE(spark_vectors)},
    {"threads", 0, "N", "threads to compute with (default: the CPUs of this process)", pom_option_count,
        VALUE(threads)},
    {"memory", 0, "SIZE", "memory for fitting, such as 512M (default 1G)", pom_option_bytes, VALUE(memory_bytes)},
    POM_OPTION_EU_ONLY(VALUE(guard)),
    POM_OPTIONS_ACCESS(VALUE(access)),
    {"quiet", 'q', NULL, "print nothing but warnings and errors", pom_option_switch, VALUE(quiet)},
    {0},
};

static enum pom_status parse(int argc, char **argv, struct pca_values *values, struct pom_message *msg) {
    int first;
    POM_TRY(pom_options_parse(options, argc, argv, values, &first, msg));
    POM_TRY(pom_access_apply(&values->access, msg));
    if (argc - first != 1)
        return pom_fail(
            msg, POM_ERR_ARGUMENT, argc == first ? "which table? Give its file or folder" : "one table at a time");
    if (!values->destination)
        return pom_fail(msg, POM_ERR_ARGUMENT, "where to? Give -o DEST");
    bool fits = values->components.k || values->components.variance > 0 || values->no_scale || values->no_center;
    if (values->projection && fits)
        return pom_fail(msg, POM_ERR_ARGUMENT,
            "--projection is applied as it was fitted: leave out --pca, --no-scale and --no-center");
    if (!values->components.k && !(values->components.variance > 0))
        values->components.variance = 0.90;
    values->table = argv[first];
    return POM_OK;
}

/* Before DEST is made. */
static enum pom_status open_inputs(struct pca_values *values, struct pom_message *msg) {
    const char *const sources[] = {values->table, values->projection};
    int n = values->projection ? 2 : 1;
    POM_TRY(pom_guard_check(&values->guard, sources, n, values->destination, pom_catch_interrupts(), msg));
    POM_TRY(pom_pca_input_open(&values->of_table, values->table, "features", msg));
    return values->projection ? pom_pca_input_open(&values->of_projection, values->projection, "projection", msg)
                              : POM_OK;
}

static enum pom_status fetch_inputs(struct pca_values *values, const char *folder, struct pom_message *msg) {
    POM_TRY(pom_pca_input_fetch(&values->of_table, folder, "fetched-table", msg));
    return pom_pca_input_fetch(&values->of_projection, folder, "fetched-projection", msg);
}

static enum pom_status publish(
    struct pom_store *store, const struct pom_pca_job_result *result, struct pom_message *msg) {
    for (int i = 0; i < result->n_files; i++) {
        char *file = pom_path_join(pom_store_staging(store), result->files[i]);
        if (!file)
            return pom_fail_memory(msg, "a path");
        enum pom_status status = pom_store_publish(store, file, result->files[i], msg);
        free(file);
        POM_TRY(status);
    }
    return POM_OK;
}

static void tell(const struct pca_values *values, const struct pom_pca_job_result *result) {
    if (values->components.k > result->k && !values->projection)
        pom_say(stderr,
            "pomona pca: --pca %zu is lowered to %zu: %" PRIu64 " rows of %zu features have no more components\n",
            values->components.k, result->k, result->rows, result->d);
    if (result->residual > 1e-6)
        pom_say(stderr, "pomona pca: the last components are known to %.0e only: their variances hardly differ\n",
            result->residual);
    if (values->quiet)
        return;
    pom_say(stderr, "%" PRIu64 " rows: %zu features -> %zu components, %.1f %% of the variance\n", result->rows,
        result->d, result->k, 100 * result->explained);
    for (int i = 0; i < result->n_files; i++)
        pom_say(stderr, "%s/%s\n", values->destination, result->files[i]);
}

/* lease: NULL where the store needs none. */
static enum pom_status run_job(
    const struct pca_values *values, struct pom_store *store, struct pom_lease *lease, struct pom_message *msg) {
    const struct pom_pca_job_options job = {
        .table = values->of_table.path.data,
        .column = values->column,
        .projection = values->of_projection.path.data,
        .pca = {values->components.k, values->components.variance, values->no_scale, values->no_center},
        .keep_scaled = values->keep_scaled,
        .folder = pom_store_staging(store),
        .format = values->format,
        .spark_vectors = values->spark_vectors,
        .memory_bytes = values->memory_bytes,
        .threads = values->threads ? values->threads : pom_cpu_count(),
        .cancel = pom_catch_interrupts(),
    };
    struct pom_pca_job_result result;
    enum pom_status status = pom_pca_job_run(&job, &result, msg);
    if (status != POM_OK && values->of_table.store)
        return pom_fail_in(msg, status, "%s", values->table);
    POM_TRY(status);
    if (result.n_files == 0)
        return pom_fail(
            msg, POM_ERR_ARGUMENT, "no PCA: all %" PRIu64 " rows of %s are equal", result.rows, values->table);
    if (lease)
        POM_TRY(pom_lease_renew(lease, msg));
    POM_TRY(publish(store, &result, msg));
    tell(values, &result);
    return POM_OK;
}

static enum pom_status run_locked(struct pca_values *values, struct pom_store *store, struct pom_message *msg) {
    int lock;
    struct pom_lease *lease = NULL;
    POM_TRY(pom_lock_take(store, &lock, msg));
    enum pom_status status = pom_lease_take(store, &lease, msg);
    if (status == POM_OK)
        status = pom_store_tidy(store, msg);
    if (status == POM_OK)
        status = fetch_inputs(values, pom_store_staging(store), msg);
    if (status == POM_OK)
        status = run_job(values, store, lease, msg);
    pom_pca_input_drop(&values->of_table);
    pom_pca_input_drop(&values->of_projection);
    pom_lease_end(lease);
    pom_lock_discard(store);
    close(lock);
    return status;
}

static enum pom_status run(int argc, char **argv, enum pom_exit *exit_code, struct pom_message *msg) {
    *exit_code = POM_EXIT_OK; /* all rows or none */
    struct pca_values values = {0};
    struct pom_store *store = NULL;
    enum pom_status status = parse(argc, argv, &values, msg);
    if (status == POM_OK)
        status = open_inputs(&values, msg);
    if (status == POM_OK)
        status = pom_store_open(values.destination, true, pom_catch_interrupts(), &store, msg);
    if (status == POM_OK)
        status = run_locked(&values, store, msg);
    pom_store_close(store);
    pom_pca_input_close(&values.of_table);
    pom_pca_input_close(&values.of_projection);
    return status;
}

const struct pom_verb pom_cmd_pca = {
    .name = "pca",
    .summary = "Scaler and principal components of a table of features",
    .usage = "TABLE -o DEST [OPTION]...",
    .details = "TABLE is a .parquet, .json or .csv file with a column of lists (and `path` and `label` where it has\n"
               "them), a folder of such files as Spark writes it, or the DEST of `pomona features`, whose features\n"
               "are taken; files may lie in a bucket or in HDFS. DEST receives pca.parquet and projection.parquet, "
               "each whole or not at all.\n\n"
               "  pomona pca out/features.parquet -o out --pca 0.90\n"
               "  pomona pca new/features.parquet -o new --projection out/projection.parquet\n",
    .options = options,
    .run = run,
};
