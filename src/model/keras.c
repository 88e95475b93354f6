#include "model/keras.h"

#include "model/keras_networks.h"
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static bool has_layer(const struct pom_keras_file *file, const char *name, const char *group) {
    size_t n;
    const struct pom_keras_layer *layers = pom_keras_layers(file, &n);
    for (size_t i = 0; i < n; i++)
        if ((name && layers[i].name && strcmp(layers[i].name, name) == 0) ||
            (group && layers[i].group && strcmp(layers[i].group, group) == 0))
            return true;
    return false;
}

static bool has_count(const struct pom_keras_file *file, const struct pom_keras_network *network) {
    size_t n;
    const struct pom_keras_layer *layers = pom_keras_layers(file, &n);
    return !layers[0].group && (n == network->layers || n == network->layers + network->classifier_layers);
}

static bool matches(
    const struct pom_keras_file *file, const struct pom_keras_network *network, enum pom_keras_match match) {
    switch (match) {
    case POM_KERAS_BY_NAME:
        return has_layer(file, network->known_by, NULL);
    case POM_KERAS_BY_CLASS:
        return has_layer(file, NULL, network->known_by_class);
    default:
        return has_count(file, network);
    }
}

static enum pom_status recognise(const struct pom_keras_file *file, const char *path,
    const struct pom_keras_network **network, enum pom_keras_match *match, struct pom_message *msg) {
    for (*match = POM_KERAS_BY_NAME; *match <= POM_KERAS_BY_ORDER; ++*match)
        for (size_t i = 0; i < pom_keras_networks_count; i++)
            if (matches(file, *network = &pom_keras_networks[i], *match))
                return POM_OK;
    size_t n;
    const struct pom_keras_layer *first = pom_keras_layers(file, &n);
    return pom_fail(msg, POM_ERR_UNSUPPORTED,
        "%s holds weights of %zu layers, the first called %s, which are not those of Keras's MobileNetV2 (alpha 1.0), "
        "ResNet50 or VGG16",
        path, n, first->name ? first->name : first->group);
}

static void describe(
    struct pom_keras_builder *b, const struct pom_keras_network *network, struct pom_keras_tensor output) {
    const char *height = b->size ? NULL : "height", *width = b->size ? NULL : "width";
    const struct pom_onnx_dim image[] = {{"n", 0}, {NULL, 3}, {height, b->size}, {width, b->size}};
    const struct pom_onnx_dim features[] = {{"n", 0}, {NULL, output.channels}};
    pom_onnx_input(b->onnx, "image", image, 4);
    pom_onnx_output(b->onnx, output.name, features, 2);
    pom_onnx_metadata(b->onnx, "pomona.preprocess", network->preprocess);
    pom_onnx_metadata(b->onnx, "pomona.layout", "nhwc");
}

static enum pom_status build(
    struct pom_keras_builder *b, const struct pom_keras_network *network, const char *onnx_path) {
    b->onnx = pom_onnx_new(network->name);
    if (!b->onnx)
        return pom_fail_memory(b->msg, "a network");
    struct pom_keras_tensor output = network->build(b, (struct pom_keras_tensor){"image", 3});
    describe(b, network, output);
    if (b->status == POM_OK)
        b->status = pom_onnx_save(b->onnx, onnx_path, b->msg);
    pom_onnx_free(b->onnx);
    pom_arena_clean_up(&b->names);
    return b->status;
}

/* What reading a file came to; sent whole through a pipe. */
struct outcome {
    enum pom_status status;
    struct pom_message msg;
    struct pom_keras_imported imported;
};

_Static_assert(sizeof(struct outcome) <= PIPE_BUF, "an outcome is written at once");

/* Without onnx_path only tells which network it is. */
static enum pom_status read_file(
    const char *h5_path, const char *onnx_path, struct pom_keras_imported *imported, struct pom_message *msg) {
    struct pom_keras_builder b = {.path = h5_path, .msg = msg};
    struct pom_keras_file *file;
    const struct pom_keras_network *network = pom_keras_networks;
    POM_TRY(pom_keras_open(h5_path, &file, msg));
    b.file = file;
    enum pom_status status = recognise(file, h5_path, &network, &b.match, msg);
    if (status == POM_OK && onnx_path)
        status = build(&b, network, onnx_path);
    *imported = (struct pom_keras_imported){.network = network->name, .classifier = b.classifier};
    pom_keras_close(file);
    return status;
}

static void report(int pipe, const char *h5_path, const char *onnx_path) {
    struct outcome outcome = {0};
    outcome.status = read_file(h5_path, onnx_path, &outcome.imported, &outcome.msg);
    ssize_t written = write(pipe, &outcome, sizeof outcome);
    _exit(written == (ssize_t)sizeof outcome ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* libhdf5 can crash on a damaged file, so a child of the process reads it. The names in the outcome are static, and so
 * the same here. */
static enum pom_status read_apart(
    const char *h5_path, const char *onnx_path, struct pom_keras_imported *imported, struct pom_message *msg) {
    struct outcome outcome = {0};
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return pom_fail_errno(msg, POM_ERR_IO, "cannot make a pipe");
    pid_t child = fork();
    if (child == 0)
        report(ends[1], h5_path, onnx_path);
    close(ends[1]);
    ssize_t got = child > 0 ? read(ends[0], &outcome, sizeof outcome) : -1;
    close(ends[0]);
    if (child < 0)
        return pom_fail_errno(msg, POM_ERR_MEMORY, "cannot start a process to read %s", h5_path);
    waitpid(child, NULL, 0);
    if (got != (ssize_t)sizeof outcome)
        return pom_fail(msg, POM_ERR_FORMAT, "%s is damaged: libhdf5 broke down on it", h5_path);
    *imported = outcome.imported;
    return outcome.status == POM_OK ? POM_OK : pom_fail(msg, outcome.status, "%s", outcome.msg.text);
}

enum pom_status pom_keras_recognise(const char *path, const char **network, struct pom_message *msg) {
    struct pom_keras_imported imported = {0};
    POM_TRY(read_apart(path, NULL, &imported, msg));
    *network = imported.network;
    return POM_OK;
}

enum pom_status pom_keras_import(
    const char *h5_path, const char *onnx_path, struct pom_keras_imported *imported, struct pom_message *msg) {
    return read_apart(h5_path, onnx_path, imported, msg);
}
