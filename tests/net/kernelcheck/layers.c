/* Whole layers against the portable path. */
#include "kernelcheck.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void require(enum pom_status status, const struct pom_message *msg) {
    if (status != POM_OK) {
        fprintf(stderr, "kernelcheck: %s\n", msg->text);
        exit(1);
    }
}

static void random_activation(enum pom_activation *activation, float *low, float *high) {
    *activation = (enum pom_activation)random_int(POM_ACT_NONE, POM_ACT_LEAKY_RELU);
    *low = *activation == POM_ACT_LEAKY_RELU ? 0.1f : random_int(0, 1) ? 0.0f : -0.25f;
    *high = random_int(0, 1) ? 6.0f : 0.5f;
}

static void run_conv(const struct pom_conv_desc *d, enum pom_isa isa, const float *weights, const float *bias,
    const float *in, const float *residual, float *out, int images, const char **name) {
    struct pom_message msg;
    struct pom_conv *conv;
    require(pom_conv_new(d, isa, weights, bias, &conv, &msg), &msg);
    void *scratch = aligned_alloc(64, pom_conv_scratch_bytes(conv) / 64 * 64 + 64);
    memset(scratch, 0xff, pom_conv_scratch_bytes(conv)); /* NaN: whoever reads what it did not write shows it */
    pom_conv_run(conv, in, residual, out, images, scratch);
    free(scratch);
    *name = pom_conv_kernel_name(conv); /* static */
    pom_conv_free(conv);
}

static const char *check_conv(const struct pom_conv_desc *d, enum pom_isa isa, enum values values) {
    int images = random_int(0, 1) ? 1 : random_int(2, 4);
    size_t n_in = (size_t)images * (size_t)d->in_h * (size_t)d->in_w * (size_t)d->in_c;
    size_t n_out = (size_t)images * (size_t)d->out_h * (size_t)d->out_w * (size_t)d->out_c;
    size_t n_weights = (size_t)d->kernel_h * (size_t)d->kernel_w * (size_t)(d->in_c / d->groups) * (size_t)d->out_c;
    struct guarded in = guarded_new(n_in), weights = guarded_new(n_weights), bias = guarded_new((size_t)d->out_c);
    struct guarded residual = guarded_new(n_out), got = guarded_new(n_out), want = guarded_new(n_out);
    fill(in.data, n_in, values);
    fill(weights.data, n_weights, values);
    fill(bias.data, bias.n, values);
    fill(residual.data, n_out, values);
    const float *maybe_bias = random_int(0, 3) ? bias.data : NULL;
    bool in_place = d->residual && random_int(0, 1);
    if (in_place)
        memcpy(got.data, residual.data, n_out * sizeof(float));
    const char *name;
    run_conv(d, POM_ISA_REF, weights.data, maybe_bias, in.data, residual.data, want.data, images, &name);
    run_conv(d, isa, weights.data, maybe_bias, in.data, in_place ? got.data : residual.data, got.data, images, &name);
    bool passed = same(name, got.data, want.data, n_out) && guarded_intact(&got);
    report(passed,
        "%s: %d images, %dx%dx%d -> %dx%dx%d, window %dx%d, stride %dx%d, dilation %dx%d, pads %d %d, groups %d, "
        "activation %d%s",
        name, images, d->in_h, d->in_w, d->in_c, d->out_h, d->out_w, d->out_c, d->kernel_h, d->kernel_w, d->stride_h,
        d->stride_w, d->dilation_h, d->dilation_w, d->pad_top, d->pad_left, d->groups, d->activation,
        d->residual ? ", residual" : "");
    guarded_free(&in, &weights, &bias, &residual, &got, &want, NULL);
    return name;
}

