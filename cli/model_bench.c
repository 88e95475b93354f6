#include "model_bench.h"
#include "random.h"

#include "base/memory.h"
#include "base/resources.h"
#include "base/status.h"
#include "model/model.h"
#include "net/kernels/peak.h"
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct shared {
    const struct pom_net *net;
    const struct pom_bench *bench;
};

struct worker {
    struct shared *shared;
    pthread_t thread;
    struct pom_net_session *session;
    float *in, *out;
    uint8_t *pixels;   /* instead of in, where the network takes them */
    uint64_t *step_ns; /* NULL: nobody asked */
    uint64_t images, elapsed_ns;
    enum pom_status status;
    struct pom_message message;
};

/* Floats in [-1, 1), or bytes. */
static bool make_input(struct worker *worker, size_t n) {
    uint32_t state = POM_RANDOM_SEED;
    if (pom_net_info(worker->shared->net)->takes_pixels) {
        worker->pixels = pom_alloc_aligned(n, 1);
        for (size_t i = 0; worker->pixels && i < n; i++)
            worker->pixels[i] = (uint8_t)(pom_random(&state) >> 24);
        return worker->pixels != NULL;
    }
    worker->in = pom_alloc_aligned(n, sizeof(float));
    for (size_t i = 0; worker->in && i < n; i++)
        worker->in[i] = (float)pom_random(&state) * 0x1p-31F - 1;
    return worker->in != NULL;
}

static enum pom_status prepare(struct worker *worker, struct pom_message *msg) {
    const struct pom_net_info *info = pom_net_info(worker->shared->net);
    size_t batch = (size_t)worker->shared->bench->batch;
    worker->out = pom_alloc_aligned(batch, info->outputs[0].elements * sizeof(float));
    if (!worker->out || !make_input(worker, batch * info->inputs[0].elements))
        return pom_fail_memory(msg, "a batch of random images");
    if (worker->shared->bench->layers) {
        worker->step_ns = pom_calloc((size_t)pom_net_steps(worker->shared->net), sizeof *worker->step_ns);
        if (!worker->step_ns)
            return pom_fail_memory(msg, "the times of a network's steps");
    }
    return pom_net_session_new(worker->shared->net, worker->shared->bench->batch, &worker->session, msg);
}

static enum pom_status run_batch(struct worker *worker) {
    int batch = worker->shared->bench->batch;
    float *const outputs[] = {worker->out};
    return worker->pixels
               ? pom_net_run_pixels(worker->session, worker->pixels, batch, outputs, &worker->message)
               : pom_net_run(worker->session, (const float *const[]){worker->in}, batch, outputs, &worker->message);
}

/* One batch to warm up, then as many as fit in the time. */
static void *work(void *context) {
    struct worker *worker = context;
    struct shared *shared = worker->shared;
    worker->status = run_batch(worker);
    pom_net_time_steps(worker->session, worker->step_ns);
    uint64_t begin = pom_now_ns(), end = begin + (uint64_t)(shared->bench->seconds * 1e9);
    for (uint64_t now = begin; worker->status == POM_OK && now < end; now = pom_now_ns()) {
        worker->status = run_batch(worker);
        worker->images += (uint64_t)shared->bench->batch;
    }
    worker->elapsed_ns = pom_now_ns() - begin;
    return NULL;
}

static enum pom_status run_workers(struct worker *workers, int n, struct pom_message *msg) {
    enum pom_status status = POM_OK;
    int started = 0;
    while (started < n && pthread_create(&workers[started].thread, NULL, work, &workers[started]) == 0)
        started++;
    if (started < n)
        status = pom_fail(msg, POM_ERR_MEMORY, "cannot start %d threads", n);
    for (int i = 0; i < started; i++) {
        pthread_join(workers[i].thread, NULL);
        if (workers[i].status != POM_OK && status == POM_OK)
            status = pom_fail(msg, workers[i].status, "%s", workers[i].message.text);
    }
    return status;
}

/* Of all threads together: the times of the first one take in those of the others. */
static void report_layers(
    const struct pom_model *model, const struct pom_bench *bench, const struct worker *workers, double core_peak) {
    int steps = pom_net_steps(model->net);
    uint64_t images = 0;
    for (int i = 0; i < bench->threads; i++) {
        images += workers[i].images;
        for (int s = 0; s < steps && i > 0; s++)
            workers[0].step_ns[s] += workers[i].step_ns[s];
    }
    pom_net_print_times(model->net, workers[0].step_ns, images, core_peak, stdout);
    printf("\n");
}

/* Of a core, in the precision's own arithmetic: dot products of bytes or bf16, where the CPU has them, else
 * multiply-adds of floats. */
static double peak_of(enum pom_precision precision, enum pom_isa isa) {
    double dots = precision == POM_PRECISION_INT8   ? pom_dot_peak(isa)
                  : precision == POM_PRECISION_BF16 ? pom_bf16_peak(isa)
                                                    : 0;
    return dots > 0 ? dots : pom_fma_peak(isa);
}

static void report(const struct pom_model *model, const struct pom_bench *bench, const struct worker *workers) {
    const struct pom_model_info *info = pom_model_info(model);
    enum pom_isa isa = pom_net_info(model->net)->isa;
    double rate = 0;
    for (int i = 0; i < bench->threads; i++)
        rate += (double)workers[i].images / ((double)workers[i].elapsed_ns * 1e-9);
    double core_peak = peak_of(info->precision, isa), peak = core_peak * bench->threads;
    double gflops = rate * 2 * (double)info->macs * 1e-9;
    if (bench->layers)
        report_layers(model, bench, workers, core_peak);
    printf("model %s  layer %s  input %dx%d  precision %s\n", info->name, info->output_layer, info->width, info->height,
        pom_precision_name(info->precision));
    printf("path %s  threads %d  batch %d  %.1f of %.1f G%s/s\n", pom_isa_name(isa), bench->threads, bench->batch,
        gflops, peak, info->precision == POM_PRECISION_INT8 ? "OP" : "FLOP");
    printf("images/s %.1f  peak %.0f %%\n", rate, 100 * gflops / peak);
}

static enum pom_status run_bench(struct shared *shared, struct worker *workers, struct pom_message *msg) {
    for (int i = 0; i < shared->bench->threads; i++) {
        workers[i].shared = shared;
        POM_TRY(prepare(&workers[i], msg));
    }
    return run_workers(workers, shared->bench->threads, msg);
}

enum pom_status pom_model_bench(const struct pom_model *model, const struct pom_bench *bench, struct pom_message *msg) {
    struct shared shared = {.net = pom_model_net(model), .bench = bench};
    if (!shared.net)
        return pom_fail(
            msg, POM_ERR_ARGUMENT, "model %s is no network, so there is nothing to time", pom_model_info(model)->name);
    struct worker *workers = pom_calloc((size_t)bench->threads, sizeof *workers);
    if (!workers)
        return pom_fail_memory(msg, "threads");
    enum pom_status status = run_bench(&shared, workers, msg);
    if (status == POM_OK)
        report(model, bench, workers);
    for (int i = 0; i < bench->threads; i++) {
        pom_net_session_free(workers[i].session);
        free(workers[i].in);
        free(workers[i].pixels);
        free(workers[i].out);
        free(workers[i].step_ns);
    }
    free(workers);
    return status;
}
