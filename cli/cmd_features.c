#include "access.h"
#include "commands.h"
#include "guard.h"
#include "interrupt.h"
#include "prices.h"
#include "progress.h"
#include "rates.h"
#include "table_options.h"

#include "base/status.h"
#include <stdio.h>
#include <string.h>

struct values {
    struct pom_features_options job;
    struct pom_components components;
    struct pom_guard guard;
    struct pom_access access;
    const char *prices, *region, *machine;
    bool quiet;
};

#define AT(member) offsetof(struct values, member)
static const struct pom_option options[] = {
    {"output", 'o', "DEST", "the folder that receives the tables; made where there is none", pom_option_text,
        AT(job.destination)},
    {"model", 0, "NAME",
        "network: a name from `pomona model list`, an .onnx file, or pixels,\n"
        "which takes the resized pixels themselves (default efficientnet-lite0)",
        pom_option_text, AT(job.model)},
    {"output-layer", 0, "NAME", "layer or tensor whose values are the features\n(default: the network's output)",
        pom_option_text, AT(job.model_options.output_layer)},
    {"size", 0, "N", "side of the square that images are stretched to\n(default: the network's own, else 224)",
        pom_option_count, AT(job.model_options.size)},
    {"resize", 0, "FILTER", "bicubic, bilinear, lanczos, box or nearest, as Pillow has them\n(default bicubic)",
        pom_option_filter, AT(job.filter)},
    {"preprocess", 0, "NAME", "tf, caffe, torch or lite, for a network file that does not say", pom_option_text,
        AT(job.model_options.preprocess)},
    {"label", 0, "PATTERN",
        "where in the path the label is, matched with the path's end: {label} is\n"
        "the label, * any characters but /, ? one such\n(default {label}/*: the name of the folder)",
        pom_option_text, AT(job.label)},
    {"pca", 0, "K|SHARE",
        "write K principal components, or as many as hold this share of the\n"
        "variance, such as 0.90 (default: no PCA)",
        pom_option_components, AT(components)},
    {"no-scale", 0, NULL, "no standard scaler before the PCA", pom_option_switch, AT(job.pca.no_scale)},
    {"no-center", 0, NULL, "leave the mean in when projecting, as Spark's PCAModel does", pom_option_switch,
        AT(job.pca.no_center)},
    {"keep-scaled", 0, NULL, "write the scaled features too", pom_option_switch, AT(job.keep_scaled)},
    {"format", 0, "NAME", "parquet, json (JSON Lines) or csv (default parquet)", pom_option_format, AT(job.format)},
    {"vectors", 0, "NAME", "list: lists of floats; spark: vectors of Spark's MLlib (default list)", pom_option_vectors,
        AT(job.spark_vectors)},
    {"precision", 0, "NAME",
        "exact: float32; fast: int8, or the next that --min-cosine lets through,\n"
        "calibrated on the first images; bf16, int8: that one alone, else exact\n"
        "(default exact)",
        pom_option_precision, AT(job.precision)},
    {"min-cosine", 0, "X",
        "how near to exact fast features have to be, as the mean cosine of a\n"
        "sample of the images (default 0.995)",
        pom_option_cosine, AT(job.min_cosine)},
    {"threads", 0, "N", "worker threads (default: the CPUs that this process may use)", pom_option_count,
        AT(job.threads)},
    {"memory", 0, "SIZE",
        "bound on the memory of the process, such as 512M\n(default: half of what the machine or its cgroup has)",
        pom_option_bytes, AT(job.memory_bytes)},
    {"limit", 0, "N", "only the first N images (default: all)", pom_option_total, AT(job.limit)},
    {"fresh", 0, NULL, "replace what DEST holds", pom_option_switch, AT(job.fresh)},
    {"retry-failed", 0, NULL, "read again the images that failed in an earlier run", pom_option_switch,
        AT(job.retry_failed)},
    {"strict", 0, NULL, "end with the first image that fails", pom_option_switch, AT(job.strict)},
    POM_OPTION_EU_ONLY(AT(guard)),
    POM_OPTIONS_ACCESS(AT(access)),
    {"prices", 0, "FILE",
        "table of prices that run.json's cost is by\n(default: the installed one, where a bucket is in a cloud)",
        pom_option_text, AT(prices)},
    POM_OPTION_PRICES_REGION(AT(region)),
    {"machine", 0, "NAME", "kind of machine that the table has a price for (default: the cloud's)", pom_option_text,
        AT(machine)},
    {"quiet", 'q', NULL, "no progress and no summary", pom_option_switch, AT(quiet)},
    {0},
};
#undef AT