/* One axis: any window, stride, dilation and pads that leave an output. */
static void random_axis(int largest, int *in, int *out, int *kernel, int *stride, int *dilation, int *pad) {
    *in = random_int(1, largest);
    *kernel = random_int(0, 2) ? random_int(1, 2) * 2 - 1 + random_int(0, 1) * 2 : random_int(1, 4);
    *stride = random_int(0, 1) ? 1 : random_int(1, 3);
    *dilation = random_int(0, 4) ? 1 : random_int(2, 3);
    *pad = random_int(0, 2) ? *kernel / 2 : random_int(0, *kernel);
    int after = random_int(0, 2) ? *kernel / 2 : random_int(0, *kernel), reach = (*kernel - 1) * *dilation + 1;
    if (*in + *pad + after < reach)
        after = reach - *in - *pad;
    *out = (*in + *pad + after - reach) / *stride + 1;
}

static void random_channels(struct pom_conv_desc *d) {
    static const int groups[] = {1, 1, 1, 2, 3};
    int depth = random_int(1, 40), n = random_int(1, 70);
    d->groups = groups[random_int(0, 4)];
    if (random_int(0, 2) == 0) {
        d->groups = random_int(1, 50);
        depth = 1;
        n = random_int(0, 3) ? 1 : random_int(1, 3);
    }
    d->in_c = depth * d->groups;
    d->out_c = n * d->groups;
}

struct pom_conv_desc random_conv(void) {
    struct pom_conv_desc d = {.residual = random_int(0, 1)};
    random_axis(12, &d.in_h, &d.out_h, &d.kernel_h, &d.stride_h, &d.dilation_h, &d.pad_top);
    random_axis(33, &d.in_w, &d.out_w, &d.kernel_w, &d.stride_w, &d.dilation_w, &d.pad_left);
    if (random_int(0, 3) == 0) {
        d.kernel_h = d.kernel_w = d.stride_h = d.stride_w = 1;
        d.pad_top = d.pad_left = 0;
        d.out_h = d.in_h;
        d.out_w = d.in_w;
    }
    random_channels(&d);
    random_activation(&d.activation, &d.low, &d.high);
    return d;
}

/* Shapes whose pixel step crowds a cache set, and a few of the networks'. */
static void check_fixed_convolutions(enum pom_isa isa) {
    static const struct pom_conv_desc descs[] = {
        {5, 5, 1024, 5, 5, 33, 1, 1, 1, 1, 1, 1, 0, 0, 1, true, POM_ACT_RELU, 0, 0},
        {5, 6, 512, 3, 3, 40, 1, 1, 2, 2, 1, 1, 0, 0, 1, false, POM_ACT_NONE, 0, 0},
        {4, 5, 1024, 4, 5, 20, 3, 3, 1, 1, 1, 1, 1, 1, 1, false, POM_ACT_RELU, 0, 0},
        {33, 33, 3, 16, 16, 32, 3, 3, 2, 2, 1, 1, 0, 0, 1, false, POM_ACT_CLIP, 0, 6},
        {30, 30, 3, 15, 15, 64, 7, 7, 2, 2, 1, 1, 3, 3, 1, false, POM_ACT_RELU, 0, 0},
        {7, 7, 160, 7, 7, 96, 1, 1, 1, 1, 1, 1, 0, 0, 1, true, POM_ACT_NONE, 0, 0},
        {14, 14, 32, 14, 14, 144, 3, 3, 1, 1, 1, 1, 1, 1, 1, false, POM_ACT_LEAKY_RELU, 0.2f, 0},
        {6, 10, 20, 6, 10, 24, 1, 1, 1, 1, 1, 1, 0, 0, 1, true, POM_ACT_CLIP, 0, 6},
        {5, 10, 20, 5, 10, 40, 3, 3, 1, 1, 1, 1, 1, 1, 1, true, POM_ACT_LEAKY_RELU, 0.1f, 0},
        {7, 14, 20, 7, 14, 144, 1, 1, 1, 1, 1, 1, 0, 0, 2, false, POM_ACT_NONE, 0, 0},
        {40, 40, 48, 40, 40, 48, 5, 5, 1, 1, 1, 1, 2, 2, 48, false, POM_ACT_CLIP, 0, 6},
        {1, 1, 7, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, false, POM_ACT_NONE, 0, 0}};
    for (size_t i = 0; i < sizeof descs / sizeof *descs; i++)
        for (enum values values = VALUES_PLAIN; values <= VALUES_SPECIAL; values++)
            check_conv(&descs[i], isa, values);
}

