#include "access.h"
#include "commands.h"
#include "guard.h"
#include "interrupt.h"
#include "prices.h"
#include "progress.h"
#include "rates.h"
#include "say.h"
#include "table_options.h"

#include "base/status.h"
#include "job/forecast.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct values {
    struct pom_features_options job;
    struct pom_guard guard;
    struct pom_access access;
    uint64_t sample;
    const char *prices, *region, *machine;
};

#define AT(member) offsetof(struct values, member)
static const struct pom_option options[] = {
    {"output", 'o', "DEST", "where the tables would go; nothing is written there", pom_option_text,
        AT(job.destination)},
    {"model", 0, "NAME", "network, as for features (default efficientnet-lite0)", pom_option_text, AT(job.model)},
    {"output-layer", 0, "NAME", "layer whose values are the features", pom_option_text,
        AT(job.model_options.output_layer)},
    {"size", 0, "N", "side of the square that images are stretched to", pom_option_count, AT(job.model_options.size)},
    {"resize", 0, "FILTER", "bicubic (default), bilinear, lanczos, box or nearest", pom_option_filter, AT(job.filter)},
    {"preprocess", 0, "NAME", "tf, caffe, torch or lite, for a network file that does not say", pom_option_text,
        AT(job.model_options.preprocess)},
    {"precision", 0, "NAME", "exact (default), fast, bf16 or int8", pom_option_precision, AT(job.precision)},
    {"threads", 0, "N", "worker threads (default: the CPUs that this process may use)", pom_option_count,
        AT(job.threads)},
    {"memory", 0, "SIZE", "bound on the memory, such as 512M", pom_option_bytes, AT(job.memory_bytes)},
    {"limit", 0, "N", "plan for the first N images (default: all)", pom_option_total, AT(job.limit)},
    POM_OPTION_EU_ONLY(AT(guard)),
    POM_OPTIONS_ACCESS(AT(access)),
    {"sample", 0, "N", "how many images are run for the plan (default 64)", pom_option_total, AT(sample)},
    {"prices", 0, "FILE", "table of prices (default: the one that is installed, dated in its first lines)",
        pom_option_text, AT(prices)},
    POM_OPTION_PRICES_REGION(AT(region)),
    {"machine", 0, "NAME",
        "kind of machine that the table has a price for (default: what it names\n"
        "for the bucket's cloud; without a bucket none)",
        pom_option_text, AT(machine)},
    {0},
};
#undef AT

static const double gb = 1e9, mib = 1 << 20;

static bool is_remote(const char *location) {
    return location && strstr(location, "://");
}

static const char *print_seconds(double seconds, char *out, size_t size) {
    if (seconds < 120)
        snprintf(out, size, "%.1f s", seconds);
    else if (seconds < 7200)
        snprintf(out, size, "%.1f min", seconds / 60);
    else
        snprintf(out, size, "%.1f h", seconds / 3600);
    return out;
}

static void print_sample(const struct pom_forecast *plan) {
    const struct pom_features_report *s = &plan->sample;
    char images[POM_COUNT_BYTES], skipped[POM_COUNT_BYTES], took[32];
    printf("images    %s, %.1f MB (and %s other files); listed in %s\n", pom_print_count(plan->images, images),
        (double)plan->bytes / 1e6, pom_print_count(plan->skipped, skipped),
        print_seconds(plan->list_s, took, sizeof took));
    printf("sample    %" PRIu64 " images with %d thread%s: %.1f images/s", s->computed, plan->threads,
        plan->threads == 1 ? "" : "s", s->images_s > 0 ? (double)s->computed / s->images_s : 0);
    if (s->failed)
        printf(", %" PRIu64 " failed", s->failed);
    if (plan->latency_s > 0)
        printf("; one read takes %.0f ms", plan->latency_s * 1e3);
    putchar('\n');
}

static void print_prediction(const struct pom_forecast *plan) {
    char total[32], work[32], network[32], tables[32], gets[POM_COUNT_BYTES];
    printf("time      %s: images %s", print_seconds(plan->total_s, total, sizeof total),
        print_seconds(plan->work_s, work, sizeof work));
    if (plan->latency_s > 0)
        printf(" (their reads, %d at once, %s beside that)", POM_FORECAST_MOST_IN_FLIGHT,
            print_seconds(plan->network_s, network, sizeof network));
    printf(", tables %s; without a PCA\n", print_seconds(plan->tables_s, tables, sizeof tables));
    printf("requests  %" PRIu64 " list, %s get, %" PRIu64 " put\n", plan->list_requests,
        pom_print_count(plan->get_requests, gets), plan->put_requests);
    printf("bytes     %.1f MB read, %.1f MB of features (%zu each) written before compression\n",
        (double)plan->bytes / 1e6, (double)plan->written_bytes / 1e6, plan->sample.features);
    printf("memory    about %.0f MiB\n", (double)plan->memory_bytes / mib);
}

