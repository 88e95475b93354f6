#include "model/pull.h"

#include "base/file.h"
#include "model/download.h"
#include "model/keras.h"
#include "model/registry.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KERAS_URL "https://storage.googleapis.com/tensorflow/keras-applications"

enum { MAX_NAME = 4096 };
enum { MAX_BYTES = 1 << 30 }; /* the largest, VGG16 with its classifier, has 553 million */

/* The files of keras.applications. The hashes of ResNet50 and VGG16 stand in Keras's source (resnet.py, vgg16.py); for
 * MobileNetV2 Keras publishes none, and this is what several public projects recorded of the file. */
static const struct source {
    const char *name;
    bool classifier;
    const char *path; /* below the base URL */
    const char *hash; /* MD5 (32 digits) or SHA-256 (64) */
} sources[] = {
    {"mobilenetv2", false, "mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
        "f8aff69536bd77a692c594f559c798c19bf7f3f36668fc9fa00b21c6aab4797c"},
    {"resnet50", false, "resnet/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "4d473c1dd8becc155b73f8504c6f6626"},
    {"resnet50", true, "resnet/resnet50_weights_tf_dim_ordering_tf_kernels.h5", "2cb95161c43110f7111970584f804107"},
    {"vgg16", false, "vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5", "6d6bbae143d832006294945121d1f1fc"},
    {"vgg16", true, "vgg16/vgg16_weights_tf_dim_ordering_tf_kernels.h5", "64373286793e3c8b2b4e3219cbf3544b"},
};

static enum pom_status find_source(
    const char *name, bool classifier, const struct source **out, struct pom_message *msg) {
    bool known = false;
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        bool named = strcmp(sources[i].name, name) == 0;
        known |= named;
        if (named && sources[i].classifier == classifier) {
            *out = &sources[i];
            return POM_OK;
        }
    }
    if (known)
        return pom_fail(msg, POM_ERR_NOT_FOUND,
            "no hash is published for %s with its classifier: download the file yourself and run `pomona model import "
            "FILE.h5`",
            name);
    const struct pom_known_model *model = pom_known_model(name);
    if (model)
        return pom_fail(msg, POM_ERR_ARGUMENT, "%s has no file to download%s%s", name,
            model->obtain ? ": get it with " : "", model->obtain ? model->obtain : "");
    return pom_fail(
        msg, POM_ERR_NOT_FOUND, "cannot pull \"%s\": only mobilenetv2, resnet50 and vgg16 are downloaded", name);
}

static enum pom_status check_hash(const struct source *source, const struct pom_pull_options *options, const char *url,
    const char *path, struct pom_pulled *out, struct pom_message *msg) {
    struct pom_map map;
    char md5[POM_MD5_HEX] = "";
    POM_TRY(pom_file_map(path, &map, msg));
    enum pom_status status = pom_sha256(map.data, map.size, out->sha256, msg);
    if (status == POM_OK)
        status = pom_md5(map.data, map.size, md5, msg);
    out->bytes = map.size;
    pom_file_unmap(&map);
    POM_TRY(status);
    const char *wanted = options->sha256 ? options->sha256 : source->hash;
    bool by_keras = strlen(source->hash) == strlen(md5);
    const char *found = strlen(wanted) == strlen(md5) ? md5 : out->sha256;
    out->authority = options->sha256 ? "--sha256"
                     : by_keras      ? "the MD5 in Keras's source"
                                     : "what public projects record; Keras publishes no hash of it";
    if (strcasecmp(found, wanted) == 0)
        return POM_OK;
    return pom_fail(msg, POM_ERR_FORMAT, "%s is not the published file: its hash is %s, not %s; it was thrown away",
        url, found, wanted);
}

/* The network in the file must be the one of that name, with its classifier where that was asked for. An earlier one
 * stays until this is known. */
static enum pom_status import(const struct source *source, const char *h5, const char *onnx, struct pom_message *msg) {
    const char *network = NULL;
    char temporary[MAX_NAME + 8];
    struct pom_keras_imported imported;
    POM_TRY(pom_keras_recognise(h5, &network, msg));
    if (strcmp(network, source->name) != 0)
        return pom_fail(msg, POM_ERR_FORMAT, "the weights downloaded for %s are those of %s", source->name, network);
    snprintf(temporary, sizeof temporary, "%s.onnx", h5);
    POM_TRY(pom_keras_import(h5, temporary, &imported, msg));
    enum pom_status status =
        source->classifier && !imported.classifier
            ? pom_fail(msg, POM_ERR_FORMAT, "the weights downloaded for %s have no classifier", source->name)
            : pom_file_commit(temporary, onnx, msg);
    if (status != POM_OK)
        unlink(temporary);
    return status;
}

static enum pom_status pull(const struct source *source, const struct pom_pull_options *options, const char *url,
    const char *temporary, struct pom_pulled *out, struct pom_message *msg) {
    struct pom_download download = {.url = url,
        .max_bytes = MAX_BYTES,
        .progress = options->progress,
        .context = options->context,
        .cancel = options->cancel};
    POM_TRY(pom_download(&download, temporary, msg));
    enum pom_status status = check_hash(source, options, url, temporary, out, msg);
    if (status == POM_OK)
        status = import(source, temporary, out->path, msg);
    unlink(temporary);
    return status;
}

static const char *base_url(const struct pom_pull_options *options) {
    const char *set = getenv("POMONA_MODEL_URL");
    if (options->base_url)
        return options->base_url;
    return set && *set ? set : KERAS_URL;
}

enum pom_status pom_model_pull(
    const char *name, const struct pom_pull_options *options, struct pom_pulled *out, struct pom_message *msg) {
    static const struct pom_pull_options defaults = {0};
    const struct source *source = NULL;
    char url[MAX_NAME], temporary[MAX_NAME];
    options = options ? options : &defaults;
    *out = (struct pom_pulled){0};
    if (options->sha256 && strlen(options->sha256) != POM_SHA256_HEX - 1)
        return pom_fail(msg, POM_ERR_ARGUMENT, "\"%s\" is not a SHA-256: 64 hexadecimal digits", options->sha256);
    POM_TRY(find_source(name, options->classifier, &source, msg));
    POM_TRY(pom_model_destination(name, &out->path, msg));
    enum pom_status status;
    if (snprintf(url, sizeof url, "%s/%s", base_url(options), source->path) >= (int)sizeof url ||
        snprintf(temporary, sizeof temporary, "%s.%ld.part", out->path, (long)getpid()) >= (int)sizeof temporary)
        status = pom_fail(msg, POM_ERR_ARGUMENT, "POMONA_MODEL_URL or POMONA_MODELS is too long");
    else
        status = pull(source, options, url, temporary, out, msg);
    if (status != POM_OK) {
        free(out->path);
        out->path = NULL;
    }
    return status;
}
