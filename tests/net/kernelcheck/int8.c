/* The int8 layers against the portable path, and that one against the arithmetic of the reals. */
#include "net/kernels/int8.h"
#include "kernelcheck.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a case is filled with. */
enum bytes {
    BYTES_RANDOM,
    BYTES_WORST, /* inputs of 255 but for a few, weights of one size: the largest sums there are */
    BYTES_KINDS
};

/* A grid's memory, and the view of it. */
struct grid {
    struct guarded scale, zero;
    struct pom_int8_grid view;
};

/* Scales around `scale`. */
static struct grid grid_new(int channels, float scale, enum bytes kind) {
    struct grid grid = {.scale = guarded_new((size_t)channels), .zero = guarded_bytes((size_t)channels)};
    uint8_t *zero = (uint8_t *)grid.zero.data;
    fill(grid.scale.data, grid.scale.n, VALUES_PLAIN);
    random_bytes(zero, grid.zero.n);
    for (int c = 0; c < channels; c++) {
        grid.scale.data[c] = scale * (1.1f + grid.scale.data[c]);
        if (kind == BYTES_WORST)
            zero[c] = random_int(0, 1) ? 255 : 0;
    }
    grid.view = (struct pom_int8_grid){.scale = grid.scale.data, .zero = zero};
    return grid;
}

static void grid_free(struct grid *grid) {
    guarded_free(&grid->scale, &grid->zero, NULL);
}

static void fill_bytes(void *to, size_t n, enum bytes kind) {
    random_bytes(to, n);
    for (size_t i = 0; kind == BYTES_WORST && i < n; i++)
        if (random_int(0, 200))
            ((uint8_t *)to)[i] = 255;
}

static void fill_weights(float *to, size_t n, enum bytes kind) {
    fill(to, n, VALUES_PLAIN);
    for (size_t i = 0; kind == BYTES_WORST && i < n; i++)
        to[i] = i / 100 % 2 ? -1.0f : 1.0f;
}

static size_t depth_of(const struct pom_conv_desc *d) {
    return (size_t)d->kernel_h * (size_t)d->kernel_w * (size_t)(d->in_c / d->groups);
}

static void run_conv(const struct pom_int8_conv_desc *d, enum pom_isa isa, const float *weights, const float *bias,
    const uint8_t *in, const uint8_t *residual, void *out, int images, const char **name) {
    struct pom_message msg;
    struct pom_int8_conv *conv;
    require(pom_int8_conv_new(d, isa, weights, bias, &conv, &msg), &msg);
    struct guarded scratch = guarded_bytes((pom_int8_conv_scratch_bytes(conv) + 63) / 64 * 64);
    pom_int8_conv_run(conv, in, residual, out, images, scratch.data);
    *name = pom_int8_conv_kernel_name(conv); /* static */
    pom_int8_conv_free(conv);
    guarded_free(&scratch, NULL);
}

static bool same_bytes(const char *name, const void *got, const void *want, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (((const uint8_t *)got)[i] != ((const uint8_t *)want)[i]) {
            printf("    %s: byte %zu of %zu is %u, the reference says %u\n", name, i, n, ((const uint8_t *)got)[i],
                ((const uint8_t *)want)[i]);
            return false;
        }
    return true;
}

static void check_conv(struct pom_conv_desc conv, enum pom_isa isa, bool to_float, enum bytes kind) {
    int images = random_int(1, 3);
    size_t n_in = (size_t)images * (size_t)conv.in_h * (size_t)conv.in_w * (size_t)conv.in_c;
    size_t n_out = (size_t)images * (size_t)conv.out_h * (size_t)conv.out_w * (size_t)conv.out_c;
    size_t depth = depth_of(&conv), bytes = n_out * (to_float ? sizeof(float) : 1);
    struct grid in_grid = grid_new(conv.in_c, 0.01f, kind), residual_grid = grid_new(conv.out_c, 0.005f, kind);
    struct grid out_grid = grid_new(conv.out_c, 0.01f * sqrtf((float)depth), kind);
    struct pom_int8_conv_desc d = {.conv = conv, .in = in_grid.view, .residual = residual_grid.view};
    if (!to_float)
        d.out = out_grid.view;
    struct guarded in = guarded_bytes(n_in), weights = guarded_new(depth * (size_t)conv.out_c);
    struct guarded bias = guarded_new((size_t)conv.out_c), residual = guarded_bytes(n_out);
    struct guarded got = guarded_bytes(bytes), want = guarded_bytes(bytes);
    fill_bytes(in.data, n_in, kind);
    fill_bytes(residual.data, n_out, kind);
    fill_weights(weights.data, weights.n, kind);
    fill(bias.data, bias.n, VALUES_PLAIN);
    const float *maybe_bias = random_int(0, 3) ? bias.data : NULL;
    const uint8_t *added = (uint8_t *)residual.data;
    const char *name;
    run_conv(&d, POM_ISA_REF, weights.data, maybe_bias, (uint8_t *)in.data, added, want.data, images, &name);
    if (conv.residual && !to_float && random_int(0, 1)) {
        memcpy(got.data, residual.data, n_out);
        added = (uint8_t *)got.data;
    }
    run_conv(&d, isa, weights.data, maybe_bias, (uint8_t *)in.data, added, got.data, images, &name);
    report(same_bytes(name, got.data, want.data, bytes) && guarded_intact(&got),
        "%s: %d images of %dx%dx%d -> %dx%dx%d, window %dx%d, stride %dx%d, dilation %dx%d, pads %d %d, groups %d, "
        "activation "
        "%d%s%s",
        name, images, conv.in_h, conv.in_w, conv.in_c, conv.out_h, conv.out_w, conv.out_c, conv.kernel_h, conv.kernel_w,
        conv.stride_h, conv.stride_w, conv.dilation_h, conv.dilation_w, conv.pad_top, conv.pad_left, conv.groups,
        conv.activation, conv.residual ? ", residual" : "", to_float ? ", to float" : "");
    guarded_free(&in, &weights, &bias, &residual, &got, &want, NULL);
    grid_free(&in_grid);
    grid_free(&residual_grid);
    grid_free(&out_grid);
}

