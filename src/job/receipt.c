#include "job/receipt.h"

#include "base/cpu.h"
#include "base/file.h"
#include "base/resources.h"
#include "job/forecast.h"
#include "table/utf8.h"
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

/* jansson has no failure for a NULL that is to be set: it is passed on, and the end checks that all was built. */
static json_t *count(uint64_t number) {
    return json_integer((json_int_t)number);
}

/* Microseconds are enough, and readable. */
static json_t *seconds(double value) {
    return json_real(round(value * 1e6) / 1e6);
}

/* JSON is UTF-8; paths need not be. */
static json_t *text_or_null(const char *text) {
    struct pom_buffer repaired = {0};
    if (!text || !*text)
        return json_null();
    json_t *json = pom_utf8_repair(text, strlen(text), &repaired) ? json_string(repaired.data) : NULL;
    pom_buffer_clean_up(&repaired);
    return json;
}

static json_t *time_stamp(time_t at) {
    char text[32] = "";
    struct tm utc;
    if (gmtime_r(&at, &utc))
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return json_string(text);
}

static json_t *counts(const struct pom_features_report *r) {
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "listed", count(r->listed), "rows",
        count(r->rows), "errors", count(r->errors), "computed", count(r->computed), "failed", count(r->failed),
        "carried_over", count(r->listed - r->computed - r->failed), "dropped", count(r->dropped), "skipped",
        count(r->skipped), "labels", count(r->n_labels));
}

static json_t *model(const struct pom_model_info *info) {
    return json_pack("{s:o, s:o, s:o, s:o, s:i, s:i, s:o, s:o, s:o}", "name", text_or_null(info->name), "file",
        text_or_null(info->path), "sha256", text_or_null(info->sha256), "output_layer",
        text_or_null(info->output_layer), "width", info->width, "height", info->height, "features",
        count(info->features), "parameters", count((uint64_t)info->parameters), "multiply_adds",
        count((uint64_t)info->macs));
}

static json_t *sources(const struct pom_job *job) {
    json_t *list = json_array();
    for (int i = 0; i < job->n_sources; i++)
        json_array_append_new(list, text_or_null(pom_store_prefix(job->sources[i])));
    return list;
}

static json_t *pca(const struct pom_features_options *options, const struct pom_features_report *report) {
    if (!options->project)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:b, s:b}", "components", count(report->components), "asked",
        options->pca.k ? count(options->pca.k) : json_real(options->pca.variance), "explained_variance_ratio",
        json_real(report->explained), "scaled", !options->pca.no_scale, "centered", !options->pca.no_center);
}

static json_t *settings(const struct pom_job *job, const struct pom_features_report *report) {
    const struct pom_features_options *options = job->options;
    return json_pack("{s:o, s:o, s:s, s:s, s:o, s:s, s:s, s:s, s:o, s:o}", "sources", sources(job), "destination",
        text_or_null(options->destination), "resize", pom_filter_name(options->filter), "precision",
        pom_wish_name(options->precision), "label", text_or_null(job->label), "format",
        pom_format_name(options->format), "vectors", options->spark_vectors ? "spark" : "list", "preprocess",
        job->info->preprocess ? job->info->preprocess : "none", "pca", pca(options, report), "limit",
        options->limit ? count(options->limit) : json_null());
}

static json_t *trials(const struct pom_choice *choice) {
    json_t *list = json_array();
    for (int i = 0; i < choice->n_trials; i++) {
        const struct pom_trial *trial = &choice->trials[i];
        json_array_append_new(
            list, json_pack("{s:s, s:b, s:f, s:f}", "precision", pom_precision_name(trial->precision), "taken",
                      trial->precision == choice->used, "cosine_mean", trial->mean, "cosine_minimum", trial->minimum));
    }
    return list;
}

/* Which precision the features are in, and how near to exact each that was tried came. */
static json_t *precision(const struct pom_job *job, const struct pom_choice *choice) {
    const struct pom_features_options *options = job->options;
    return json_pack("{s:s, s:s, s:o, s:i, s:i, s:o}", "asked", pom_wish_name(options->precision), "used",
        pom_precision_name(job->info->precision), "min_cosine",
        options->precision ? json_real(job->min_cosine) : json_null(), "images_calibrated", choice->calibrated,
        "images_checked", choice->checked, "tried", trials(choice));
}

