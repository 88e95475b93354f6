#include "model/model.h"

#include "base/file.h"
#include "model/calibration.h"
#include "model/registry.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_SIZE = 224, MAX_SIZE = 4096 };

static enum pom_status keep_string(
    struct pom_model *model, const char *text, const char **out, struct pom_message *msg) {
    *out = pom_arena_strdup(&model->strings, text);
    return *out ? POM_OK : pom_fail_memory(msg, "a model's description");
}

/* The last part of a path, without ".onnx". */
static enum pom_status keep_base_name(struct pom_model *model, const char *path, struct pom_message *msg) {
    const char *slash = strrchr(path, '/');
    POM_TRY(keep_string(model, slash ? slash + 1 : path, &model->info.name, msg));
    size_t n = strlen(model->info.name);
    if (n > 5 && strcmp(model->info.name + n - 5, ".onnx") == 0)
        ((char *)model->info.name)[n - 5] = '\0';
    return POM_OK;
}

static enum pom_status choose_preprocess(struct pom_model *model, const char *asked, struct pom_message *msg) {
    const char *stated = pom_net_info(model->net)->preprocess;
    enum pom_preprocess preprocess;
    if (!asked && !stated)
        return pom_fail(msg, POM_ERR_ARGUMENT,
            "%s does not say how its input is to be preprocessed: choose with --preprocess tf (x/127.5 - 1), caffe "
            "(BGR minus "
            "ImageNet's mean), torch (torchvision's mean and deviation) or lite ((x - 127)/128)",
            model->info.path);
    POM_TRY(pom_preprocess_parse(asked ? asked : stated, &preprocess, msg));
    pom_tensor_table_make(preprocess, &model->table);
    model->info.preprocess = pom_preprocess_name(preprocess);
    return POM_OK;
}

/* Features are one vector per image. */
static enum pom_status check_output(const struct pom_model *model, struct pom_message *msg) {
    const struct pom_net_info *info = pom_net_info(model->net);
    if (info->n_outputs != 1)
        return pom_fail(msg, POM_ERR_ARGUMENT, "%s has %d outputs: choose the features with --output-layer, such as %s",
            model->info.path, info->n_outputs, info->n_outputs ? info->outputs[0].name : "a layer's name");
    if (!info->outputs[0].batched)
        return pom_fail(msg, POM_ERR_UNSUPPORTED,
            "%s: output %s does not depend on the image's place in the batch, so it holds no features",
            model->info.path, info->outputs[0].name);
    return POM_OK;
}

/* dims are n, height, width, 3. */
static enum pom_status check_input(struct pom_model *model, struct pom_message *msg) {
    const struct pom_net_info *info = pom_net_info(model->net);
    const struct pom_net_tensor *in = info->n_inputs == 1 ? &info->inputs[0] : NULL;
    if (!in || in->rank != 4 || in->dims[3] != 3 || in->dims[1] > MAX_SIZE || in->dims[2] > MAX_SIZE)
        return pom_fail(msg, POM_ERR_UNSUPPORTED,
            "%s does not take one image of 3 channels and at most %d pixels a side", model->info.path, MAX_SIZE);
    model->info.height = (int)in->dims[1];
    model->info.width = (int)in->dims[2];
    return POM_OK;
}

static enum pom_status describe(
    struct pom_model *model, const struct pom_model_options *options, struct pom_message *msg) {
    const struct pom_net_info *info = pom_net_info(model->net);
    POM_TRY(check_input(model, msg));
    POM_TRY(check_output(model, msg));
    if (options->size && (options->size != model->info.width || options->size != model->info.height))
        return pom_fail(msg, POM_ERR_ARGUMENT, "%s takes images of %d x %d only: leave --size out", model->info.path,
            model->info.width, model->info.height);
    POM_TRY(choose_preprocess(model, options->preprocess, msg));
    model->info.precision = options->precision;
    model->info.features = info->outputs[0].elements;
    model->info.parameters = info->parameters;
    model->info.macs = info->macs;
    model->info.weight_bytes = info->weight_bytes;
    model->info.session_bytes =
        info->session_bytes + (info->takes_pixels ? 0 : sizeof(float) * info->inputs[0].elements);
    return keep_string(
        model, options->output_layer ? options->output_layer : info->outputs[0].name, &model->info.output_layer, msg);
}

