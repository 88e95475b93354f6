/* How fast each layer of the networks is. */
#include "kernelcheck.h"
#include "net/kernels/bf16.h"
#include "net/kernels/int8.h"
#include "net/kernels/peak.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Square pictures, ReLU6 or none; "same" padding, which at stride 2 is behind. n: how often the network has the layer.
 */
struct layer {
    int n, size, in_c, out_c, kernel, stride;
    bool depthwise, residual;
};

static const struct layer mobilenetv2[] = {{1, 224, 3, 32, 3, 2, false, false}, {1, 112, 32, 32, 3, 1, true, false},
    {1, 112, 32, 16, 1, 1, false, false}, {1, 112, 16, 96, 1, 1, false, false}, {1, 112, 96, 96, 3, 2, true, false},
    {1, 56, 96, 24, 1, 1, false, false}, {2, 56, 24, 144, 1, 1, false, false}, {1, 56, 144, 144, 3, 1, true, false},
    {1, 56, 144, 24, 1, 1, false, true}, {1, 56, 144, 144, 3, 2, true, false}, {1, 28, 144, 32, 1, 1, false, false},
    {3, 28, 32, 192, 1, 1, false, false}, {2, 28, 192, 192, 3, 1, true, false}, {2, 28, 192, 32, 1, 1, false, true},
    {1, 28, 192, 192, 3, 2, true, false}, {1, 14, 192, 64, 1, 1, false, false}, {4, 14, 64, 384, 1, 1, false, false},
    {4, 14, 384, 384, 3, 1, true, false}, {3, 14, 384, 64, 1, 1, false, true}, {1, 14, 384, 96, 1, 1, false, false},
    {3, 14, 96, 576, 1, 1, false, false}, {2, 14, 576, 576, 3, 1, true, false}, {2, 14, 576, 96, 1, 1, false, true},
    {1, 14, 576, 576, 3, 2, true, false}, {1, 7, 576, 160, 1, 1, false, false}, {3, 7, 160, 960, 1, 1, false, false},
    {3, 7, 960, 960, 3, 1, true, false}, {2, 7, 960, 160, 1, 1, false, true}, {1, 7, 960, 320, 1, 1, false, false},
    {1, 7, 320, 1280, 1, 1, false, false}, {0}};

static const struct layer efficientnet_lite0[] = {{1, 224, 3, 32, 3, 2, false, false},
    {1, 112, 32, 32, 3, 1, true, false}, {1, 112, 32, 16, 1, 1, false, false}, {1, 112, 16, 96, 1, 1, false, false},
    {1, 112, 96, 96, 3, 2, true, false}, {1, 56, 96, 24, 1, 1, false, false}, {2, 56, 24, 144, 1, 1, false, false},
    {1, 56, 144, 144, 3, 1, true, false}, {1, 56, 144, 24, 1, 1, false, true}, {1, 56, 144, 144, 5, 2, true, false},
    {1, 28, 144, 40, 1, 1, false, false}, {2, 28, 40, 240, 1, 1, false, false}, {1, 28, 240, 240, 5, 1, true, false},
    {1, 28, 240, 40, 1, 1, false, true}, {1, 28, 240, 240, 3, 2, true, false}, {1, 14, 240, 80, 1, 1, false, false},
    {3, 14, 80, 480, 1, 1, false, false}, {2, 14, 480, 480, 3, 1, true, false}, {2, 14, 480, 80, 1, 1, false, true},
    {1, 14, 480, 480, 5, 1, true, false}, {1, 14, 480, 112, 1, 1, false, false}, {3, 14, 112, 672, 1, 1, false, false},
    {2, 14, 672, 672, 5, 1, true, false}, {2, 14, 672, 112, 1, 1, false, true}, {1, 14, 672, 672, 5, 2, true, false},
    {1, 7, 672, 192, 1, 1, false, false}, {4, 7, 192, 1152, 1, 1, false, false}, {3, 7, 1152, 1152, 5, 1, true, false},
    {3, 7, 1152, 192, 1, 1, false, true}, {1, 7, 1152, 1152, 3, 1, true, false}, {1, 7, 1152, 320, 1, 1, false, false},
    {1, 7, 320, 1280, 1, 1, false, false}, {0}};

static const struct layer resnet50[] = {{1, 224, 3, 64, 7, 2, false, false}, {1, 56, 64, 64, 1, 1, false, false},
    {2, 56, 256, 64, 1, 1, false, false}, {3, 56, 64, 64, 3, 1, false, false}, {4, 56, 64, 256, 1, 1, false, true},
    {1, 56, 256, 512, 1, 2, false, false}, {1, 56, 256, 128, 1, 2, false, false}, {3, 28, 512, 128, 1, 1, false, false},
    {4, 28, 128, 128, 3, 1, false, false}, {4, 28, 128, 512, 1, 1, false, true}, {1, 28, 512, 1024, 1, 2, false, false},
    {1, 28, 512, 256, 1, 2, false, false}, {5, 14, 1024, 256, 1, 1, false, false},
    {6, 14, 256, 256, 3, 1, false, false}, {6, 14, 256, 1024, 1, 1, false, true},
    {1, 14, 1024, 2048, 1, 2, false, false}, {1, 14, 1024, 512, 1, 2, false, false},
    {2, 7, 2048, 512, 1, 1, false, false}, {3, 7, 512, 512, 3, 1, false, false}, {3, 7, 512, 2048, 1, 1, false, true},
    {0}};

