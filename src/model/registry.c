#include "model/registry.h"

#include "base/buffer.h"
#include "base/file.h"
#include "model/paths.h"
#include <ctype.h>
#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct pom_known_model pom_known_models[] = {
    {"efficientnet-lite0", 1280, "EfficientNet-Lite0, ImageNet; the default",
        "`make deps` in Pomona's source folder, or run tools/efficientnet_lite0.py"},
    {"mobilenetv2", 1280, "MobileNetV2 1.0, Keras's ImageNet weights", "`pomona model pull mobilenetv2`"},
    {"resnet50", 2048, "ResNet50, Keras's ImageNet weights", "`pomona model pull resnet50`"},
    {"vgg16", 512, "VGG16 with its classifier, Keras's ImageNet weights", "`pomona model pull vgg16`"},
    {"pixels", 224 * 224 * 3, "the resized pixels themselves, RGB, 0 to 255", NULL},
};
const size_t pom_known_models_count = sizeof pom_known_models / sizeof *pom_known_models;

const struct pom_known_model *pom_known_model(const char *name) {
    for (size_t i = 0; i < pom_known_models_count; i++)
        if (strcmp(pom_known_models[i].name, name) == 0)
            return &pom_known_models[i];
    return NULL;
}

bool pom_model_is_path(const char *name_or_path) {
    size_t n = strlen(name_or_path);
    return strchr(name_or_path, '/') || (n >= 5 && strcmp(name_or_path + n - 5, ".onnx") == 0);
}

static enum pom_status check_name(const char *name, struct pom_message *msg) {
    bool good = isalnum((unsigned char)*name);
    for (const char *p = name; *p && good; p++)
        good = isalnum((unsigned char)*p) || strchr("._-", *p);
    if (good && strlen(name) <= NAME_MAX / 2)
        return POM_OK;
    return pom_fail(msg, POM_ERR_ARGUMENT, "\"%s\" is not a model's name: use letters, digits, '.', '_', '-'", name);
}

/* The folder of the running executable, without a final slash. */
static bool executable_folder(struct pom_buffer *out) {
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0)
        return false;
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    return slash && pom_buffer_append(out, path, (size_t)(slash - path));
}

static bool user_folder(struct pom_buffer *out) {
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache && *cache == '/')
        return pom_buffer_printf(out, "%s/pomona/models", cache);
    return home && *home && pom_buffer_printf(out, "%s/.cache/pomona/models", home);
}

static bool set_folder(struct pom_buffer *out) {
    const char *set = getenv("POMONA_MODELS");
    return set && *set && pom_buffer_text(out, set);
}

static bool relocated_folder(struct pom_buffer *out) {
    return executable_folder(out) && pom_buffer_text(out, "/../share/pomona/models");
}

/* Beside the shared library that holds this code, when another program has loaded it. */
static bool library_folder(struct pom_buffer *out) {
    Dl_info library;
    if (!dladdr(&pom_known_models_count, &library))
        return false;
    const char *slash = strrchr(library.dli_fname, '/');
    return slash && pom_buffer_append(out, library.dli_fname, (size_t)(slash - library.dli_fname)) &&
           pom_buffer_text(out, "/../share/pomona/models");
}

static bool installed_folder(struct pom_buffer *out) {
    return pom_buffer_text(out, POM_INSTALLED_MODELS);
}

static bool build_folder(struct pom_buffer *out) {
    return executable_folder(out) && pom_buffer_text(out, "/models");
}

static bool build_tools_folder(struct pom_buffer *out) {
    return executable_folder(out) && pom_buffer_text(out, "/../.deps/models");
}

/* In the order of the search; each appends a folder, or returns false where it has none. */
static bool (*const folders[])(struct pom_buffer *out) = {
    set_folder, user_folder, relocated_folder, library_folder, installed_folder, build_folder, build_tools_folder};

static enum pom_status not_found(const char *name, struct pom_message *msg) {
    const struct pom_known_model *known = pom_known_model(name);
    if (known)
        return pom_fail(
            msg, POM_ERR_NOT_FOUND, "the file of model %s is not on this machine: get it with %s", name, known->obtain);
    return pom_fail(msg, POM_ERR_NOT_FOUND,
        "no model is called \"%s\": `pomona model list` shows those there are; for a file give its path, ending in "
        ".onnx",
        name);
}

enum pom_status pom_model_find(const char *name, char **out, struct pom_message *msg) {
    struct pom_buffer path = {0};
    POM_TRY(check_name(name, msg));
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        path.size = 0;
        if (folders[i](&path) && pom_buffer_printf(&path, "/%s.onnx", name) && pom_file_exists(path.data)) {
            *out = path.data;
            return POM_OK;
        }
    }
    pom_buffer_clean_up(&path);
    return not_found(name, msg);
}

enum pom_status pom_model_folder(char **out, struct pom_message *msg) {
    struct pom_buffer path = {0};
    if (!set_folder(&path) && !user_folder(&path)) {
        pom_buffer_clean_up(&path);
        return pom_fail(msg, POM_ERR_ARGUMENT, "no folder to keep models in: set HOME or POMONA_MODELS");
    }
    *out = path.data;
    return POM_OK;
}

enum pom_status pom_model_destination(const char *name, char **out, struct pom_message *msg) {
    char *folder = NULL;
    struct pom_buffer path = {0};
    POM_TRY(check_name(name, msg));
    POM_TRY(pom_model_folder(&folder, msg));
    enum pom_status status = pom_make_folders(folder, msg);
    if (status == POM_OK && !pom_buffer_printf(&path, "%s/%s.onnx", folder, name))
        status = pom_fail_memory(msg, "a path");
    free(folder);
    if (status == POM_OK)
        *out = path.data;
    return status;
}
