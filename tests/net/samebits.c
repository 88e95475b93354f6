/* The features of many images, raw on standard output, so that their hash can be compared between CPU paths, numbers of
 * threads and batches (samebits.py).
 *
 * usage: samebits MODEL.onnx PIXELS SIDE THREADS BATCH exact|bf16|int8     PIXELS: SIDE x SIDE x 3 bytes for each image
 */
#include "base/file.h"
#include "base/memory.h"
#include "model/model.h"

#include <pomona/model.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_THREADS = 64, CALIBRATION_IMAGES = 4 };

struct task {
    const struct pom_model *model;
    const uint8_t *pixels;
    size_t image_bytes, n, d; /* of an image; images; features of each */
    float *features;
    int batch;
    _Atomic size_t next; /* the image that the next batch starts with */
};

static void quit(const char *what) {
    fprintf(stderr, "samebits: %s\n", what);
    exit(1);
}

static void need(enum pom_status status, const struct pom_message *msg) {
    if (status != POM_OK)
        quit(msg->text);
}

static void *work(void *context) {
    struct task *task = context;
    size_t batch = (size_t)task->batch, first;
    struct pom_message msg;
    struct pom_session *session;
    need(pom_session_new(task->model, task->batch, &session, &msg), &msg);
    while ((first = atomic_fetch_add(&task->next, batch)) < task->n) {
        size_t n = task->n - first < batch ? task->n - first : batch;
        need(pom_session_run(
                 session, task->pixels + first * task->image_bytes, (int)n, task->features + first * task->d, &msg),
            &msg);
    }
    pom_session_free(session);
    return NULL;
}

static void run_threads(struct task *task, int n) {
    pthread_t threads[MAX_THREADS];
    for (int i = 0; i < n; i++)
        if (pthread_create(&threads[i], NULL, work, task) != 0)
            quit("cannot start a thread");
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
}

/* Without asking: a CPU that lacks the instructions for bf16 is not offered it, as the portable form is slow. */
static void make_bf16(struct pom_model *model, const char *path, int side) {
    struct pom_net_options options = {.size = side, .image_input = true, .mapped = true, .bf16 = true};
    struct pom_map map;
    struct pom_message msg;
    need(pom_file_map(path, &map, &msg), &msg);
    pom_net_free(model->net);
    need(pom_net_load(map.data, map.size, &options, &model->net, &msg), &msg);
    pom_file_unmap(&map);
}

/* In int8 the model is calibrated on the first images. */
static struct pom_model *load_model(
    const char *path, int side, const char *precision, const uint8_t *pixels, size_t n) {
    struct pom_model_options options = {.size = side};
    struct pom_model *model, *exact;
    struct pom_message msg;
    void *blob;
    need(pom_model_load(path, &options, &model, &msg), &msg);
    if (strcmp(precision, "bf16") == 0)
        make_bf16(model, path, side);
    if (strcmp(precision, "int8") != 0)
        return model;
    exact = model;
    need(pom_model_calibrate(exact, pixels, n < CALIBRATION_IMAGES ? (int)n : CALIBRATION_IMAGES, &blob,
             &options.calibration.n_bytes, &msg),
        &msg);
    options.calibration.data = blob;
    options.precision = POM_PRECISION_INT8;
    need(pom_model_load(path, &options, &model, &msg), &msg);
    pom_model_free(exact);
    free(blob);
    return model;
}

int main(int argc, char **argv) {
    int side = argc == 7 ? atoi(argv[3]) : 0, threads = side > 0 ? atoi(argv[4]) : 0;
    if (threads < 1 || threads > MAX_THREADS)
        quit("usage: samebits MODEL.onnx PIXELS SIDE THREADS BATCH exact|bf16|int8");
    struct pom_map pixels;
    struct pom_message msg;
    need(pom_file_map(argv[2], &pixels, &msg), &msg);
    size_t image_bytes = (size_t)side * (size_t)side * 3, n = pixels.size / image_bytes;
    struct pom_model *model = load_model(argv[1], side, argv[6], pixels.data, n);
    struct task task = {.model = model,
        .pixels = pixels.data,
        .image_bytes = image_bytes,
        .n = n,
        .d = pom_model_info(model)->features,
        .batch = atoi(argv[5])};
    task.features = pom_alloc_aligned(n * task.d, sizeof(float));
    if (!task.features)
        quit("no memory");
    run_threads(&task, threads);
    if (fwrite(task.features, task.d * sizeof(float), n, stdout) != n || fflush(stdout) != 0)
        quit("cannot write the features");
    free(task.features);
    pom_file_unmap(&pixels);
    pom_model_free(model);
    return 0;
}