static enum pom_status load_net(struct pom_model *model, const struct pom_map *map,
    const struct pom_net_options *options, struct pom_message *msg) {
    enum pom_status status = pom_net_load(map->data, map->size, options, &model->net, msg);
    return status == POM_OK ? POM_OK : pom_fail_in(msg, status, "%s", model->info.path);
}

static enum pom_status load_plain(struct pom_model *model, const struct pom_map *map,
    const struct pom_model_options *options, struct pom_message *msg) {
    struct pom_net_options net = {.output = options->output_layer,
        .size = options->size,
        .image_input = true,
        .mapped = true,
        .bf16 = options->precision == POM_PRECISION_BF16};
    POM_TRY(load_net(model, map, &net, msg));
    return describe(model, options, msg);
}

static enum pom_status load_calibrated(struct pom_model *model, const struct pom_map *map,
    const struct pom_model_options *options, const struct pom_calibration *calibration, struct pom_message *msg) {
    enum pom_preprocess preprocess;
    struct pom_tensor_table table;
    POM_TRY(pom_calibration_check_file(calibration, model->info.sha256, msg));
    POM_TRY(pom_preprocess_parse(calibration->preprocess, &preprocess, msg));
    pom_tensor_table_make(preprocess, &table);
    const struct pom_net_pixels pixels = pom_net_pixels_of(&table);
    bool bf16 = options->precision == POM_PRECISION_BF16;
    struct pom_net_options net = {.output = options->output_layer,
        .size = options->size,
        .image_input = true,
        .mapped = true,
        .pixels = bf16 ? NULL : &pixels,
        .bf16 = bf16,
        .ranges = calibration->ranges,
        .n_ranges = calibration->n_ranges};
    POM_TRY(load_net(model, map, &net, msg));
    POM_TRY(describe(model, options, msg));
    return pom_calibration_check(calibration, &model->info, msg);
}

/* int8, or bf16 that comes closer to exact by it. */
static enum pom_status load_by_calibration(struct pom_model *model, const struct pom_map *map,
    const struct pom_model_options *options, struct pom_message *msg) {
    struct pom_calibration calibration = {0};
    enum pom_status status = pom_calibration_read(options->calibration, &calibration, msg);
    if (status == POM_OK)
        status = load_calibrated(model, map, options, &calibration, msg);
    pom_calibration_clean_up(&calibration);
    return status;
}

static enum pom_status load_mapped(struct pom_model *model, const struct pom_map *map,
    const struct pom_model_options *options, struct pom_message *msg) {
    if (options->precision == POM_PRECISION_EXACT)
        return load_plain(model, map, options, msg);
    if (options->calibration.data)
        return load_by_calibration(model, map, options, msg);
    if (options->precision == POM_PRECISION_INT8)
        return pom_fail(msg, POM_ERR_ARGUMENT, "precision int8 needs a calibration");
    return load_plain(model, map, options, msg);
}

/* The file's hash, taken by a thread of its own while the network is loaded: of ResNet50's 100 MB it takes as long as a
 * sixth of that. */
struct hashing {
    const struct pom_map *map;
    char *sha256;
    pthread_t thread;
    enum pom_status status;
    struct pom_message msg;
};

static void *hash(void *argument) {
    struct hashing *hashing = argument;
    hashing->status = pom_sha256_map(hashing->map, hashing->sha256, &hashing->msg);
    return NULL;
}