/* Dollars of the requests to one cloud, and what its bytes would cost elsewhere. */
struct bill {
    double requests, machine, region, internet;
    const char *machine_name; /* NULL: none has a price */
    const char *where;        /* the prices are of; NULL: the table's first regions */
};

static enum pom_status reckon(const struct values *values, const struct pom_forecast *plan,
    const struct pom_prices *prices, struct bill *out, struct pom_message *msg) {
    const char *from = pom_cloud_of(values->job.sources[0]);
    const struct pom_billed billed = {values->job.sources[0], values->job.destination, values->region, values->machine};
    struct pom_rates rates;
    double price;
    POM_TRY(pom_rates_find(prices, &billed, &rates, msg));
    *out = (struct bill){
        .requests = rates.list * (double)plan->list_requests + rates.get * (double)plan->get_requests +
                    rates.put * (double)plan->put_requests,
        .machine = rates.cpu_hour * plan->threads * (plan->total_s + plan->list_s) / 3600,
        .machine_name = rates.machine,
        .where = rates.region,
    };
    if (!from)
        return POM_OK;
    POM_TRY(pom_rate(prices, from, values->region, "region_per_gb", &price, msg));
    out->region = price * (double)plan->bytes / gb;
    POM_TRY(pom_rate(prices, from, values->region, "internet_per_gb", &price, msg));
    out->internet = price * (double)plan->bytes / gb;
    return POM_OK;
}

static void print_bill(const struct bill *bill, const struct pom_forecast *plan, const struct pom_prices *prices) {
    printf("cost      $%.4f: requests $%.4f", bill->requests + bill->machine, bill->requests);
    if (bill->machine_name)
        printf(
            ", %d CPU%s of %s $%.4f", plan->threads, plan->threads == 1 ? "" : "s", bill->machine_name, bill->machine);
    else
        printf("; this machine is not reckoned with, --machine names one");
    if (bill->internet > 0)
        printf("; read from another region $%.4f more, over the internet $%.4f", bill->region, bill->internet);
    putchar('\n');
    pom_say(stdout, "prices    of %s%s%s, %s (%s)\n", prices->date, bill->where ? ", " : "",
        bill->where ? bill->where : "", prices->source, prices->file);
}

static enum pom_status plan_and_print(const struct values *values, struct pom_prices *prices, struct pom_message *msg) {
    struct pom_forecast plan;
    struct bill bill;
    POM_TRY(pom_prices_read(values->prices, prices, msg));
    if (values->machine) {
        double price;
        POM_TRY(pom_rate(prices, "machines", values->region, values->machine, &price, msg));
    }
    enum pom_status status =
        pom_forecast_make(&values->job, is_remote(values->job.destination), values->sample, &plan, msg);
    if (status == POM_OK)
        status = reckon(values, &plan, prices, &bill, msg);
    if (status == POM_OK) {
        print_sample(&plan);
        print_prediction(&plan);
        print_bill(&bill, &plan, prices);
    }
    pom_forecast_clean_up(&plan);
    return status;
}

static enum pom_status run(int argc, char **argv, enum pom_exit *exit_code, struct pom_message *msg) {
    struct values values = {0};
    struct pom_prices prices = {0};
    int first;
    *exit_code = POM_EXIT_OK;
    POM_TRY(pom_options_parse(options, argc, argv, &values, &first, msg));
    POM_TRY(pom_access_apply(&values.access, msg));
    if (argc == first)
        return pom_fail(msg, POM_ERR_ARGUMENT, "name a folder of images: pomona plan SRC...");
    values.job.sources = (const char *const *)&argv[first];
    values.job.n_sources = argc - first;
    values.job.cancel = pom_catch_interrupts();
    POM_TRY(pom_guard_check(
        &values.guard, values.job.sources, values.job.n_sources, values.job.destination, values.job.cancel, msg));
    enum pom_status status = plan_and_print(&values, &prices, msg);
    pom_prices_clean_up(&prices);
    return status;
}

const struct pom_verb pom_cmd_plan = {
    .name = "plan",
    .summary = "What `pomona features` would take: requests, bytes, minutes, memory, dollars.",
    .usage = "SRC... [-o DEST] [OPTION]...",
    .options = options,
    .run = run,
    .details =
        "Lists all of SRC and runs the first images through the job itself, into a folder that is thrown away. From\n"
        "that follow the time on this machine (of the steps that go by the bytes, by the average size), the requests,\n"
        "the memory and, by a dated table of prices, the cost. Where images come from a bucket, time is the larger of\n"
        "the computing and of the reads. Retries are not foreseen.\n"
        "\n"
        "run.json of the job has the actual figures: speed.wall_seconds, speed.requests, speed.bytes_read,\n"
        "host.peak_memory_bytes and cost.dollars.\n"
        "\n"
        "Examples:\n"
        "  pomona plan s3://photos/fruits -o s3://tables/fruits --model resnet50\n"
        "  pomona plan photos --machine c7g --prices my-prices.toml\n",
};
