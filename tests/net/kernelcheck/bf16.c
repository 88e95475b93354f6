/* The layers in bf16 against the portable path, and that one's numbers against what they are meant to be. */
#include "net/kernels/bf16.h"
#include "kernelcheck.h"
#include "net/kernels/bf16_number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fill_bf16(void *to, size_t n, enum values values) {
    for (size_t i = 0; i < n; i++) {
        float x;
        uint32_t bits;
        fill(&x, 1, values);
        memcpy(&bits, &x, sizeof bits);
        const uint16_t high = (uint16_t)(bits >> 16); /* keeps denormals, which narrowing does not */
        memcpy((char *)to + i * sizeof high, &high, sizeof high);
    }
}

bool same_bf16(const char *what, const void *got, const void *want, size_t n) {
    const uint16_t *a = got, *b = want;
    for (size_t i = 0; i < n; i++)
        if (a[i] != b[i] && !(isnan(pom_bf16_widen(a[i])) && isnan(pom_bf16_widen(b[i])))) {
            printf("    %s: element %zu of %zu is %#x, the reference says %#x\n", what, i, n, a[i], b[i]);
            return false;
        }
    return true;
}

static size_t in_channels(const struct pom_conv_desc *d) {
    return (size_t)d->in_h * (size_t)d->in_w * (size_t)d->in_c;
}

static size_t out_channels(const struct pom_conv_desc *d) {
    return (size_t)d->out_h * (size_t)d->out_w * (size_t)d->out_c;
}

static void run_conv(const struct pom_conv_desc *d, enum pom_isa isa, const float *weights, const float *bias,
    const void *in, const void *residual, void *out, int images, const char **name) {
    struct pom_message msg;
    struct pom_conv *conv;
    require(pom_bf16_conv_new(d, isa, weights, bias, NULL, &conv, &msg), &msg);
    struct guarded scratch = guarded_bytes((pom_conv_scratch_bytes(conv) + 63) / 64 * 64);
    pom_conv_run(conv, in, residual, out, images, scratch.data);
    *name = pom_conv_kernel_name(conv); /* static */
    pom_conv_free(conv);
    guarded_free(&scratch, NULL);
}

static const char *check_conv(const struct pom_conv_desc *d, enum pom_isa isa, enum values values) {
    int images = random_int(1, 3);
    size_t n_in = (size_t)images * in_channels(d), n_out = (size_t)images * out_channels(d);
    size_t n_weights = (size_t)d->kernel_h * (size_t)d->kernel_w * (size_t)(d->in_c / d->groups) * (size_t)d->out_c;
    struct guarded in = guarded_bytes(2 * n_in), residual = guarded_bytes(2 * n_out);
    struct guarded weights = guarded_new(n_weights), bias = guarded_new((size_t)d->out_c);
    struct guarded got = guarded_bytes(2 * n_out), want = guarded_bytes(2 * n_out);
    fill_bf16(in.data, n_in, values);
    fill_bf16(residual.data, n_out, values);
    fill(weights.data, n_weights, values);
    fill(bias.data, bias.n, values);
    const float *maybe_bias = random_int(0, 3) ? bias.data : NULL;
    const char *name;
    run_conv(d, POM_ISA_REF, weights.data, maybe_bias, in.data, residual.data, want.data, images, &name);
    run_conv(d, isa, weights.data, maybe_bias, in.data, residual.data, got.data, images, &name);
    report(same_bf16(name, got.data, want.data, n_out) && guarded_intact(&got),
        "%s: %d images, %dx%dx%d -> %dx%dx%d, window %dx%d, stride %dx%d, pads %d %d, groups %d, activation %d%s", name,
        images, d->in_h, d->in_w, d->in_c, d->out_h, d->out_w, d->out_c, d->kernel_h, d->kernel_w, d->stride_h,
        d->stride_w, d->pad_top, d->pad_left, d->groups, d->activation, d->residual ? ", residual" : "");
    guarded_free(&in, &residual, &weights, &bias, &got, &want, NULL);
    return name;
}

/* Any that fits. */
static struct pom_conv_desc random_bf16_conv(void) {
    struct pom_conv_desc d;
    do {
        d = random_conv();
        d.groups = 1;
        d.in_c = 2 * random_int(1, 30);
        d.out_c = 2 * random_int(1, 40);
        if (random_int(0, 2) == 0)
            d.groups = d.in_c = d.out_c = 2 * random_int(2, 40);
    } while (!pom_bf16_conv_fits(&d));
    return d;
}