static const struct layer vgg16[] = {{1, 224, 3, 64, 3, 1, false, false}, {1, 224, 64, 64, 3, 1, false, false},
    {1, 112, 64, 128, 3, 1, false, false}, {1, 112, 128, 128, 3, 1, false, false},
    {1, 56, 128, 256, 3, 1, false, false}, {2, 56, 256, 256, 3, 1, false, false}, {1, 28, 256, 512, 3, 1, false, false},
    {2, 28, 512, 512, 3, 1, false, false}, {3, 14, 512, 512, 3, 1, false, false}, {0}};

/* linear: a 1x1 convolution to fewer channels has no activation. */
static const struct {
    const char *name;
    const struct layer *layers;
    bool linear;
} networks[] = {{"mobilenetv2", mobilenetv2, true}, {"efficientnet-lite0", efficientnet_lite0, true},
    {"resnet50", resnet50, false}, {"vgg16", vgg16, false}};

static struct pom_conv_desc desc_of(const struct layer *l, bool linear) {
    linear = linear && l->kernel == 1 && l->out_c < l->in_c;
    int out = (l->size + l->stride - 1) / l->stride;
    int pads = (out - 1) * l->stride + l->kernel - l->size, pad = pads > 0 ? pads / 2 : 0;
    return (struct pom_conv_desc){l->size, l->size, l->in_c, out, out, l->out_c, l->kernel, l->kernel, l->stride,
        l->stride, 1, 1, pad, pad, l->depthwise ? l->in_c : 1, l->residual, linear ? POM_ACT_NONE : POM_ACT_CLIP, 0.0f,
        6.0f};
}

/* A layer made ready: run(layer) computes it once for its images. */
struct prepared {
    void (*run)(const struct prepared *layer);
    const struct pom_conv *conv;
    const struct pom_int8_conv *int8;
    void *in, *residual, *out, *scratch;
    int images;
};

/* What is measured, and how. */
struct bench_run {
    const struct precision *precision;
    enum pom_isa isa;
    double peak; /* GOP/s */
    int images;  /* in one call */
    bool linear;
};

struct precision {
    const char *name;
    double (*peak)(enum pom_isa isa);
    double (*measure)(const struct pom_conv_desc *d, const struct bench_run *run, const float *weights,
        const float *bias, const char **name);
};

static void run_floats(const struct prepared *p) {
    pom_conv_run(p->conv, p->in, p->residual, p->out, p->images, p->scratch);
}

static void run_int8(const struct prepared *p) {
    pom_int8_conv_run(p->int8, p->in, p->residual, p->out, p->images, p->scratch);
}

static double thread_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void *memory(size_t bytes) {
    void *data = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!data)
        exit(1);
    memset(data, 0, bytes);
    return data;
}

