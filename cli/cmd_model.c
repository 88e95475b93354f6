/* `pomona model`: the networks, where they are and what they are made of. */
#include "commands.h"
#include "fast_model.h"
#include "interrupt.h"
#include "model_bench.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/resources.h"
#include "base/status.h"
#include "model/keras.h"
#include "model/model.h"
#include "model/pull.h"
#include "model/registry.h"
#include <dirent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum pom_status one_operand(
    int argc, char **argv, int first, const char *what, const char **out, struct pom_message *msg) {
    if (argc - first != 1)
        return pom_fail(msg, POM_ERR_ARGUMENT, argc > first ? "more than one %s" : "which %s?", what);
    *out = argv[first];
    return POM_OK;
}

/* list */

static void list_model(const char *name, size_t features, const char *obtain) {
    char *path = NULL;
    printf("%-20s %8zu  ", name, features);
    if (!obtain)
        printf("built in\n");
    else if (pom_model_find(name, &path, NULL) == POM_OK)
        printf("%s\n", path);
    else
        printf("not here: get it with %s\n", obtain);
    free(path);
}

static int is_other_model(const struct dirent *entry) {
    size_t n = strlen(entry->d_name);
    char *name = n > 5 && strcmp(entry->d_name + n - 5, ".onnx") == 0 ? strndup(entry->d_name, n - 5) : NULL;
    bool other = name && !pom_known_model(name);
    free(name);
    return other;
}

