#include "image/weights.h"

#include "base/memory.h"
#include <math.h>
#include <stdlib.h>

struct filter {
    double (*at)(double x);
    double support; /* zero beyond this distance */
};

static double box(double x) {
    return x > -0.5 && x <= 0.5 ? 1.0 : 0.0;
}

static double bilinear(double x) {
    x = fabs(x);
    return x < 1.0 ? 1.0 - x : 0.0;
}

/* Keys, "Cubic convolution interpolation for digital image processing", 1981, with a = -0.5. */
static double bicubic(double x) {
    const double a = -0.5;
    x = fabs(x);
    if (x < 1.0)
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    return x < 2.0 ? (((x - 5) * x + 8) * x - 4) * a : 0.0;
}

static double sinc(double x) {
    if (x == 0.0)
        return 1.0;
    x *= M_PI;
    return sin(x) / x;
}

static double lanczos(double x) {
    return x >= -3.0 && x < 3.0 ? sinc(x) * sinc(x / 3) : 0.0;
}

static const struct filter filters[] = {
    [POM_FILTER_BICUBIC] = {bicubic, 2.0},
    [POM_FILTER_BILINEAR] = {bilinear, 1.0},
    [POM_FILTER_LANCZOS] = {lanczos, 3.0},
    [POM_FILTER_BOX] = {box, 0.5},
    [POM_FILTER_NEAREST] = {NULL, 0.0}, /* one input each */
};

static int32_t fixed_point(double weight) {
    double scaled = weight * (1 << POM_WEIGHT_BITS);
    return (int32_t)(weight < 0 ? scaled - 0.5 : scaled + 0.5);
}

/* The weights of output i, whose sample lies at `center`, normalised to the sum 1. */
static void fill_run(struct pom_weights *w, int i, double center, double inverse_scale) {
    const struct filter *filter = &filters[w->filter];
    int first = w->first[i], count = w->count[i];
    int32_t *out = w->weights + (size_t)i * w->stride;
    double *exact = w->exact, sum = 0.0;
    for (int t = 0; t < count; t++) {
        exact[t] = filter->at((t + first - center + 0.5) * inverse_scale);
        sum += exact[t];
    }
    for (int t = 0; t < count; t++)
        out[t] = fixed_point(sum != 0.0 ? exact[t] / sum : exact[t]);
    for (size_t t = (size_t)count; t < w->stride; t++)
        out[t] = 0;
}

static void fill(struct pom_weights *w) {
    double scale = (double)w->in / w->out, filter_scale = scale < 1.0 ? 1.0 : scale;
    double support = filters[w->filter].support * filter_scale;
    for (int i = 0; i < w->out; i++) {
        double center = (i + 0.5) * scale;
        int first = (int)(center - support + 0.5), end = (int)(center + support + 0.5);
        w->first[i] = first < 0 ? 0 : first;
        w->count[i] = (end > w->in ? w->in : end) - w->first[i];
        fill_run(w, i, center, 1.0 / filter_scale);
    }
}

void pom_nearest_positions(int in, int out, int *positions) {
    double step = (double)in / out, at = step * 0.5;
    for (int i = 0; i < out; i++) {
        positions[i] = at < in ? (int)at : in - 1;
        at += step;
    }
}

static void fill_nearest(struct pom_weights *w) {
    pom_nearest_positions(w->in, w->out, w->first);
    for (int i = 0; i < w->out; i++) {
        int32_t *run = w->weights + (size_t)i * w->stride;
        w->count[i] = 1;
        run[0] = 1 << POM_WEIGHT_BITS;
        for (size_t t = 1; t < w->stride; t++)
            run[t] = 0;
    }
}

/* Makes room for runs of up to `longest` weights. */
static bool reserve(struct pom_weights *w, int out, size_t longest) {
    size_t total, capacity = w->out_capacity;
    w->stride = (longest + POM_TAP_GROUP - 1) / POM_TAP_GROUP * POM_TAP_GROUP;
    if (!pom_size_mul((size_t)out, w->stride, &total))
        return false;
    if (!pom_grow((void **)&w->first, &capacity, (size_t)out, sizeof *w->first))
        return false;
    capacity = w->out_capacity;
    if (!pom_grow((void **)&w->count, &capacity, (size_t)out, sizeof *w->count))
        return false;
    w->out_capacity = capacity;
    return pom_grow((void **)&w->exact, &w->exact_capacity, longest, sizeof *w->exact) &&
           pom_grow((void **)&w->weights, &w->weights_capacity, total, sizeof *w->weights);
}

enum pom_status pom_weights_prepare(
    struct pom_weights *w, int in, int out, enum pom_filter filter, struct pom_message *msg) {
    if (w->in == in && w->out == out && w->filter == filter)
        return POM_OK;
    double scale = (double)in / out, support = filters[filter].support * (scale < 1.0 ? 1.0 : scale);
    size_t longest = (size_t)ceil(support) * 2 + 1;
    if (!reserve(w, out, longest)) {
        w->in = w->out = 0;
        return pom_fail_memory(msg, "the weights of a resize");
    }
    w->in = in;
    w->out = out;
    w->filter = filter;
    if (filter == POM_FILTER_NEAREST)
        fill_nearest(w);
    else
        fill(w);
    return POM_OK;
}

static void swap_outputs(struct pom_weights *w, int i, int j) {
    int32_t *a = w->weights + (size_t)i * w->stride, *b = w->weights + (size_t)j * w->stride;
    int first = w->first[i], count = w->count[i];
    w->first[i] = w->first[j];
    w->count[i] = w->count[j];
    w->first[j] = first;
    w->count[j] = count;
    for (size_t t = 0; t < w->stride; t++) {
        int32_t weight = a[t];
        a[t] = b[t];
        b[t] = weight;
    }
}

static void turn_run(struct pom_weights *w, int i) {
    int32_t *run = w->weights + (size_t)i * w->stride;
    w->first[i] = w->in - w->first[i] - w->count[i];
    for (int t = 0, u = w->count[i] - 1; t < u; t++, u--) {
        int32_t weight = run[t];
        run[t] = run[u];
        run[u] = weight;
    }
}

void pom_weights_mirror(struct pom_weights *w) {
    for (int i = 0, j = w->out - 1; i < j; i++, j--)
        swap_outputs(w, i, j);
    for (int i = 0; i < w->out; i++)
        turn_run(w, i);
}

void pom_weights_clean_up(struct pom_weights *weights) {
    free(weights->first);
    free(weights->count);
    free(weights->weights);
    free(weights->exact);
    *weights = (struct pom_weights){0};
}
