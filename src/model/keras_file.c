#include "model/keras_file.h"

#include "base/buffer.h"
#include "base/memory.h"
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bounds on what a file may make us do; Keras's largest networks stay far below. */
enum { MAX_LAYERS = 4096, MAX_DEPTH = 12, MAX_NAME = 1024, MAX_CHUNKS = 4096, MAX_STRINGS = 65536, MAX_VISITS = 65536 };

struct layer {
    struct pom_keras_layer known;
    const char *container; /* Keras 3: the group that lists it; legacy: NULL */
};

struct pom_keras_file {
    hid_t file;
    const char *path;
    struct layer *layers;
    struct pom_keras_layer *list; /* what is shown of layers */
    size_t n_layers, capacity, visits;
    struct pom_arena strings;
};

static enum pom_status damaged(const struct pom_keras_file *file, const char *what, struct pom_message *msg) {
    return pom_fail(msg, POM_ERR_FORMAT, "%s: %s cannot be read: the file is damaged or not one that Keras wrote",
        file->path, what);
}

/* Links */

/* Keras writes hard links alone; others could lead to other files. */
static herr_t refuse_soft(hid_t group, const char *name, const H5L_info_t *link, void *data) {
    (void)group, (void)name, (void)data;
    return link->type == H5L_TYPE_HARD ? 0 : -1;
}

static bool has(hid_t group, const char *name) {
    return H5Lexists(group, name, H5P_DEFAULT) > 0;
}

/* Layers */

static enum pom_status keep(struct pom_keras_file *file, const char *text, const char **out, struct pom_message *msg) {
    *out = text ? pom_arena_strdup(&file->strings, text) : NULL;
    return *out || !text ? POM_OK : pom_fail_memory(msg, "names of layers");
}

static enum pom_status add_layer(
    struct pom_keras_file *file, const char *name, const char *group, const char *container, struct pom_message *msg) {
    if (file->n_layers == MAX_LAYERS)
        return pom_fail(msg, POM_ERR_LIMIT, "%s has more than %d layers", file->path, MAX_LAYERS);
    void *grown = file->layers;
    if (!pom_grow(&grown, &file->capacity, file->n_layers + 1, sizeof *file->layers))
        return pom_fail_memory(msg, "names of layers");
    file->layers = grown;
    struct layer *layer = &file->layers[file->n_layers];
    *layer = (struct layer){0};
    POM_TRY(keep(file, name, &layer->known.name, msg));
    POM_TRY(keep(file, group, &layer->known.group, msg));
    POM_TRY(keep(file, container, &layer->container, msg));
    file->n_layers++;
    return POM_OK;
}

static enum pom_status add_weight(
    struct pom_keras_file *file, struct pom_keras_layer *layer, const char *path, struct pom_message *msg) {
    if (layer->n_weights == POM_KERAS_MAX_WEIGHTS)
        return pom_fail(msg, POM_ERR_UNSUPPORTED,
            "%s: layer %s has more than %d arrays, so it is none of MobileNetV2, ResNet50, VGG16", file->path,
            layer->name ? layer->name : layer->group, POM_KERAS_MAX_WEIGHTS);
    return keep(file, path, &layer->weights[layer->n_weights++], msg);
}

/* Attributes */

typedef enum pom_status (*on_string)(
    struct pom_keras_file *file, const char *text, void *context, struct pom_message *msg);

/* An attribute that lists strings, while it is read. */
struct strings {
    hid_t attribute, type, space;
    size_t n;
    const char *what; /* for messages */
};

static enum pom_status each_fixed(
    struct pom_keras_file *file, const struct strings *list, on_string each, void *context, struct pom_message *msg) {
    size_t size = H5Tget_size(list->type), bytes = 0;
    if (size == 0 || !pom_size_mul(list->n, size, &bytes) || bytes > H5Aget_storage_size(list->attribute))
        return damaged(file, list->what, msg);
    char *text = pom_calloc(bytes, 1), *one = pom_calloc(size, 2);
    enum pom_status status = POM_OK;
    if (!text || !one)
        status = pom_fail_memory(msg, list->what);
    else if (H5Aread(list->attribute, list->type, text) < 0)
        status = damaged(file, list->what, msg);
    for (size_t i = 0; text && one && i < list->n && status == POM_OK; i++) {
        memcpy(one, text + i * size, size);
        status = each(file, one, context, msg);
    }
    free(text);
    free(one);
    return status;
}