void check_convolutions(enum pom_isa isa, int cases) {
    random_seed(3);
    check_fixed_convolutions(isa);
    for (int i = 0; i < cases; i++) {
        struct pom_conv_desc d = random_conv();
        check_conv(&d, isa, (enum values)(i % 3));
    }
    report_group("f32_conv_%s", pom_isa_name(isa));
}

/* Winograd's own order of operations: tiles that reach over every edge, blocks that end within a line. */
void check_winograd(enum pom_isa isa, int cases) {
    random_seed(11);
    for (int i = 0; i < cases; i++) {
        struct pom_conv_desc d = {.in_h = random_int(7, 26),
            .in_w = random_int(7, 40),
            .in_c = random_int(32, 70),
            .out_c = random_int(32, 70),
            .pad_top = random_int(0, 3),
            .pad_left = random_int(0, 3),
            .groups = 1,
            .residual = random_int(0, 1)};
        d.kernel_h = d.kernel_w = 3;
        d.stride_h = d.stride_w = d.dilation_h = d.dilation_w = 1;
        d.out_h = d.in_h - 2 + d.pad_top + random_int(0, 3);
        d.out_w = d.in_w - 2 + d.pad_left + random_int(0, 3);
        random_activation(&d.activation, &d.low, &d.high);
        const char *name = check_conv(&d, isa, (enum values)(i % 3));
        report(strncmp(name, "f32_winograd4x3_", 16) == 0, "%s ran where Winograd was meant to", name);
    }
    report_group("f32_winograd4x3_%s", pom_isa_name(isa));
}

/* One output of a padded 3x3 convolution in double. */
static double exact_output(
    const struct pom_conv_desc *d, const float *weights, const float *in, int out_y, int out_x, int oc) {
    double sum = 0.0;
    for (int c = 0; c < d->in_c; c++)
        for (int tap = 0; tap < 9; tap++) {
            int y = out_y - d->pad_top + tap / 3, x = out_x - d->pad_left + tap % 3;
            if (y >= 0 && y < d->in_h && x >= 0 && x < d->in_w)
                sum += (double)in[(y * d->in_w + x) * d->in_c + c] * (double)weights[(oc * d->in_c + c) * 9 + tap];
        }
    return sum;
}

/* The definition itself: within 1e-5 of the largest output of a convolution in double. */
void check_winograd_error(void) {
    const struct pom_conv_desc d = {14, 15, 96, 14, 15, 40, 3, 3, 1, 1, 1, 1, 1, 1, 1, false, POM_ACT_NONE, 0, 0};
    struct guarded in = guarded_new((size_t)d.in_h * (size_t)d.in_w * (size_t)d.in_c);
    struct guarded weights = guarded_new(9 * (size_t)d.in_c * (size_t)d.out_c);
    struct guarded out = guarded_new((size_t)d.out_h * (size_t)d.out_w * (size_t)d.out_c);
    random_seed(13);
    fill(in.data, in.n, VALUES_PLAIN);
    fill(weights.data, weights.n, VALUES_PLAIN);
    const char *name;
    run_conv(&d, POM_ISA_REF, weights.data, NULL, in.data, NULL, out.data, 1, &name);
    double error = 0.0, largest = 0.0;
    for (int i = 0; i < (int)out.n; i++) {
        int pixel = i / d.out_c;
        double exact = exact_output(&d, weights.data, in.data, pixel / d.out_w, pixel % d.out_w, i % d.out_c);
        error = fmax(error, fabs((double)out.data[i] - exact));
        largest = fmax(largest, fabs(exact));
    }
    report(error < 1e-5 * largest, "%s: an error of %.2g of the largest output", name, error / largest);
    report_group("f32_winograd4x3 against double");
    guarded_free(&in, &weights, &out, NULL);
}