/* Those that `model import --name` put beside the known ones. */
static void list_others(const char *folder) {
    struct dirent **entries = NULL;
    int n = scandir(folder, &entries, is_other_model, alphasort);
    for (int i = 0; i < n; i++) {
        printf("%-20.*s %8s  %s/%s\n", (int)strlen(entries[i]->d_name) - 5, entries[i]->d_name, "", folder,
            entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

static enum pom_status run_list(int argc, char **argv, enum pom_exit *exit_code, struct pom_message *msg) {
    *exit_code = POM_EXIT_OK;
    int first;
    char *folder = NULL;
    POM_TRY(pom_options_parse(NULL, argc, argv, NULL, &first, msg));
    if (first < argc)
        return pom_fail(msg, POM_ERR_ARGUMENT, "`model list` takes no arguments");
    printf("%-20s %8s  %s\n", "NAME", "FEATURES", "FILE");
    for (size_t i = 0; i < pom_known_models_count; i++)
        list_model(pom_known_models[i].name, pom_known_models[i].features, pom_known_models[i].obtain);
    if (pom_model_folder(&folder, NULL) == POM_OK)
        list_others(folder);
    free(folder);
    return POM_OK;
}

static const struct pom_verb list_verb = {
    .name = "list",
    .summary = "The models known by name, and where their files are or how to get them.",
    .usage = "",
    .run = run_list,
};

/* pull */

static void show_progress(void *context, size_t done_bytes, size_t total_bytes) {
    size_t *shown = context, megabytes = done_bytes >> 20;
    if (megabytes == *shown)
        return;
    *shown = megabytes;
    if (total_bytes)
        fprintf(stderr, "\r%zu of %zu MB", megabytes, total_bytes >> 20);
    else
        fprintf(stderr, "\r%zu MB", megabytes);
}

static const struct pom_option pull_options[] = {
    {"classifier", 0, NULL,
        "with the fully connected layers (resnet50, vgg16): for\n--output-layer fc1, fc2, predictions; VGG16: 553 MB "
        "instead of 59",
        pom_option_switch, offsetof(struct pom_pull_options, classifier)},
    {"sha256", 0, "HEX",
        "the hash that the file must have, for weights of your own on a\nmirror; default: the published one",
        pom_option_text, offsetof(struct pom_pull_options, sha256)},
    {0},
};

static enum pom_status run_pull(int argc, char **argv, enum pom_exit *exit_code, struct pom_message *msg) {
    *exit_code = POM_EXIT_OK;
    int first;
    size_t shown = 0;
    const char *name = NULL;
    struct pom_pull_options options = {.context = &shown};
    struct pom_pulled pulled;
    POM_TRY(pom_options_parse(pull_options, argc, argv, &options, &first, msg));
    POM_TRY(one_operand(argc, argv, first, "model", &name, msg));
    options.cancel = pom_catch_interrupts();
    if (isatty(STDERR_FILENO))
        options.progress = show_progress;
    enum pom_status status = pom_model_pull(name, &options, &pulled, msg);
    if (shown)
        fprintf(stderr, "\r%30s\r", "");
    if (status != POM_OK)
        return status;
    printf("%s: %zu bytes downloaded, SHA-256 %s\nhash checked against %s\nready: %s\n", name, pulled.bytes,
        pulled.sha256, pulled.authority, pulled.path);
    free(pulled.path);
    return POM_OK;
}

static const struct pom_verb pull_verb = {
    .name = "pull",
    .summary = "Download Keras's ImageNet weights, check their hash and import them.",
    .usage = "mobilenetv2|resnet50|vgg16 [OPTION]...",
    .options = pull_options,
    .run = run_pull,
    .details = "The hashes of ResNet50 and VGG16 are those in Keras's source. For MobileNetV2 Keras publishes none: "
               "the file must have the\n"
               "SHA-256 that several public projects recorded of it.\n"
               "POMONA_MODEL_URL replaces https://storage.googleapis.com/tensorflow/keras-applications (a mirror); "
               "POMONA_MODELS the folder\n"
               "that models are kept in, ~/.cache/pomona/models.\n",
};

/* import */

struct import {
    const char *output, *name;
};

static const struct pom_option import_options[] = {
    {"output", 'o', "OUT.onnx", "write the model there", pom_option_text, offsetof(struct import, output)},
    {"name", 0, "NAME", "keep it as a model of this name; default: mobilenetv2, resnet50\nor vgg16, as the file is",
        pom_option_text, offsetof(struct import, name)},
    {0},
};

static enum pom_status import_destination(
    const struct import *import, const char *h5, char **out, struct pom_message *msg) {
    const char *name = import->name;
    if (import->output) {
        *out = strdup(import->output);
        return *out ? POM_OK : pom_fail_memory(msg, "a path");
    }
    if (!name)
        POM_TRY(pom_keras_recognise(h5, &name, msg));
    return pom_model_destination(name, out, msg);
}

static enum pom_status run_import(int argc, char **argv, enum pom_exit *exit_code, struct pom_message *msg) {
    *exit_code = POM_EXIT_OK;
    int first;
    const char *h5 = NULL;
    char *path = NULL;
    struct import import = {0};
    struct pom_keras_imported imported;
    POM_TRY(pom_options_parse(import_options, argc, argv, &import, &first, msg));
    POM_TRY(one_operand(argc, argv, first, "file", &h5, msg));
    if (import.output && import.name)
        return pom_fail(msg, POM_ERR_ARGUMENT, "give --output or --name, not both");
    POM_TRY(import_destination(&import, h5, &path, msg));
    enum pom_status status = pom_keras_import(h5, path, &imported, msg);
    if (status == POM_OK)
        printf("%s%s: %s\n", imported.network, imported.classifier ? " with its classifier" : "", path);
    free(path);
    return status;
}

static const struct pom_verb import_verb = {
    .name = "import",
    .summary = "Turn Keras weights (.h5, .weights.h5) of MobileNetV2, ResNet50 or VGG16 into a model.",
    .usage = "FILE.h5 [-o OUT.onnx | --name NAME]",
    .options = import_options,
    .run = run_import,
    .details = "The layers keep Keras's names: `--output-layer block5_pool` of `pomona features` takes any of them as "
               "the features.\n",
};

/* inspect and bench */

enum { BATCH = 8 }; /* images that a thread takes together, as in a job */

struct look {
    struct pom_model_options model;
    bool plan, layers;
    struct pom_bench bench;
    enum pom_wish precision;
};

static enum pom_status load(
    const struct look *look, const char *name, struct pom_model **out, struct pom_message *msg) {
    return pom_fast_model_load(name, &look->model, look->precision, out, msg);
}

#define MODEL_OPTIONS                                                                                                  \
    {"output-layer", 0, "NAME", "the layer that gives the features; default: the model's own output", pom_option_text, \
        offsetof(struct look, model.output_layer)},                                                                    \
        {"size", 0, "PIXELS", "side of the input; default: the model's own, else 224", pom_option_count,               \
            offsetof(struct look, model.size)},                                                                        \
    {                                                                                                                  \
        "preprocess", 0, "NAME", "tf, caffe, torch or lite; default: as the model says", pom_option_text,              \
            offsetof(struct look, model.preprocess)                                                                    \
    }

#define PRECISION_OPTION                                                                                               \
    {                                                                                                                  \
        "precision", 0, "NAME",                                                                                        \
            "exact, bf16, int8, or fast: int8 where the model can; int8 is\ncalibrated on random input; default "      \
            "exact",                                                                                                   \
            pom_option_precision, offsetof(struct look, precision)                                                     \
    }

static const struct pom_option inspect_options[] = {
    {"layers", 0, NULL, "every layer: shape, parameters, multiply-adds", pom_option_switch,
        offsetof(struct look, layers)},
    {"plan", 0, NULL, "how it is run: kernels, what is fused, memory", pom_option_switch, offsetof(struct look, plan)},
    PRECISION_OPTION,
    MODEL_OPTIONS,
    {0},
};

static void print_count(const char *what, int64_t n) {
    if (n >= 10000000)
        printf("%-14s %.1f million\n", what, (double)n * 1e-6);
    else
        printf("%-14s %lld\n", what, (long long)n);
}

/* Of a picture as floats, where the network takes those. */
static size_t input_bytes(const struct pom_model *model) {
    const struct pom_net_info *info = pom_net_info(pom_model_net(model));
    return info->takes_pixels ? 0 : info->inputs[0].elements * sizeof(float);
}

static void print_summary(const struct pom_model *model, double load_ms) {
    const struct pom_model_info *info = pom_model_info(model);
    printf("%-14s %s\n", "model", info->name);
    if (info->path)
        printf("%-14s %s\n%-14s %s\n", "file", info->path, "sha256", info->sha256);
    printf("%-14s %d x %d RGB, preprocessed as %s\n", "input", info->width, info->height, info->preprocess);
    printf("%-14s %zu, from layer %s\n", "features", info->features, info->output_layer);
    if (!pom_model_net(model))
        return;
    print_count("parameters", info->parameters);
    print_count("multiply-adds", info->macs);
    size_t more = pom_net_session_bytes(pom_model_net(model), BATCH) - pom_net_session_bytes(pom_model_net(model), 1);
    printf("%-14s %.1f MB of weights for all threads; %.1f MB a thread, %.1f MB with batches of %d\n", "memory",
        (double)info->weight_bytes * 1e-6, (double)info->session_bytes * 1e-6,
        (double)(info->session_bytes + more + (BATCH - 1) * input_bytes(model)) * 1e-6, BATCH);
    printf("%-14s %.0f ms\n", "loaded in", load_ms);
    printf("%-14s %s\n", "precision", pom_precision_name(info->precision));
    printf("%-14s %s\n", "path", pom_isa_name(pom_net_info(pom_model_net(model))->isa));
}

static enum pom_status run_inspect(int argc, char **argv, enum pom_exit *exit_code, struct pom_message *msg) {
    *exit_code = POM_EXIT_OK;
    int first;
    const char *name = NULL;
    struct look look = {0};
    struct pom_model *model;
    POM_TRY(pom_options_parse(inspect_options, argc, argv, &look, &first, msg));
    POM_TRY(one_operand(argc, argv, first, "model", &name, msg));
    uint64_t start = pom_now_ns();
    POM_TRY(load(&look, name, &model, msg));
    print_summary(model, (double)(pom_now_ns() - start) * 1e-6);
    if (look.layers && pom_model_net(model)) {
        printf("\n");
        pom_net_print_layers(pom_model_net(model), stdout);
    }
    if (look.plan && pom_model_net(model)) {
        printf("\n");
        pom_net_print_plan(pom_model_net(model), stdout);
    }
    pom_model_free(model);
    return POM_OK;
}

static const struct pom_verb inspect_verb = {
    .name = "inspect",
    .summary = "What a model is made of: input, features, parameters, multiply-adds, memory, hash.",
    .usage = "MODEL [OPTION]...",
    .options = inspect_options,
    .run = run_inspect,
};

static const struct pom_option bench_options[] = {
    {"threads", 0, "N", "threads, each on its own images; default: the CPUs", pom_option_count,
        offsetof(struct look, bench.threads)},
    {"batch", 0, "N", "images run together by a thread; default 8", pom_option_count,
        offsetof(struct look, bench.batch)},
    {"seconds", 0, "S", "how long; default 5", pom_option_seconds, offsetof(struct look, bench.seconds)},
    {"layers", 0, NULL, "what each layer takes: time, GFLOP/s, share of the peak, kernel", pom_option_switch,
        offsetof(struct look, bench.layers)},
    PRECISION_OPTION,
    MODEL_OPTIONS,
    {0},
};

static enum pom_status run_bench(int argc, char **argv, enum pom_exit *exit_code, struct pom_message *msg) {
    *exit_code = POM_EXIT_OK;
    int first;
    const char *name = NULL;
    struct look look = {.bench = {.threads = pom_cpu_count(), .batch = BATCH, .seconds = 5}};
    struct pom_model *model;
    POM_TRY(pom_options_parse(bench_options, argc, argv, &look, &first, msg));
    POM_TRY(one_operand(argc, argv, first, "model", &name, msg));
    if (!look.model.preprocess)
        look.model.preprocess = "tf"; /* the input is random numbers: it makes no difference */
    POM_TRY(load(&look, name, &model, msg));
    enum pom_status status = pom_model_bench(model, &look.bench, msg);
    pom_model_free(model);
    return status;
}

static const struct pom_verb bench_verb = {
    .name = "bench",
    .summary = "Time the network alone, on random input.",
    .usage = "MODEL [OPTION]...",
    .options = bench_options,
    .run = run_bench,
    .details =
        "The last line gives images a second, and the share of the CPU's measured peak: of fused multiply-adds, or of\n"
        "dot products of bytes for int8.\n",
};

static const struct pom_verb *const verbs[] = {&list_verb, &pull_verb, &import_verb, &inspect_verb, &bench_verb, NULL};

const struct pom_verb pom_cmd_model = {
    .name = "model",
    .summary = "The networks: list, pull, import, inspect, bench.",
    .usage = "VERB [OPTION]...",
    .verbs = verbs,
};