static enum pom_status load_while_hashing(struct pom_model *model, struct hashing *hashing,
    const struct pom_model_options *options, struct pom_message *msg) {
    bool apart = !options->calibration.data && pthread_create(&hashing->thread, NULL, hash, hashing) == 0;
    if (!apart)
        hash(hashing); /* a calibration is held against it first */
    enum pom_status status = load_mapped(model, hashing->map, options, msg);
    if (apart)
        pthread_join(hashing->thread, NULL);
    return status == POM_OK && hashing->status != POM_OK ? pom_fail(msg, hashing->status, "%s", hashing->msg.text)
                                                         : status;
}

static enum pom_status load_file(
    struct pom_model *model, const struct pom_model_options *options, struct pom_message *msg) {
    struct pom_map map;
    char *sha256 = pom_arena_alloc(&model->strings, POM_SHA256_HEX, 1);
    if (!sha256)
        return pom_fail_memory(msg, "a model's description");
    sha256[0] = '\0';
    model->info.sha256 = sha256;
    POM_TRY(pom_file_map(model->info.path, &map, msg));
    struct hashing hashing = {.map = &map, .sha256 = sha256};
    enum pom_status status = load_while_hashing(model, &hashing, options, msg);
    pom_file_unmap(&map);
    return status;
}

static enum pom_status load_named(
    struct pom_model *model, const char *name, const struct pom_model_options *options, struct pom_message *msg) {
    char *path = NULL;
    POM_TRY(pom_model_find(name, &path, msg));
    enum pom_status status = keep_string(model, path, &model->info.path, msg);
    free(path);
    POM_TRY(status);
    POM_TRY(keep_string(model, name, &model->info.name, msg));
    return load_file(model, options, msg);
}

static enum pom_status load_path(
    struct pom_model *model, const char *path, const struct pom_model_options *options, struct pom_message *msg) {
    POM_TRY(keep_string(model, path, &model->info.path, msg));
    POM_TRY(keep_base_name(model, path, msg));
    return load_file(model, options, msg);
}

static enum pom_status make_pixels(
    struct pom_model *model, const struct pom_model_options *options, struct pom_message *msg) {
    if (options->output_layer || options->preprocess)
        return pom_fail(msg, POM_ERR_ARGUMENT,
            "model pixels has no layers and no preprocessing: leave --output-layer and --preprocess out");
    if (options->precision != POM_PRECISION_EXACT)
        return pom_fail(msg, POM_ERR_ARGUMENT, "model pixels has no network: its precision is exact");
    int size = options->size ? options->size : DEFAULT_SIZE;
    model->info = (struct pom_model_info){.name = "pixels",
        .preprocess = "none",
        .output_layer = "pixels",
        .sha256 = "",
        .width = size,
        .height = size,
        .features = (size_t)size * (size_t)size * 3};
    return POM_OK;
}

enum pom_status pom_model_load(const char *name_or_path, const struct pom_model_options *options,
    struct pom_model **out, struct pom_message *msg) {
    static const struct pom_model_options defaults = {0};
    options = options ? options : &defaults;
    if (options->size < 0 || options->size > MAX_SIZE)
        return pom_fail(msg, POM_ERR_ARGUMENT, "an image size of %d is not in 1..%d", options->size, MAX_SIZE);
    POM_TRY(pom_precision_check(options->precision, msg));
    struct pom_model *model = pom_calloc(1, sizeof *model);
    if (!model)
        return pom_fail_memory(msg, "a model");
    enum pom_status status;
    if (strcmp(name_or_path, "pixels") == 0)
        status = make_pixels(model, options, msg);
    else if (pom_model_is_path(name_or_path))
        status = load_path(model, name_or_path, options, msg);
    else
        status = load_named(model, name_or_path, options, msg);
    if (status == POM_OK)
        *out = model;
    else
        pom_model_free(model);
    return status;
}

void pom_model_free(struct pom_model *model) {
    if (!model)
        return;
    pom_net_free(model->net);
    pom_arena_clean_up(&model->strings);
    free(model);
}

const struct pom_model_info *pom_model_info(const struct pom_model *model) {
    return &model->info;
}