static enum pom_status each_variable(
    struct pom_keras_file *file, const struct strings *list, on_string each, void *context, struct pom_message *msg) {
    char **texts = pom_calloc(list->n, sizeof *texts);
    if (!texts)
        return pom_fail_memory(msg, list->what);
    bool read = H5Aread(list->attribute, list->type, texts) >= 0;
    enum pom_status status = read ? POM_OK : damaged(file, list->what, msg);
    for (size_t i = 0; i < list->n && status == POM_OK; i++)
        status = each(file, texts[i] ? texts[i] : "", context, msg);
    if (read)
        H5Dvlen_reclaim(list->type, list->space, H5P_DEFAULT, texts);
    free(texts);
    return status;
}

/* Calls each on every string of an attribute; an empty list may have any type. */
static enum pom_status each_string(struct pom_keras_file *file, hid_t attribute, const char *what, on_string each,
    void *context, struct pom_message *msg) {
    struct strings list = {
        .attribute = attribute, .type = H5Aget_type(attribute), .space = H5Aget_space(attribute), .what = what};
    hssize_t n = H5Sget_simple_extent_npoints(list.space);
    list.n = (size_t)n;
    enum pom_status status = POM_OK;
    if (n != 0 && (n < 0 || n > MAX_STRINGS || H5Tget_class(list.type) != H5T_STRING))
        status = damaged(file, what, msg);
    else if (n != 0)
        status = (H5Tis_variable_str(list.type) > 0 ? each_variable : each_fixed)(file, &list, each, context, msg);
    H5Tclose(list.type);
    H5Sclose(list.space);
    return status;
}

/* A list of names as an attribute, which Keras splits into NAME0, NAME1, .. where it is long. */
static enum pom_status each_name(struct pom_keras_file *file, hid_t group, const char *name, on_string each,
    void *context, struct pom_message *msg) {
    char part[64];
    bool split = H5Aexists(group, name) <= 0;
    enum pom_status status = POM_OK;
    for (int i = 0; i < (split ? MAX_CHUNKS : 1) && status == POM_OK; i++) {
        snprintf(part, sizeof part, split ? "%s%d" : "%s", name, i);
        if (H5Aexists(group, part) <= 0)
            return i > 0 ? POM_OK : damaged(file, name, msg);
        hid_t attribute = H5Aopen(group, part, H5P_DEFAULT);
        status = attribute < 0 ? damaged(file, part, msg) : each_string(file, attribute, part, each, context, msg);
        H5Aclose(attribute);
    }
    return status;
}

/* The legacy layout */

struct legacy {
    hid_t weights;     /* the group of all layers */
    const char *group; /* of the layer being read */
};

/* The name of the layer that owns a weight called "conv/kernel:0", "model/conv/kernel" or, in the oldest files,
 * "conv_W_1:0". */
static char *owner_of(const char *weight, const char *group) {
    const char *end = strrchr(weight, '/');
    if (!end)
        return strdup(group);
    const char *start = end;
    while (start > weight && start[-1] != '/')
        start--;
    return pom_strndup(start, (size_t)(end - start));
}

static struct pom_keras_layer *find_layer(struct pom_keras_file *file, const char *name) {
    for (size_t i = file->n_layers; i-- > 0;)
        if (strcmp(file->layers[i].known.name, name) == 0)
            return &file->layers[i].known;
    return NULL;
}

static enum pom_status add_legacy_weight(
    struct pom_keras_file *file, const char *weight, void *context, struct pom_message *msg) {
    const struct legacy *legacy = context;
    char *owner = owner_of(weight, legacy->group), path[2 * MAX_NAME];
    if (!owner)
        return pom_fail_memory(msg, "names of layers");
    enum pom_status status = find_layer(file, owner) ? POM_OK : add_layer(file, owner, NULL, NULL, msg);
    if (status == POM_OK &&
        snprintf(path, sizeof path, "%s%s/%s", has(file->file, "model_weights") ? "model_weights/" : "", legacy->group,
            weight) >= (int)sizeof path)
        status = damaged(file, "the name of a weight", msg);
    if (status == POM_OK)
        status = add_weight(file, find_layer(file, owner), path, msg);
    free(owner);
    return status;
}

static enum pom_status add_legacy_layer(
    struct pom_keras_file *file, const char *name, void *context, struct pom_message *msg) {
    struct legacy *legacy = context;
    hid_t group = *name ? H5Gopen2(legacy->weights, name, H5P_DEFAULT) : -1;
    if (group < 0)
        return damaged(file, *name ? name : "a layer without a name", msg);
    legacy->group = name;
    enum pom_status status = each_name(file, group, "weight_names", add_legacy_weight, legacy, msg);
    H5Gclose(group);
    return status;
}

/* Keras 3's layout */

static enum pom_status keep_name(
    struct pom_keras_file *file, const char *text, void *context, struct pom_message *msg) {
    return *text ? keep(file, text, context, msg) : POM_OK;
}

