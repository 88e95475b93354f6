/* How fast each layer of the networks is. */
#include "kernelcheck.h"
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

struct tensors {
    float *in, *residual, *out, *scratch;
    int images;
};

struct bench_run {
    enum pom_isa isa;
    double peak; /* GFLOP/s */
    int images;  /* in one call */
    bool linear;
};

static double thread_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static float *random_floats(size_t n) {
    float *data = aligned_alloc(64, (n * sizeof(float) + 63) / 64 * 64);
    if (!data)
        exit(1);
    fill(data, n, VALUES_PLAIN);
    return data;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double seconds_of(int runs, const struct pom_conv *conv, const struct tensors *t) {
    double start = thread_seconds();
    for (int i = 0; i < runs; i++)
        pom_conv_run(conv, t->in, t->residual, t->out, t->images, t->scratch);
    return (thread_seconds() - start) / runs / t->images;
}

/* Seconds of one image: the median of rounds long enough for the clock. */
static double median_seconds(const struct pom_conv *conv, const struct tensors *t) {
    enum { ROUNDS = 15 };
    const double round = 500e-6;
    double seconds[ROUNDS], first = seconds_of(2, conv, t);
    int runs = first * t->images < round ? (int)(round / first / t->images) + 1 : 1;
    for (int i = 0; i < ROUNDS; i++)
        seconds[i] = seconds_of(runs, conv, t);
    qsort(seconds, ROUNDS, sizeof *seconds, by_value);
    return seconds[ROUNDS / 2];
}

/* Seconds of one image; *flops: what it computes. */
static double bench_layer(const struct layer *l, const struct bench_run *run, double *flops) {
    struct pom_conv_desc d = desc_of(l, run->linear);
    size_t images = (size_t)run->images, n_out = (size_t)d.out_h * (size_t)d.out_w * (size_t)d.out_c;
    size_t depth = (size_t)d.kernel_h * (size_t)d.kernel_w * (size_t)(d.in_c / d.groups);
    float *weights = random_floats(depth * (size_t)d.out_c), *bias = random_floats((size_t)d.out_c);
    struct pom_message msg;
    struct pom_conv *conv;
    if (pom_conv_new(&d, run->isa, weights, bias, &conv, &msg) != POM_OK)
        exit(1);
    struct tensors t = {.in = random_floats(images * (size_t)d.in_h * (size_t)d.in_w * (size_t)d.in_c),
        .residual = random_floats(images * n_out),
        .out = random_floats(images * n_out),
        .scratch = random_floats(pom_conv_scratch_bytes(conv) / sizeof(float)),
        .images = run->images};
    double seconds = median_seconds(conv, &t);
    *flops = 2.0 * (double)n_out * (double)depth;
    printf("%2d x %3d %4d -> %4d  %dx%d/%d %-9s %8.1f us %6.1f GFLOP/s %5.1f %%  %s\n", l->n, l->size, l->in_c,
        l->out_c, l->kernel, l->kernel, l->stride,
        l->depthwise  ? "depthwise"
        : l->residual ? "add"
                      : "",
        seconds * 1e6, *flops / seconds * 1e-9, *flops / seconds * 1e-7 / run->peak, pom_conv_kernel_name(conv));
    pom_conv_free(conv);
    float *all[] = {t.in, t.residual, t.out, t.scratch, weights, bias};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    return seconds;
}

void bench(enum pom_isa isa, const char *network, int images) {
    struct bench_run run = {.isa = isa, .peak = pom_fma_peak(isa), .images = images};
    printf("%s: peak %.1f GFLOP/s\n", pom_isa_name(isa), run.peak);
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        if (network && strcmp(network, networks[i].name) != 0)
            continue;
        run.linear = networks[i].linear;
        double seconds = 0.0, work = 0.0, flops;
        for (const struct layer *l = networks[i].layers; l->n > 0; l++) {
            seconds += l->n * bench_layer(l, &run, &flops);
            work += l->n * flops;
        }
        printf("%s %s: %.2f ms, %.1f GFLOP/s, %.1f %% of the peak\n", networks[i].name, pom_isa_name(isa),
            seconds * 1e3, work / seconds * 1e-9, work / seconds * 1e-7 / run.peak);
    }
}