static struct pom_conv_desc random_int8_conv(void) {
    struct pom_conv_desc d = random_conv();
    if (d.activation == POM_ACT_LEAKY_RELU)
        d.activation = POM_ACT_NONE;
    if (d.groups != 1 && d.groups != d.in_c) {
        d.in_c /= d.groups;
        d.out_c /= d.groups;
        d.groups = 1;
    }
    return d;
}

static void check_fixed(enum pom_isa isa) {
    static const struct pom_conv_desc descs[] = {
        {33, 33, 3, 16, 16, 32, 3, 3, 2, 2, 1, 1, 0, 0, 1, false, POM_ACT_CLIP, 0, 6},
        {30, 30, 3, 15, 15, 64, 7, 7, 2, 2, 1, 1, 3, 3, 1, false, POM_ACT_RELU, 0, 0},
        {4, 5, 4096, 4, 5, 33, 1, 1, 1, 1, 1, 1, 0, 0, 1, true, POM_ACT_RELU, 0, 0},
        {4, 5, 1024, 4, 5, 20, 3, 3, 1, 1, 1, 1, 1, 1, 1, false, POM_ACT_RELU, 0, 0},
        {7, 7, 160, 7, 7, 96, 1, 1, 1, 1, 1, 1, 0, 0, 1, true, POM_ACT_NONE, 0, 0},
        {14, 14, 32, 14, 14, 144, 3, 3, 1, 1, 1, 1, 1, 1, 1, false, POM_ACT_CLIP, -0.3f, 3},
        {17, 23, 144, 17, 23, 144, 3, 3, 1, 1, 1, 1, 1, 1, 144, false, POM_ACT_CLIP, 0, 6},
        {17, 23, 96, 9, 12, 96, 3, 3, 2, 2, 1, 1, 1, 1, 96, false, POM_ACT_CLIP, 0, 6},
        {16, 14, 32, 16, 14, 32, 3, 3, 1, 1, 1, 1, 1, 1, 32, false, POM_ACT_CLIP, 0, 6},
        {20, 20, 72, 20, 20, 72, 5, 5, 1, 1, 1, 1, 2, 2, 72, true, POM_ACT_RELU, 0, 0},
        {9, 13, 144, 9, 13, 144, 5, 5, 1, 1, 1, 1, 2, 2, 144, false, POM_ACT_RELU, 0, 0},
        {20, 20, 200, 10, 10, 200, 5, 5, 2, 2, 1, 1, 1, 1, 200, false, POM_ACT_CLIP, 0, 6},
        {1, 1, 7, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, false, POM_ACT_NONE, 0, 0}};
    for (size_t i = 0; i < sizeof descs / sizeof *descs; i++)
        for (int kind = 0; kind < 2 * BYTES_KINDS; kind++)
            check_conv(descs[i], isa, kind % 2, (enum bytes)(kind / 2));
}