/* Stages overlap, and run in several threads: their times are summed over the threads; wall clock apart. */
static json_t *stages(const struct pom_features_report *r) {
    json_t *all = json_object();
    for (int i = 0; i < POM_WORK_COUNT; i++) {
        const struct pom_work_time *time = &r->work[i];
        double share = r->cpu_s > 0 ? time->cpu_s / r->cpu_s : 0;
        json_object_set_new(all, pom_work_name((enum pom_work)i),
            json_pack("{s:o, s:o, s:o}", "cpu_seconds", seconds(time->cpu_s), "cpu_share",
                json_real(round(share * 1e4) / 1e4), "thread_seconds", seconds(time->thread_s)));
    }
    return all;
}

static json_t *timing(const struct pom_features_report *r) {
    json_t *wall = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "load_model", seconds(r->load_model_s), "first_row",
        seconds(r->first_row_s), "images", seconds(r->images_s), "tables", seconds(r->tables_s), "pca",
        seconds(r->pca_s), "total", seconds(r->total_s));
    double rate = r->images_s > 0 ? (double)r->computed / r->images_s : 0;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "stages", stages(r), "cpu_seconds", seconds(r->cpu_s),
        "wall_seconds", wall, "images_per_second", json_real(round(rate * 100) / 100), "bytes_read", count(r->bytes),
        "requests", count(r->requests));
}

/* To the millionth, as a few requests cost no more. */
static json_t *dollars(double value) {
    return json_real(round(value * 1e6) / 1e6);
}

/* What is no read of an image counts as a listing; uploads are those that were foreseen, as they come after this. */
static json_t *cost(const struct pom_job *job, const struct pom_features_report *r) {
    const struct pom_rates *rates = job->options->rates;
    if (!rates)
        return json_null();
    uint64_t reads = r->computed + r->failed < r->requests ? r->computed + r->failed : r->requests;
    uint64_t puts = pom_forecast_puts(r->rows * r->features * sizeof(float));
    double requests =
        rates->list * (double)(r->requests - reads) + rates->get * (double)reads + rates->put * (double)puts;
    double machine = rates->cpu_hour * job->budget.threads * r->total_s / 3600;
    return json_pack("{s:o, s:o, s:o, s:o, s:s, s:o, s:s}", "dollars", dollars(requests + machine), "requests",
        dollars(requests), "machine", dollars(machine), "machine_name", text_or_null(rates->machine), "prices_of",
        rates->date, "prices_region", text_or_null(rates->region), "prices_source", rates->source);
}

/* The CPU's name as the kernel tells it; "" where it does not. */
static void cpu_name(char *out, size_t size) {
    char line[256];
    *out = '\0';
    FILE *file = fopen("/proc/cpuinfo", "re");
    while (file && !*out && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (colon && strncmp(line, "model name", 10) == 0)
            snprintf(out, size, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
    }
    if (file)
        fclose(file);
}

static json_t *host(const struct pom_job *job) {
    char name[256];
    struct utsname os;
    enum pom_isa isa = POM_ISA_REF;
    cpu_name(name, sizeof name);
    if (uname(&os) != 0)
        os = (struct utsname){0};
    bool known = pom_cpu_isa(&isa, NULL) == POM_OK;
    return json_pack("{s:s, s:s, s:i, s:i, s:o, s:o, s:s, s:s}", "cpu", name, "cpu_path",
        known ? pom_isa_name(isa) : "unknown", "cpus", pom_cpu_count(), "threads", job->budget.threads, "memory_bytes",
        count(pom_memory_limit()), "peak_memory_bytes", count(pom_peak_memory()), "system", os.sysname, "machine",
        os.machine);
}

static json_t *versions(void) {
    return json_pack("{s:s, s:s}", "pomona", pom_version(), "jansson", JANSSON_VERSION);
}

enum pom_status pom_receipt_write(const struct pom_job *job, const struct pom_destination *destination,
    const struct pom_features_report *report, time_t started, struct pom_message *msg) {
    json_t *root = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "versions", versions(), "started",
        time_stamp(started), "finished", time_stamp(time(NULL)), "counts", counts(report), "model", model(job->info),
        "settings", settings(job, report), "precision", precision(job, &report->choice), "speed", timing(report),
        "cost", cost(job, report), "host", host(job));
    char *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) : NULL;
    json_decref(root);
    struct pom_buffer path = {0};
    enum pom_status status =
        text ? pom_destination_stage(destination, "run.json", &path, msg) : pom_fail_memory(msg, "the receipt");
    if (status == POM_OK)
        status = pom_file_write(path.data, text, strlen(text), msg);
    pom_buffer_clean_up(&path);
    free(text);
    return status;
}