static float *random_floats(size_t n) {
    float *data = memory(n * sizeof(float));
    fill(data, n, VALUES_PLAIN);
    return data;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double seconds_of(int runs, const struct prepared *p) {
    double start = thread_seconds();
    for (int i = 0; i < runs; i++)
        p->run(p);
    return (thread_seconds() - start) / runs / p->images;
}

/* Seconds of one image: the median of rounds long enough for the clock. */
static double median_seconds(const struct prepared *p) {
    enum { ROUNDS = 15 };
    const double round = 500e-6;
    double seconds[ROUNDS], first = seconds_of(2, p);
    int runs = first * p->images < round ? (int)(round / first / p->images) + 1 : 1;
    for (int i = 0; i < ROUNDS; i++)
        seconds[i] = seconds_of(runs, p);
    qsort(seconds, ROUNDS, sizeof *seconds, by_value);
    return seconds[ROUNDS / 2];
}

static size_t n_in(const struct pom_conv_desc *d) {
    return (size_t)d->in_h * (size_t)d->in_w * (size_t)d->in_c;
}

static size_t n_out(const struct pom_conv_desc *d) {
    return (size_t)d->out_h * (size_t)d->out_w * (size_t)d->out_c;
}

/* Frees conv. In bf16 half of the memory is used; how fast a layer is does not depend on the numbers. */
static double measure_conv(
    struct pom_conv *conv, const struct pom_conv_desc *d, const struct bench_run *run, const char **name) {
    size_t images = (size_t)run->images;
    struct prepared p = {.run = run_floats,
        .conv = conv,
        .in = random_floats(images * n_in(d)),
        .residual = random_floats(images * n_out(d)),
        .out = random_floats(images * n_out(d)),
        .scratch = random_floats(pom_conv_scratch_bytes(conv) / sizeof(float)),
        .images = run->images};
    double seconds = median_seconds(&p);
    *name = pom_conv_kernel_name(conv);
    pom_conv_free(conv);
    void *all[] = {p.in, p.residual, p.out, p.scratch};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    return seconds;
}

static double measure_floats(const struct pom_conv_desc *d, const struct bench_run *run, const float *weights,
    const float *bias, const char **name) {
    struct pom_message msg;
    struct pom_conv *conv;
    require(pom_conv_new(d, run->isa, weights, bias, &conv, &msg), &msg);
    return measure_conv(conv, d, run, name);
}

/* Layers that gain nothing by bf16 stay in floats, as in a network. */
static double measure_bf16(const struct pom_conv_desc *d, const struct bench_run *run, const float *weights,
    const float *bias, const char **name) {
    struct pom_message msg;
    struct pom_conv *conv;
    if (!pom_bf16_conv_fits(d))
        return measure_floats(d, run, weights, bias, name);
    require(pom_bf16_conv_new(d, run->isa, weights, bias, NULL, &conv, &msg), &msg);
    return measure_conv(conv, d, run, name);
}

/* All on grids of scale 1/64 and zero 0: how fast it is does not depend on them. */
static double measure_int8(const struct pom_conv_desc *d, const struct bench_run *run, const float *weights,
    const float *bias, const char **name) {
    int channels = d->in_c > d->out_c ? d->in_c : d->out_c;
    size_t images = (size_t)run->images;
    float *scale = random_floats((size_t)channels);
    uint8_t *zero = memory((size_t)channels);
    for (int c = 0; c < channels; c++)
        scale[c] = 1.0f / 64;
    const struct pom_int8_grid grid = {.scale = scale, .zero = zero};
    const struct pom_int8_conv_desc desc = {.conv = *d, .in = grid, .residual = grid, .out = grid};
    struct pom_message msg;
    struct pom_int8_conv *conv;
    require(pom_int8_conv_new(&desc, run->isa, weights, bias, &conv, &msg), &msg);
    struct prepared p = {.run = run_int8,
        .int8 = conv,
        .in = memory(images * n_in(d)),
        .residual = memory(images * n_out(d)),
        .out = memory(images * n_out(d)),
        .scratch = memory(pom_int8_conv_scratch_bytes(conv)),
        .images = run->images};
    random_bytes(p.in, images * n_in(d));
    random_bytes(p.residual, images * n_out(d));
    double seconds = median_seconds(&p);
    *name = pom_int8_conv_kernel_name(conv);
    pom_int8_conv_free(conv);
    void *all[] = {p.in, p.residual, p.out, p.scratch, scale, zero};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    return seconds;
}

/* Seconds of one image; *ops: what it computes, a multiply-add as two. */
static double bench_layer(const struct layer *l, const struct bench_run *run, double *ops) {
    struct pom_conv_desc d = desc_of(l, run->linear);
    size_t depth = (size_t)d.kernel_h * (size_t)d.kernel_w * (size_t)(d.in_c / d.groups);
    float *weights = random_floats(depth * (size_t)d.out_c), *bias = random_floats((size_t)d.out_c);
    const char *name;
    double seconds = run->precision->measure(&d, run, weights, bias, &name);
    *ops = 2.0 * (double)n_out(&d) * (double)depth;
    printf("%2d x %3d %4d -> %4d  %dx%d/%d %-9s %8.1f us %6.1f GOP/s %5.1f %%  %s\n", l->n, l->size, l->in_c, l->out_c,
        l->kernel, l->kernel, l->stride,
        l->depthwise  ? "depthwise"
        : l->residual ? "add"
                      : "",
        seconds * 1e6, *ops / seconds * 1e-9, *ops / seconds * 1e-7 / run->peak, name);
    free(weights);
    free(bias);
    return seconds;
}

static void bench_precision(struct bench_run run, const char *network) {
    const char *name = run.precision->name, *isa = pom_isa_name(run.isa);
    run.peak = run.precision->peak(run.isa);
    printf("%s %s: peak %.1f GOP/s\n", name, isa, run.peak);
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        if (network && strcmp(network, networks[i].name) != 0)
            continue;
        run.linear = networks[i].linear;
        double seconds = 0.0, work = 0.0, ops;
        for (const struct layer *l = networks[i].layers; l->n > 0; l++) {
            seconds += l->n * bench_layer(l, &run, &ops);
            work += l->n * ops;
        }
        printf("%s %s %s: %.2f ms, %.1f GOP/s, %.1f %% of the peak\n", networks[i].name, name, isa, seconds * 1e3,
            work / seconds * 1e-9, work / seconds * 1e-7 / run.peak);
    }
}

void bench(enum pom_isa isa, const char *network, int images) {
    static const struct precision f32 = {"f32", pom_fma_peak, measure_floats},
                                  bf16 = {"bf16", pom_bf16_peak, measure_bf16},
                                  int8 = {"int8", pom_dot_peak, measure_int8};
    if (isa == pom_isa_base(isa))
        bench_precision((struct bench_run){.precision = &f32, .isa = isa, .images = images}, network);
    if (pom_bf16_peak(isa) > 0.0)
        bench_precision((struct bench_run){.precision = &bf16, .isa = isa, .images = images}, network);
    if (pom_dot_peak(isa) > 0.0)
        bench_precision((struct bench_run){.precision = &int8, .isa = isa, .images = images}, network);
}
