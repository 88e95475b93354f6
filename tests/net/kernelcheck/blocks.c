/* Layers in floats or bf16 run as one block against the same layers one after the other. */
#include "kernelcheck.h"

#include <stdlib.h>
#include <string.h>

static size_t in_floats(const struct pom_conv_desc *d) {
    return (size_t)d->in_h * (size_t)d->in_w * (size_t)d->in_c;
}

static size_t out_floats(const struct pom_conv_desc *d) {
    return (size_t)d->out_h * (size_t)d->out_w * (size_t)d->out_c;
}

static struct pom_conv *new_layer(const struct pom_conv_desc *d, enum pom_isa isa, bool bf16, enum values values) {
    size_t n = (size_t)d->kernel_h * (size_t)d->kernel_w * (size_t)(d->in_c / d->groups) * (size_t)d->out_c;
    struct guarded weights = guarded_new(n), bias = guarded_new((size_t)d->out_c);
    fill(weights.data, n, values);
    fill(bias.data, bias.n, values);
    struct pom_message msg;
    struct pom_conv *conv;
    require(bf16 ? pom_bf16_conv_new(d, isa, weights.data, bias.data, NULL, &conv, &msg)
                 : pom_conv_new(d, isa, weights.data, bias.data, &conv, &msg),
        &msg);
    guarded_free(&weights, &bias, NULL);
    return conv;
}

/* NaN: whoever reads what it did not write shows it. */
static void *new_scratch(size_t bytes) {
    void *scratch = aligned_alloc(64, bytes / 64 * 64 + 64);
    if (!scratch)
        exit(1);
    memset(scratch, 0xff, bytes);
    return scratch;
}

static void run_layer(const struct pom_conv *conv, const float *in, const float *residual, float *out) {
    void *scratch = new_scratch(pom_conv_scratch_bytes(conv));
    pom_conv_run(conv, in, residual, out, 1, scratch);
    free(scratch);
}

static struct guarded new_tensor(size_t n, bool bf16, enum values values) {
    struct guarded tensor = bf16 ? guarded_bytes(n * sizeof(uint16_t)) : guarded_new(n);
    if (bf16)
        fill_bf16(tensor.data, n, values);
    else
        fill(tensor.data, n, values);
    return tensor;
}

/* A picture between the first two layers of `between` floats at least, as smaller ones are not taken. */
static void random_block(struct pom_conv_desc d[3], int between) {
    static const int channels[] = {16, 32, 96, 144, 40, 100, 256};
    int wide = channels[random_int(0, 6)], w = random_int(20, 120), h = between / (wide * w) + random_int(1, 6);
    int kernel = random_int(0, 1) ? 3 : 5, stride = random_int(1, 2), stem = random_int(0, 3) == 0, pad = kernel / 2;
    int out_h = (h + 2 * pad - kernel) / stride + 1, out_w = (w + 2 * pad - kernel) / stride + 1;
    d[0] = (struct pom_conv_desc){
        h, w, random_int(1, 20), h, w, wide, 1, 1, 1, 1, 1, 1, 0, 0, 1, false, POM_ACT_CLIP, 0, 6};
    if (stem)
        d[0] = (struct pom_conv_desc){2 * h, 2 * w, 3, h, w, 32, 3, 3, 2, 2, 1, 1, 0, 1, 1, false, POM_ACT_RELU, 0, 0};
    d[1] = (struct pom_conv_desc){h, w, d[0].out_c, out_h, out_w, d[0].out_c, kernel, kernel, stride, stride, 1, 1, pad,
        pad, d[0].out_c, false, POM_ACT_CLIP, 0, 6};
    d[2] = (struct pom_conv_desc){out_h, out_w, d[0].out_c, out_h, out_w, random_int(1, 40), 1, 1, 1, 1, 1, 1, 0, 0, 1,
        random_int(0, 1) == 1, POM_ACT_NONE, 0, 0};
}

static void compare(
    const struct pom_conv_block *block, const struct pom_conv_desc d[3], bool bf16, enum values values) {
    const struct pom_conv_desc *end = block->last ? &d[2] : &d[1];
    size_t n = out_floats(end);
    struct guarded in = new_tensor(in_floats(d), bf16, values), a = new_tensor(out_floats(d), bf16, values);
    struct guarded b = new_tensor(out_floats(&d[1]), bf16, values), residual = new_tensor(n, bf16, values);
    struct guarded got = new_tensor(n, bf16, values), want = new_tensor(n, bf16, values);
    run_layer(block->first, in.data, NULL, a.data);
    run_layer(block->depthwise, a.data, NULL, block->last ? b.data : want.data);
    if (block->last)
        run_layer(block->last, b.data, residual.data, want.data);
    void *scratch = new_scratch(pom_conv_block_scratch_bytes(block));
    pom_conv_block_run(block, in.data, residual.data, got.data, scratch);
    free(scratch);
    bool equal = bf16 ? same_bf16("block", got.data, want.data, n) : same("block", got.data, want.data, n);
    report(equal && guarded_intact(&got), "block: %dx%dx%d -> %dx%dx%d, depthwise %dx%d/%d -> %dx%d%s", d->in_h,
        d->in_w, d->in_c, d->out_h, d->out_w, d->out_c, d[1].kernel_h, d[1].kernel_w, d[1].stride_h, d[1].out_h,
        d[1].out_w, block->last ? ", pointwise" : "");
    guarded_free(&in, &a, &b, &residual, &got, &want, NULL);
}

static void check_block(const struct pom_conv_desc d[3], enum pom_isa isa, bool bf16, enum values values) {
    struct pom_conv_block block = {
        new_layer(&d[0], isa, bf16, values), new_layer(&d[1], isa, bf16, values), new_layer(&d[2], isa, bf16, values)};
    struct pom_conv_block two = {block.first, block.depthwise, NULL};
    if (pom_conv_block_fits(&block))
        compare(&block, d, bf16, values);
    if (pom_conv_block_fits(&two))
        compare(&two, d, bf16, values);
    pom_conv_free(block.first);
    pom_conv_free(block.depthwise);
    pom_conv_free(block.last);
}

void check_blocks(enum pom_isa isa, int cases) {
    random_seed(17);
    for (int i = 0; i < cases; i++) {
        struct pom_conv_desc d[3];
        random_block(d, 1 << 17);
        check_block(d, isa, false, (enum values)(i % 3));
    }
    report_group("f32_block_%s", pom_isa_name(isa));
}

void check_bf16_blocks(enum pom_isa isa, int cases) {
    random_seed(29);
    for (int i = 0; i < cases; i++) {
        struct pom_conv_desc d[3];
        random_block(d, 1 << 18);
        d[0].in_c += d[0].in_c % 2;
        d[2].out_c += d[2].out_c % 2;
        check_block(d, isa, true, (enum values)(i % 3));
    }
    report_group("bf16_block_%s", pom_isa_name(isa));
}