/* The name that newer versions note beside the arrays; *name stays NULL without one. */
static enum pom_status noted_name(struct pom_keras_file *file, hid_t vars, const char **name, struct pom_message *msg) {
    if (H5Aexists(vars, "name") <= 0)
        return POM_OK;
    hid_t attribute = H5Aopen(vars, "name", H5P_DEFAULT);
    enum pom_status status = attribute < 0 ? damaged(file, "a layer's name", msg)
                                           : each_string(file, attribute, "a layer's name", keep_name, name, msg);
    H5Aclose(attribute);
    return status;
}

static enum pom_status add_vars(
    struct pom_keras_file *file, hid_t vars, const char *path, const char *container, struct pom_message *msg) {
    const char *name = NULL;
    char index[16], weight[2 * MAX_NAME];
    if (!has(vars, "0"))
        return POM_OK;
    POM_TRY(noted_name(file, vars, &name, msg));
    POM_TRY(add_layer(file, name, strrchr(path, '/') + 1, container, msg));
    for (int i = 0; snprintf(index, sizeof index, "%d", i), has(vars, index); i++) {
        snprintf(weight, sizeof weight, "%s/vars/%d", path, i);
        POM_TRY(add_weight(file, &file->layers[file->n_layers - 1].known, weight, msg));
    }
    return POM_OK;
}

static enum pom_status walk(struct pom_keras_file *file, const char *path, int depth, struct pom_message *msg);

/* A child of a group: a layer with arrays of its own, or one that holds others, or both. */
static enum pom_status walk_child(
    struct pom_keras_file *file, const char *container, const char *name, int depth, struct pom_message *msg) {
    char path[MAX_NAME];
    if (snprintf(path, sizeof path, "%s/%s", container, name) >= (int)sizeof path || strcmp(name, "optimizer") == 0)
        return POM_OK;
    hid_t group = H5Gopen2(file->file, path, H5P_DEFAULT);
    if (group < 0)
        return POM_OK;
    enum pom_status status = POM_OK;
    hid_t vars = has(group, "vars") ? H5Gopen2(group, "vars", H5P_DEFAULT) : -1;
    H5Gclose(group);
    if (vars >= 0) {
        status = add_vars(file, vars, path, container, msg);
        H5Gclose(vars);
    }
    return status == POM_OK && strcmp(name, "vars") != 0 ? walk(file, path, depth + 1, msg) : status;
}

static enum pom_status walk(struct pom_keras_file *file, const char *path, int depth, struct pom_message *msg) {
    H5G_info_t info;
    if (depth > MAX_DEPTH || file->visits++ > MAX_VISITS)
        return damaged(file, "its tree of groups", msg);
    if (H5Gget_info_by_name(file->file, *path ? path : "/", &info, H5P_DEFAULT) < 0)
        return damaged(file, path, msg);
    for (hsize_t i = 0; i < info.nlinks && i < MAX_LAYERS; i++) {
        char name[MAX_NAME];
        if (H5Lget_name_by_idx(
                file->file, *path ? path : "/", H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name, H5P_DEFAULT) < 0)
            return damaged(file, path, msg);
        POM_TRY(walk_child(file, path, name, depth, msg));
    }
    return POM_OK;
}

static bool is_in(const struct layer *layer, const char *container) {
    return layer->container && strcmp(layer->container, container) == 0;
}

static size_t container_size(const struct pom_keras_file *file, const char *container) {
    size_t n = 0;
    for (size_t i = 0; i < file->n_layers; i++)
        n += is_in(&file->layers[i], container);
    return n;
}

/* Of a network nested in another, the layers of the larger: the rest is the head that someone put on it. */
static void keep_largest_container(struct pom_keras_file *file) {
    const char *best = "";
    for (size_t i = 0; i < file->n_layers; i++)
        if (container_size(file, file->layers[i].container) > container_size(file, best))
            best = file->layers[i].container;
    size_t kept = 0;
    for (size_t i = 0; i < file->n_layers; i++)
        if (is_in(&file->layers[i], best))
            file->layers[kept++] = file->layers[i];
    file->n_layers = kept;
}

/* The file */

static enum pom_status read_layers(struct pom_keras_file *file, struct pom_message *msg) {
    struct legacy legacy = {
        .weights = H5Gopen2(file->file, has(file->file, "model_weights") ? "model_weights" : "/", H5P_DEFAULT)};
    if (legacy.weights < 0)
        return damaged(file, "its group of weights", msg);
    enum pom_status status;
    if (H5Aexists(legacy.weights, "layer_names") > 0 || H5Aexists(legacy.weights, "layer_names0") > 0) {
        status = each_name(file, legacy.weights, "layer_names", add_legacy_layer, &legacy, msg);
    } else {
        status = walk(file, "", 0, msg);
        keep_largest_container(file);
    }
    H5Gclose(legacy.weights);
    if (status == POM_OK && file->n_layers == 0)
        return pom_fail(msg, POM_ERR_FORMAT, "%s is HDF5, but holds no weights as Keras lays them out", file->path);
    return status;
}