static enum pom_status check(struct values *values, int n_sources, struct pom_message *msg) {
    struct pom_features_options *job = &values->job;
    bool pca = values->components.k > 0 || values->components.variance > 0;
    if (n_sources == 0)
        return pom_fail(msg, POM_ERR_ARGUMENT, "name a folder of images: pomona features SRC... -o DEST");
    if (!job->destination)
        return pom_fail(msg, POM_ERR_ARGUMENT, "name the folder for the tables: -o DEST");
    if (!pca && (job->pca.no_scale || job->pca.no_center))
        return pom_fail(msg, POM_ERR_ARGUMENT, "--no-scale and --no-center are for a PCA: add --pca");
    if (job->pca.no_scale && job->keep_scaled)
        return pom_fail(msg, POM_ERR_ARGUMENT, "--keep-scaled and --no-scale exclude each other");
    if (job->min_cosine > 0 && !job->precision)
        return pom_fail(msg, POM_ERR_ARGUMENT, "--min-cosine is for another --precision than exact");
    job->pca.k = values->components.k;
    job->pca.variance = values->components.variance;
    job->project = pca || job->keep_scaled;
    return POM_OK;
}

static enum pom_status run_job(struct values *values, enum pom_exit *exit_code, struct pom_message *msg) {
    struct pom_progress progress;
    struct pom_features_report report;
    pom_progress_init(&progress, values->quiet);
    values->job.events = pom_progress_events(&progress);
    enum pom_status status = pom_features_job(&values->job, &report, msg);
    if (status == POM_OK)
        pom_progress_summary(&progress, &values->job, &report);
    if (status == POM_OK && report.errors)
        *exit_code = POM_EXIT_PARTIAL;
    pom_features_report_clean_up(&report);
    pom_progress_clean_up(&progress);
    return status;
}

/* Only what somebody is billed for has a cost. The table need not be there where nobody named it. */
static enum pom_status find_rates(const struct values *values, struct pom_prices *prices, struct pom_rates *out,
    bool *found, struct pom_message *msg) {
    const struct pom_billed billed = {values->job.sources[0], values->job.destination, values->region, values->machine};
    bool asked = values->prices || values->machine;
    *found = false;
    if (!asked && !pom_cloud_of(billed.source) && !pom_cloud_of(billed.destination))
        return POM_OK;
    enum pom_status status = pom_prices_read(values->prices, prices, msg);
    if (status == POM_ERR_NOT_FOUND && !asked)
        return POM_OK;
    POM_TRY(status);
    *found = true;
    return pom_rates_find(prices, &billed, out, msg);
}

static enum pom_status run_priced(struct values *values, enum pom_exit *exit_code, struct pom_message *msg) {
    struct pom_prices prices = {0};
    struct pom_rates rates;
    bool found;
    enum pom_status status = find_rates(values, &prices, &rates, &found, msg);
    values->job.rates = status == POM_OK && found ? &rates : NULL;
    if (status == POM_OK)
        status = run_job(values, exit_code, msg);
    values->job.rates = NULL;
    pom_prices_clean_up(&prices);
    return status;
}

static enum pom_status run(int argc, char **argv, enum pom_exit *exit_code, struct pom_message *msg) {
    struct values values = {0};
    int first;
    POM_TRY(pom_options_parse(options, argc, argv, &values, &first, msg));
    POM_TRY(pom_access_apply(&values.access, msg));
    POM_TRY(check(&values, argc - first, msg));
    values.job.sources = (const char *const *)&argv[first];
    values.job.n_sources = argc - first;
    values.job.cancel = pom_catch_interrupts();
    POM_TRY(pom_guard_check(
        &values.guard, values.job.sources, values.job.n_sources, values.job.destination, values.job.cancel, msg));
    return run_priced(&values, exit_code, msg);
}

const struct pom_verb pom_cmd_features = {
    .name = "features",
    .summary = "Photographs -> features of a network, scaled, principal components -> tables.",
    .usage = "SRC... -o DEST [OPTION]...",
    .options = options,
    .run = run,
    .details =
        "SRC is a folder, searched with all below it, or an image: JPEG, PNG or WebP, told by content. Only files\n"
        "whose names end as images' do are listed; of those, every one becomes a row of features or of errors.\n"
        "\n"
        "DEST receives features.parquet (path, label, features), with --pca pca.parquet and projection.parquet,\n"
        "with --keep-scaled scaled.parquet, then errors.parquet (path, stage, cause) and run.json, the receipt.\n"
        "Each is written whole or not at all. Running the same command again continues what was interrupted, and\n"
        "reads only images that are new or changed; other settings for the same DEST are refused.\n"
        "\n"
        "Exit status: 0 all rows written; 1 a mistake in the command or its surroundings, no tables written;\n"
        "2 finished, with rows in errors.\n"
        "\n"
        "Examples:\n"
        "  pomona features photos -o out --pca 0.90\n"
        "  pomona features photos/2026-* -o out --model mobilenetv2 --pca 50 --format json\n"
        "  pomona features photos -o out --model vgg16 --output-layer fc2\n"
        "  pomona features photos -o out --label '{label}_*'      (banana_017.jpg is a banana)\n",
};