static void check_plain_kernels(enum pom_isa isa) {
    struct pom_pool_desc d = random_pool();
    size_t pixels = (size_t)d.in_h * (size_t)d.in_w, channels = (size_t)d.channels, n = pixels * channels;
    size_t n_out = (size_t)d.out_h * (size_t)d.out_w * channels;
    struct grid grid = grid_new(d.channels, 0.01f, BYTES_RANDOM);
    struct guarded floats = guarded_new(n), in = guarded_bytes(n), got_bytes = guarded_bytes(n),
                   want_bytes = guarded_bytes(n), got = guarded_new(n), want = guarded_new(n);
    struct guarded got_max = guarded_bytes(n_out), want_max = guarded_bytes(n_out);
    uint8_t *from = (uint8_t *)in.data;
    const struct pom_int8_kernels *ref = pom_int8_kernels(POM_ISA_REF), *fast = pom_int8_kernels(isa);
    fill(floats.data, n, VALUES_SPECIAL);
    random_bytes(from, n);
    ref->quantise(floats.data, pixels, d.channels, grid.scale.data, grid.view.zero, (uint8_t *)want_bytes.data);
    fast->quantise(floats.data, pixels, d.channels, grid.scale.data, grid.view.zero, (uint8_t *)got_bytes.data);
    report(same_bytes("quantise", got_bytes.data, want_bytes.data, n) && guarded_intact(&got_bytes),
        "quantise %d channels", d.channels);
    ref->dequantise(from, pixels, d.channels, grid.scale.data, grid.view.zero, want.data);
    fast->dequantise(from, pixels, d.channels, grid.scale.data, grid.view.zero, got.data);
    report(same("dequantise", got.data, want.data, n) && guarded_intact(&got), "dequantise %d channels", d.channels);
    ref->max_pool(&d, from, (uint8_t *)want_max.data);
    fast->max_pool(&d, from, (uint8_t *)got_max.data);
    report(same_bytes("max_pool", got_max.data, want_max.data, n_out) && guarded_intact(&got_max),
        "max_pool of %d channels", d.channels);
    ref->global_average(from, (int)pixels, d.channels, grid.scale.data, floats.data, want.data);
    fast->global_average(from, (int)pixels, d.channels, grid.scale.data, floats.data, got.data);
    report(same("global_average", got.data, want.data, channels), "global_average of %d channels", d.channels);
    guarded_free(&floats, &in, &got_bytes, &want_bytes, &got, &want, &got_max, &want_max, NULL);
    grid_free(&grid);
}

void check_int8(enum pom_isa isa, int cases) {
    random_seed(11);
    check_fixed(isa);
    for (int i = 0; i < cases; i++)
        check_conv(random_int8_conv(), isa, random_int(0, 3) == 0, (enum bytes)(i % BYTES_KINDS));
    report_group("int8_conv_%s", pom_isa_name(isa));
    for (int i = 0; i < cases / 2; i++)
        check_plain_kernels(isa);
    report_group("int8_pools_and_conversions_%s", pom_isa_name(isa));
}

/* The relative error of a layer of random weights to float against the same in double, input and weights as they are
 * before rounding. */
static void check_meaning(const struct pom_conv_desc *conv) {
    size_t n_in = (size_t)conv->in_h * (size_t)conv->in_w * (size_t)conv->in_c;
    size_t n_out = (size_t)conv->out_h * (size_t)conv->out_w * (size_t)conv->out_c;
    struct grid grid = grid_new(conv->in_c, 0.01f, BYTES_RANDOM);
    struct pom_int8_conv_desc d = {.conv = *conv, .in = grid.view};
    struct guarded in = guarded_bytes(n_in), real = guarded_new(n_in), got = guarded_new(n_out),
                   want = guarded_new(n_out), weights = guarded_new(depth_of(conv) * (size_t)conv->out_c),
                   bias = guarded_new((size_t)conv->out_c);
    random_bytes(in.data, n_in);
    fill(weights.data, weights.n, VALUES_PLAIN);
    fill(bias.data, bias.n, VALUES_PLAIN);
    const char *name;
    run_conv(&d, POM_ISA_REF, weights.data, bias.data, (uint8_t *)in.data, NULL, got.data, 1, &name);
    pom_int8_kernels(POM_ISA_REF)
        ->dequantise((uint8_t *)in.data, (size_t)conv->in_h * (size_t)conv->in_w, conv->in_c, grid.view.scale,
            grid.view.zero, real.data);
    struct pom_message msg;
    struct pom_conv *exact;
    require(pom_conv_new(conv, POM_ISA_REF, weights.data, bias.data, &exact, &msg), &msg);
    struct guarded scratch = guarded_bytes(pom_conv_scratch_bytes(exact));
    pom_conv_run(exact, real.data, NULL, want.data, 1, scratch.data);
    pom_conv_free(exact);
    double error = 0.0, size = 0.0;
    for (size_t i = 0; i < n_out; i++) {
        error += pow((double)got.data[i] - (double)want.data[i], 2);
        size += pow((double)want.data[i], 2);
    }
    report(sqrt(error / size) < 0.012, "int8 against float32, %d to %d channels in %d groups: %.4f", conv->in_c,
        conv->out_c, conv->groups, sqrt(error / size));
    guarded_free(&in, &real, &got, &want, &weights, &bias, &scratch, NULL);
    grid_free(&grid);
}

void check_int8_meaning(void) {
    static const struct pom_conv_desc descs[] = {
        {12, 12, 3, 6, 6, 16, 3, 3, 2, 2, 1, 1, 0, 0, 1, false, POM_ACT_NONE, 0, 0},
        {6, 6, 33, 6, 6, 20, 1, 1, 1, 1, 1, 1, 0, 0, 1, false, POM_ACT_RELU, 0, 0},
        {9, 9, 24, 9, 9, 24, 3, 3, 1, 1, 1, 1, 1, 1, 24, false, POM_ACT_CLIP, -1, 1},
        {9, 9, 12, 9, 9, 24, 5, 5, 1, 1, 1, 1, 2, 2, 12, false, POM_ACT_NONE, 0, 0}};
    random_seed(13);
    for (size_t i = 0; i < sizeof descs / sizeof *descs; i++)
        check_meaning(&descs[i]);
    report_group("int8 stands for the reals");
}