static enum pom_status publish_layers(struct pom_keras_file *file, struct pom_message *msg) {
    file->list = pom_calloc(file->n_layers, sizeof *file->list);
    if (!file->list)
        return pom_fail_memory(msg, "names of layers");
    for (size_t i = 0; i < file->n_layers; i++)
        file->list[i] = file->layers[i].known;
    return POM_OK;
}

/* libhdf5 tells little of why it cannot open a file. */
static enum pom_status explain_unopened(const char *path, struct pom_message *msg) {
    char start[2] = "";
    FILE *file = fopen(path, "rbe");
    if (!file)
        return pom_fail_errno(msg, POM_ERR_NOT_FOUND, "cannot open %s", path);
    bool zip = fread(start, sizeof start, 1, file) == 1 && memcmp(start, "PK", 2) == 0;
    fclose(file);
    if (zip)
        return pom_fail(msg, POM_ERR_UNSUPPORTED,
            "%s is an archive, as Keras's .keras files are: unzip it and import the model.weights.h5 in it", path);
    return pom_fail(msg, POM_ERR_FORMAT, "%s is not an HDF5 file, or is truncated: download or save it again", path);
}

static enum pom_status open_file(struct pom_keras_file *file, const char *path, struct pom_message *msg) {
    POM_TRY(keep(file, path, &file->path, msg));
    file->file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file->file < 0)
        return explain_unopened(path, msg);
    if (H5Lvisit(file->file, H5_INDEX_NAME, H5_ITER_NATIVE, refuse_soft, NULL) < 0)
        return damaged(file, "its table of groups", msg);
    POM_TRY(read_layers(file, msg));
    return publish_layers(file, msg);
}

enum pom_status pom_keras_open(const char *path, struct pom_keras_file **out, struct pom_message *msg) {
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); /* libhdf5 prints its stack of errors unless told otherwise */
    struct pom_keras_file *file = pom_calloc(1, sizeof *file);
    if (!file)
        return pom_fail_memory(msg, path);
    file->file = -1;
    enum pom_status status = open_file(file, path, msg);
    if (status == POM_OK)
        *out = file;
    else
        pom_keras_close(file);
    return status;
}

void pom_keras_close(struct pom_keras_file *file) {
    if (!file)
        return;
    if (file->file >= 0)
        H5Fclose(file->file);
    pom_arena_clean_up(&file->strings);
    free(file->layers);
    free(file->list);
    free(file);
}

const struct pom_keras_layer *pom_keras_layers(const struct pom_keras_file *file, size_t *n) {
    *n = file->n_layers;
    return file->list;
}

/* Arrays */

static bool is_plain(hid_t set) {
    hid_t creation = H5Dget_create_plist(set), type = H5Dget_type(set);
    bool plain = H5Tget_class(type) == H5T_FLOAT && H5Pget_layout(creation) != H5D_VIRTUAL &&
                 H5Pget_external_count(creation) == 0;
    H5Tclose(type);
    H5Pclose(creation);
    return plain;
}

static bool read_shape(hid_t set, int *rank, int64_t dims[POM_KERAS_MAX_RANK]) {
    hsize_t sizes[POM_KERAS_MAX_RANK] = {0};
    hid_t space = H5Dget_space(set);
    *rank = H5Sget_simple_extent_ndims(space);
    bool good = *rank >= 1 && *rank <= POM_KERAS_MAX_RANK && H5Sget_simple_extent_dims(space, sizes, NULL) == *rank;
    int64_t elements = 1;
    for (int i = 0; i < *rank && good; i++) {
        good = sizes[i] >= 1 && sizes[i] <= INT32_MAX && (elements *= (int64_t)sizes[i]) <= INT32_MAX;
        dims[i] = (int64_t)sizes[i];
    }
    H5Sclose(space);
    return good;
}

enum pom_status pom_keras_shape(const struct pom_keras_file *file, const char *weight, int *rank,
    int64_t dims[POM_KERAS_MAX_RANK], struct pom_message *msg) {
    hid_t set = H5Dopen2(file->file, weight, H5P_DEFAULT);
    if (set < 0)
        return damaged(file, weight, msg);
    bool good = is_plain(set) && read_shape(set, rank, dims);
    H5Dclose(set);
    return good ? POM_OK : damaged(file, weight, msg);
}

enum pom_status pom_keras_read(
    const struct pom_keras_file *file, const char *weight, float *out, struct pom_message *msg) {
    hid_t set = H5Dopen2(file->file, weight, H5P_DEFAULT);
    bool good = set >= 0 && H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, out) >= 0;
    H5Dclose(set);
    return good ? POM_OK : damaged(file, weight, msg);
}