/* Descriptions that must be refused, each with a message. */
void check_refusals(void) {
    const struct pom_conv_desc good = {4, 4, 6, 4, 4, 6, 3, 3, 1, 1, 1, 1, 1, 1, 1, false, POM_ACT_NONE, 0, 0};
    struct pom_conv_desc bad[6];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        bad[i] = good;
    bad[0].groups = 4;
    bad[1].stride_w = 0;
    bad[2].pad_top = -1;
    bad[3].in_h = 0;
    bad[4].out_c = 1 << 24, bad[4].in_c = 1 << 24;
    bad[5].dilation_h = 1 << 24, bad[5].kernel_h = 1 << 20;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (enum pom_isa isa = POM_ISA_REF; isa < POM_ISA_COUNT; isa++) {
            struct pom_message msg = {""};
            struct pom_conv *conv = NULL;
            enum pom_status status = pom_conv_new(&bad[i], isa, NULL, NULL, &conv, &msg);
            report(status != POM_OK && !conv && msg.text[0], "description %zu on %s", i, pom_isa_name(isa));
        }
    report_group("refused descriptions");
}

/* Each depthwise tile as the whole line of a layer, so that both of its ends are padding. */
void check_depthwise_tiles(const struct pom_kernel_table *table) {
    for (const struct pom_depthwise_kernel *kernel = table->depthwise; kernel->kernel != 0; kernel++) {
        int k = kernel->kernel, s = kernel->stride, channels = 2 * table->lanes + 3;
        for (int i = 0; i < 12; i++) {
            struct pom_conv_desc d = {
                .in_w = kernel->pixels * s, .out_w = kernel->pixels, .in_c = channels, .out_c = channels};
            d.kernel_h = d.kernel_w = k;
            d.stride_h = d.stride_w = s;
            d.dilation_h = d.dilation_w = 1;
            d.pad_top = d.pad_left = i % 2 ? k / 2 : 0;
            d.in_h = random_int(1, 12);
            d.out_h = (d.in_h + s - 1) / s;
            d.groups = channels;
            d.residual = random_int(0, 1);
            random_activation(&d.activation, &d.low, &d.high);
            const char *name = check_conv(&d, table->isa, (enum values)(i % 3));
            report(strcmp(name, kernel->name) == 0, "%s ran where %s was meant to", name, kernel->name);
        }
        report_group("%s", kernel->name);
    }
}

void check_dense(enum pom_isa isa, int cases) {
    random_seed(5);
    for (int i = 0; i < cases; i++) {
        struct pom_dense_desc d = {.k = random_int(1, 200), .n = random_int(1, 130)};
        random_activation(&d.activation, &d.low, &d.high);
        int m = random_int(1, 17);
        bool transposed = random_int(0, 1), with_bias = random_int(0, 1);
        struct guarded in = guarded_new((size_t)m * (size_t)d.k), weights = guarded_new((size_t)d.k * (size_t)d.n);
        struct guarded bias = guarded_new((size_t)d.n), got = guarded_new((size_t)m * (size_t)d.n),
                       want = guarded_new(got.n);
        fill(in.data, in.n, (enum values)(i % 3));
        fill(weights.data, weights.n, (enum values)(i % 3));
        fill(bias.data, bias.n, (enum values)(i % 3));
        for (int path = 0; path < 2; path++) {
            struct pom_message msg;
            struct pom_dense *dense;
            require(pom_dense_new(&d, path ? isa : POM_ISA_REF, with_bias ? bias.data : NULL, &dense, &msg), &msg);
            int lines = transposed ? d.n : d.k, first = random_int(0, lines); /* in two parts */
            pom_dense_fill(dense, weights.data, transposed, 0, first);
            pom_dense_fill(
                dense, weights.data + (ptrdiff_t)first * (transposed ? d.k : d.n), transposed, first, lines - first);
            pom_dense_run(dense, in.data, m, path ? got.data : want.data, NULL);
            pom_dense_free(dense);
        }
        report(same("dense", got.data, want.data, got.n) && guarded_intact(&got), "dense %d x %d x %d", m, d.k, d.n);
        guarded_free(&in, &weights, &bias, &got, &want, NULL);
    }
    report_group("f32_dense_%s", pom_isa_name(isa));
}

