#include "net/kernels/int8_layer.h"
#include "base/memory.h"
#include "net/kernels/conv.h"

#include <stdlib.h>
#include <string.h>

static const double max_weight = 127.0;

/* Beyond it a float no longer fits a 32-bit integer on every path. */
static const double max_y = (double)(1 << 30);

static double step_of(const double *folded, size_t n) {
    double largest = 0.0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(folded[i]));
    return largest > 0.0 ? largest / max_weight : 1.0;
}

/* w * scale of one output channel, in the order of the weights. */
static void fold(const struct pom_conv_desc *d, int n, const float *weights, const float *scale, double *folded) {
    size_t taps = (size_t)d->kernel_h * (size_t)d->kernel_w, depth = (size_t)(d->in_c / d->groups);
    size_t first = (size_t)(n / (d->out_c / d->groups)) * depth;
    for (size_t tap = 0; tap < taps; tap++)
        for (size_t c = 0; c < depth; c++)
            folded[tap * depth + c] = (double)weights[((size_t)n * depth + c) * taps + tap] * (double)scale[first + c];
}

struct rounded {
    double step;
    double drift;   /* what rounding adds to the mean output, in real units */
    double zeros;   /* the sum of q * (zero + fraction) */
    long magnitude; /* the sum of |q| */
};

/* The tap that rounding to the other side costs least; -1: none. */
static ptrdiff_t cheapest(
    const double *folded, size_t taps, size_t depth, double step, int direction, const int8_t *weights) {
    ptrdiff_t best = -1;
    double most = -1.0;
    for (size_t i = 0; i < taps; i++) {
        double rest = (folded[i * depth] / step - weights[i * depth]) * direction;
        if (rest > most && abs(weights[i * depth] + direction) <= (int)max_weight) {
            most = rest;
            best = (ptrdiff_t)i;
        }
    }
    return best;
}

/* Rounds the taps of one input channel, so that their sum comes out rounded too. */
static void round_taps(const double *folded, size_t taps, size_t depth, double step, int8_t *weights) {
    double left = 0.0; /* of the sum, in steps */
    for (size_t i = 0; i < taps; i++) {
        double x = folded[i * depth] / step, q = nearbyint(x);
        weights[i * depth] = (int8_t)q;
        left += x - q;
    }
    while (fabs(left) > 0.5) {
        int direction = left > 0.0 ? 1 : -1;
        ptrdiff_t at = cheapest(folded, taps, depth, step, direction, weights);
        if (at < 0)
            return;
        weights[at * (ptrdiff_t)depth] = (int8_t)(weights[at * (ptrdiff_t)depth] + direction);
        left -= direction;
    }
}

static struct rounded round_channel(const struct pom_int8_layer *layer, const struct pom_int8_conv_desc *desc, int n,
    const double *folded, size_t taps, size_t depth) {
    const struct pom_conv_desc *d = &layer->desc;
    size_t first = (size_t)(n / (d->out_c / d->groups)) * depth;
    struct rounded r = {.step = step_of(folded, taps * depth)};
    int8_t *weights = layer->weights + (size_t)n * taps * depth;
    for (size_t c = 0; c < depth && isfinite(r.step); c++)
        round_taps(folded + c, taps, depth, r.step, weights + c);
    for (size_t i = 0; i < taps * depth; i++) {
        double q = weights[i];
        size_t c = first + i % depth;
        if (desc->in_mean)
            r.drift += (r.step * q - folded[i]) * (double)desc->in_mean[c] / (double)desc->in.scale[c];
        r.zeros += q * (desc->in.zero[c] + (desc->in.fraction ? desc->in.fraction[c] : 0.0));
        r.magnitude += labs((long)q);
    }
    return r;
}

static uint8_t limit(double real, double scale, double zero) {
    double u = nearbyint(real / scale + zero);
    return u > 0.0 ? (uint8_t)fmin(u, 255.0) : 0;
}