/* Each depthwise tile as the whole line of a layer. */
static void check_depthwise(enum pom_isa isa) {
    for (const struct pom_depthwise_kernel *k = pom_bf16_table(isa)->depthwise; k->kernel != 0; k++)
        for (int i = 0; i < 6; i++) {
            struct pom_conv_desc d = random_bf16_conv();
            d.kernel_h = d.kernel_w = k->kernel;
            d.stride_h = d.stride_w = k->stride;
            d.dilation_h = d.dilation_w = 1;
            d.pad_top = d.pad_left = i % 2 ? k->kernel / 2 : 0;
            d.in_w = k->pixels * k->stride;
            d.out_w = k->pixels;
            d.in_h = random_int(1, 12);
            d.out_h = (d.in_h + k->stride - 1) / k->stride;
            d.groups = d.in_c = d.out_c = 38;
            const char *name = check_conv(&d, isa, (enum values)(i % 3));
            report(strcmp(name, k->name) == 0, "%s ran where %s was meant to", name, k->name);
        }
}

static void check_pool(enum pom_isa isa, enum values values) {
    struct pom_pool_desc d = random_pool();
    size_t n_in = (size_t)d.in_h * (size_t)d.in_w * (size_t)d.channels;
    size_t n_out = (size_t)d.out_h * (size_t)d.out_w * (size_t)d.channels, channels = (size_t)d.channels;
    struct guarded in = guarded_bytes(2 * n_in), got = guarded_bytes(2 * n_out), want = guarded_bytes(2 * n_out);
    struct guarded mean = guarded_new(channels), wanted_mean = guarded_new(channels);
    const struct pom_bf16_kernels *ref = pom_bf16_kernels(POM_ISA_REF), *fast = pom_bf16_kernels(isa);
    fill_bf16(in.data, n_in, values);
    ref->max_pool(&d, (const void *)in.data, (void *)want.data);
    fast->max_pool(&d, (const void *)in.data, (void *)got.data);
    report(same_bf16("max_pool", got.data, want.data, n_out) && guarded_intact(&got), "max_pool of %d", d.channels);
    ref->global_average((const void *)in.data, d.in_h * d.in_w, d.channels, wanted_mean.data);
    fast->global_average((const void *)in.data, d.in_h * d.in_w, d.channels, mean.data);
    report(same("global_average", mean.data, wanted_mean.data, channels) && guarded_intact(&mean),
        "global_average of %d", d.channels);
    guarded_free(&in, &got, &want, &mean, &wanted_mean, NULL);
}

static void check_conversions(enum pom_isa isa, enum values values) {
    size_t n = (size_t)random_int(1, 150);
    struct guarded in = guarded_new(n), got = guarded_bytes(2 * n), want = guarded_bytes(2 * n);
    struct guarded wide = guarded_new(n), wanted_wide = guarded_new(n);
    const struct pom_bf16_kernels *ref = pom_bf16_kernels(POM_ISA_REF), *fast = pom_bf16_kernels(isa);
    fill(in.data, n, values);
    ref->narrow(in.data, n, (void *)want.data);
    fast->narrow(in.data, n, (void *)got.data);
    report(same_bf16("narrow", got.data, want.data, n) && guarded_intact(&got), "narrow of %zu", n);
    ref->widen((const void *)want.data, n, wanted_wide.data);
    fast->widen((const void *)want.data, n, wide.data);
    report(same("widen", wide.data, wanted_wide.data, n) && guarded_intact(&wide), "widen of %zu", n);
    guarded_free(&in, &got, &want, &wide, &wanted_wide, NULL);
}

void check_bf16(enum pom_isa isa, int cases) {
    random_seed(23);
    check_depthwise(isa);
    for (int i = 0; i < cases; i++) {
        struct pom_conv_desc d = random_bf16_conv();
        check_conv(&d, isa, (enum values)(i % 3));
    }
    report_group("bf16_conv_%s", pom_isa_name(isa));
    for (int i = 0; i < cases / 2; i++) {
        check_pool(isa, (enum values)(i % 3));
        check_conversions(isa, (enum values)(i % 3));
    }
    report_group("bf16_pools_and_conversions_%s", pom_isa_name(isa));
}

/* Rounding to nearest even, and the order of dot's sums. */
void check_bf16_numbers(void) {
    static const struct {
        float from;
        uint16_t to;
    } cases[] = {{1.0f, 0x3f80}, {0x1.01p0f, 0x3f80}, {0x1.010002p0f, 0x3f81}, {0x1.03p0f, 0x3f82}, {-0.0f, 0x8000},
        {0x1.ffp127f, 0x7f80}, {0x1p-127f, 0}, {-0x1.fep-127f, 0x8000}, {INFINITY, 0x7f80}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        report(pom_bf16_narrow(cases[i].from) == cases[i].to, "%a becomes %#x, not %#x", (double)cases[i].from,
            pom_bf16_narrow(cases[i].from), cases[i].to);
    report(isnan(pom_bf16_widen(pom_bf16_narrow(NAN))), "NaN stays NaN");
    const uint16_t x[] = {0x3f80, 0x3f80}, w[] = {pom_bf16_narrow(-0x1p24f), pom_bf16_narrow(0x1p24f)};
    report(pom_bf16_dot(1.0f, x, w) == 0.0f, "the second product is added first, and rounded");
    report_group("bf16 numbers");
}