struct pom_pool_desc random_pool(void) {
    struct pom_pool_desc d = {.channels = random_int(1, 70), .count_include_pad = random_int(0, 1)};
    random_axis(9, &d.in_h, &d.out_h, &d.kernel_h, &d.stride_h, &d.dilation_h, &d.pad_top);
    random_axis(9, &d.in_w, &d.out_w, &d.kernel_w, &d.stride_w, &d.dilation_w, &d.pad_left);
    d.pad_bottom = random_int(0, 2);
    d.pad_right = random_int(0, 2);
    return d;
}

static void check_pool(enum pom_isa isa, enum values values) {
    struct pom_pool_desc d = random_pool();
    struct guarded in = guarded_new((size_t)d.in_h * (size_t)d.in_w * (size_t)d.channels);
    struct guarded got = guarded_new((size_t)d.out_h * (size_t)d.out_w * (size_t)d.channels), want = guarded_new(got.n);
    const struct pom_kernels *ref = pom_kernels(POM_ISA_REF), *fast = pom_kernels(isa);
    fill(in.data, in.n, values);
    ref->max_pool(&d, in.data, want.data);
    fast->max_pool(&d, in.data, got.data);
    report(same("max_pool", got.data, want.data, got.n) && guarded_intact(&got), "max_pool of %d channels", d.channels);
    ref->average_pool(&d, in.data, want.data);
    fast->average_pool(&d, in.data, got.data);
    report(same("average_pool", got.data, want.data, got.n) && guarded_intact(&got), "average_pool of %d channels",
        d.channels);
    ref->global_average(in.data, d.in_h * d.in_w, d.channels, want.data);
    fast->global_average(in.data, d.in_h * d.in_w, d.channels, got.data);
    report(
        same("global_average", got.data, want.data, (size_t)d.channels), "global_average of %d channels", d.channels);
    guarded_free(&in, &got, &want, NULL);
}

static void check_elementwise(enum pom_isa isa, enum values values) {
    enum pom_activation activation;
    float low, high;
    size_t n = (size_t)random_int(1, 150);
    random_activation(&activation, &low, &high);
    struct guarded a = guarded_new(n), b = guarded_new(n), got = guarded_new(n), want = guarded_new(n);
    const struct pom_kernels *ref = pom_kernels(POM_ISA_REF), *fast = pom_kernels(isa);
    fill(a.data, n, values);
    fill(b.data, n, values);
    ref->add(a.data, b.data, n, activation, low, high, want.data);
    fast->add(a.data, b.data, n, activation, low, high, got.data);
    report(same("add", got.data, want.data, n) && guarded_intact(&got), "add of %zu, activation %d", n, activation);
    ref->activate(a.data, n, activation, low, high, want.data);
    fast->activate(a.data, n, activation, low, high, a.data);
    report(
        same("activate", a.data, want.data, n) && guarded_intact(&a), "activate of %zu, activation %d", n, activation);
    guarded_free(&a, &b, &got, &want, NULL);
}

void check_plain(enum pom_isa isa, int cases) {
    random_seed(7);
    for (int i = 0; i < cases; i++) {
        check_pool(isa, (enum values)(i % 3));
        check_elementwise(isa, (enum values)(i % 3));
    }
    report_group("f32_pools_and_elementwise_%s", pom_isa_name(isa));
}
