/* The features of many images, raw on standard output, so that their hash can be compared between CPU paths, numbers of
 * threads and batches (samebits.py).
 *
 * usage: samebits MODEL.onnx PIXELS SIDE THREADS BATCH     PIXELS: SIDE x SIDE x 3 bytes for each image */
#include "base/file.h"
#include "base/memory.h"
#include "image/tensor.h"
#include "net/net.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_THREADS = 64 };

struct task {
    const struct pom_net *net;
    struct pom_tensor_table table;
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
    struct pom_net_session *session;
    float *in = pom_alloc_aligned(batch * task->image_bytes, sizeof *in);
    if (!in)
        quit("no memory");
    need(pom_net_session_new(task->net, task->batch, &session, &msg), &msg);
    while ((first = atomic_fetch_add(&task->next, batch)) < task->n) {
        size_t n = task->n - first < batch ? task->n - first : batch;
        pom_tensor_from_rgb(&task->table, task->pixels + first * task->image_bytes, n * task->image_bytes / 3, in);
        float *out = task->features + first * task->d;
        need(pom_net_run(session, (const float *const[]){in}, (int)n, (float *const[]){out}, &msg), &msg);
    }
    pom_net_session_free(session);
    free(in);
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

static struct pom_net *load_net(const char *path, int side) {
    const struct pom_net_options options = {.size = side, .image_input = true};
    struct pom_net *net;
    struct pom_map file;
    struct pom_message msg;
    need(pom_file_map(path, &file, &msg), &msg);
    need(pom_net_load(file.data, file.size, &options, &net, &msg), &msg);
    pom_file_unmap(&file);
    return net;
}

static void make_table(struct task *task) {
    const char *named = pom_net_info(task->net)->preprocess;
    enum pom_preprocess preprocess;
    struct pom_message msg;
    need(pom_preprocess_parse(named ? named : "tf", &preprocess, &msg), &msg);
    pom_tensor_table_make(preprocess, &task->table);
}

int main(int argc, char **argv) {
    int side = argc == 6 ? atoi(argv[3]) : 0, threads = side ? atoi(argv[4]) : 0;
    if (threads < 1 || threads > MAX_THREADS)
        quit("usage: samebits MODEL.onnx PIXELS SIDE THREADS BATCH");
    struct pom_net *net = load_net(argv[1], side);
    struct pom_map pixels;
    struct pom_message msg;
    need(pom_file_map(argv[2], &pixels, &msg), &msg);
    struct task task = {.net = net,
        .pixels = pixels.data,
        .image_bytes = (size_t)side * (size_t)side * 3,
        .d = pom_net_info(net)->outputs[0].elements,
        .batch = atoi(argv[5])};
    task.n = pixels.size / task.image_bytes;
    task.features = pom_alloc_aligned(task.n * task.d, sizeof(float));
    if (!task.features)
        quit("no memory");
    make_table(&task);
    run_threads(&task, threads);
    if (fwrite(task.features, task.d * sizeof(float), task.n, stdout) != task.n || fflush(stdout) != 0)
        quit("cannot write the features");
    free(task.features);
    pom_file_unmap(&pixels);
    pom_net_free(net);
    return 0;
}