/* The formulas' numbers for output channel n. */
static enum pom_status set_channel(struct pom_int8_layer *layer, const struct pom_int8_conv_desc *desc, int n,
    struct rounded r, double bias, struct pom_message *msg) {
    double scale = layer->to_float ? 1.0 : (double)desc->out.scale[n], zero = layer->to_float ? 0.0 : desc->out.zero[n];
    double factor = r.step / scale, offset = (bias - r.drift - r.step * r.zeros) / scale + zero, residual = 0.0;
    if (desc->conv.residual) {
        residual = (double)desc->residual.scale[n] / scale;
        offset -= residual * desc->residual.zero[n];
    }
    double most = 255.0 * ((double)r.magnitude * factor + residual) + fabs(offset);
    if (!isfinite(most) || (!layer->to_float && most >= max_y))
        return pom_fail(msg, POM_ERR_UNSUPPORTED,
            "int8 convolution of %d to %d channels: channel %d's weights do not fit its grids", desc->conv.in_c,
            desc->conv.out_c, n);
    layer->factor[n] = (float)factor;
    layer->offset[n] = (float)offset;
    layer->residual_factor[n] = (float)residual;
    bool clamps = layer->act.kind == POM_ACT_KIND_CLAMP;
    layer->low[n] = clamps ? limit((double)layer->act.low, scale, zero) : 0;
    layer->high[n] = clamps ? limit((double)layer->act.high, scale, zero) : 255;
    return POM_OK;
}

static enum pom_status set_channels(struct pom_int8_layer *layer, const struct pom_int8_conv_desc *desc,
    const float *weights, const float *bias, double *folded, struct pom_message *msg) {
    const struct pom_conv_desc *d = &desc->conv;
    size_t taps = (size_t)d->kernel_h * (size_t)d->kernel_w, depth = (size_t)(d->in_c / d->groups);
    for (int n = 0; n < d->out_c; n++) {
        fold(d, n, weights, desc->in.scale, folded);
        struct rounded r = round_channel(layer, desc, n, folded, taps, depth);
        POM_TRY(set_channel(layer, desc, n, r, bias ? (double)bias[n] : 0.0, msg));
    }
    return POM_OK;
}

static enum pom_status check(const struct pom_conv_desc *d, struct pom_message *msg) {
    enum { MAX_DEPTH = 65536 }; /* whose sum stays within 32 bits */
    POM_TRY(pom_conv_check(d, msg));
    if (d->activation != POM_ACT_NONE && d->activation != POM_ACT_RELU && d->activation != POM_ACT_CLIP)
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "int8 convolution: its activation has no int8 form");
    if (d->groups != 1 && d->groups != d->in_c)
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "int8 convolution: %d groups of %d channels", d->groups, d->in_c);
    if ((double)d->kernel_h * d->kernel_w * d->in_c / d->groups > MAX_DEPTH)
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "int8 convolution: more than %d products a sum", MAX_DEPTH);
    return POM_OK;
}

static bool allocate(struct pom_int8_layer *layer, size_t n_weights) {
    size_t n = (size_t)layer->desc.out_c;
    return (layer->weights = pom_alloc_aligned(n_weights * n, 1)) && (layer->factor = pom_calloc(n, sizeof(float))) &&
           (layer->offset = pom_calloc(n, sizeof(float))) && (layer->residual_factor = pom_calloc(n, sizeof(float))) &&
           (layer->low = pom_calloc(n, 1)) && (layer->high = pom_calloc(n, 1)) &&
           (layer->zero = pom_calloc((size_t)layer->desc.in_c, 1));
}

enum pom_status pom_int8_layer_init(struct pom_int8_layer *layer, const struct pom_int8_conv_desc *desc,
    const float *weights, const float *bias, struct pom_message *msg) {
    const struct pom_conv_desc *d = &desc->conv;
    POM_TRY(check(d, msg));
    *layer = (struct pom_int8_layer){
        .desc = *d, .to_float = !desc->out.scale, .act = pom_act_of(d->activation, d->low, d->high)};
    size_t n_weights = (size_t)d->kernel_h * (size_t)d->kernel_w * (size_t)(d->in_c / d->groups);
    double *folded = pom_calloc(n_weights, sizeof *folded);
    enum pom_status status;
    if (!folded || !allocate(layer, n_weights)) {
        status = pom_fail_memory(msg, "the weights of a convolution");
    } else {
        memcpy(layer->zero, desc->in.zero, (size_t)d->in_c);
        status = set_channels(layer, desc, weights, bias, folded, msg);
    }
    free(folded);
    if (status != POM_OK)
        pom_int8_layer_clean_up(layer);
    return status;
}

void pom_int8_layer_clean_up(struct pom_int8_layer *layer) {
    free(layer->weights);
    free(layer->factor);
    free(layer->offset);
    free(layer->residual_factor);
    free(layer->low);
    free(layer->high);
    free(layer->zero);
    *layer = (struct pom_int8_layer){0};
}
