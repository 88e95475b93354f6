/* Watching a network at work on pictures. */
#include "base/file.h"
#include "base/hash.h"
#include "model/calibration.h"
#include "model/model.h"
#include <stdlib.h>
#include <string.h>

/* What was seen of a tensor so far. */
struct tally {
    float *low, *high, *mean;
    double *sum; /* of the images' means */
};

/* A network that tells what is between its layers, and where it tells it for one image. */
struct watcher {
    const struct pom_model *model;
    struct pom_net *net;
    struct pom_net_session *session;
    float **outputs; /* of the net, then low, high, mean of each watched tensor */
    struct pom_calibration seen;
    struct tally *tallies; /* by watched tensor */
    struct pom_arena arena;
};

static enum pom_status fail_memory(struct pom_message *msg) {
    return pom_fail_memory(msg, "the calibration of a model");
}

/* The file is read again: a loaded model has let go of what it does not need. */
static enum pom_status load_watched(struct watcher *w, struct pom_message *msg) {
    const struct pom_model_info *info = &w->model->info;
    const struct pom_net_pixels pixels = pom_net_pixels_of(&w->model->table);
    struct pom_net_options options = {.output = info->output_layer,
        .size = info->width,
        .image_input = true,
        .pixels = &pixels,
        .mapped = true,
        .watch = true};
    struct pom_map map;
    char sha256[POM_SHA256_HEX];
    POM_TRY(pom_file_map(info->path, &map, msg));
    enum pom_status status = pom_sha256_map(&map, sha256, msg);
    if (status == POM_OK && strcmp(sha256, info->sha256) != 0)
        status = pom_fail(msg, POM_ERR_FORMAT, "%s changed since it was loaded", info->path);
    if (status == POM_OK)
        status = pom_net_load(map.data, map.size, &options, &w->net, msg);
    pom_file_unmap(&map);
    return status;
}

static enum pom_status make_buffers(struct watcher *w, struct pom_message *msg) {
    const struct pom_net_info *info = pom_net_info(w->net);
    int n = info->n_watched;
    w->outputs = pom_arena_alloc(&w->arena, 1 + (size_t)n, sizeof *w->outputs);
    w->tallies = pom_arena_alloc(&w->arena, (size_t)n, sizeof *w->tallies);
    w->seen.ranges = pom_arena_alloc(&w->arena, (size_t)n, sizeof *w->seen.ranges);
    if (!w->outputs || !w->tallies || !w->seen.ranges)
        return fail_memory(msg);
    w->seen.n_ranges = n;
    for (int i = 0; i <= n; i++) {
        size_t floats = i == 0 ? info->outputs[0].elements : 3 * (size_t)info->watched[i - 1].channels;
        w->outputs[i] = pom_arena_alloc(&w->arena, floats, sizeof(float));
        if (!w->outputs[i])
            return fail_memory(msg);
    }
    return pom_net_session_new(w->net, 1, &w->session, msg);
}

static enum pom_status make_tallies(struct watcher *w, struct pom_message *msg) {
    const struct pom_net_info *info = pom_net_info(w->net);
    for (int i = 0; i < info->n_watched; i++) {
        size_t channels = (size_t)info->watched[i].channels;
        struct tally *t = &w->tallies[i];
        t->low = pom_arena_alloc(&w->arena, 3 * channels, sizeof(float));
        t->sum = pom_arena_alloc(&w->arena, channels, sizeof *t->sum);
        if (!t->low || !t->sum)
            return fail_memory(msg);
        t->high = t->low + channels;
        t->mean = t->high + channels;
        w->seen.ranges[i] =
            (struct pom_net_range){info->watched[i].name, info->watched[i].channels, t->low, t->high, t->mean};
    }
    return POM_OK;
}

static void add_to_tally(struct tally *t, const float *seen, int channels, bool first) {
    const float *low = seen, *high = low + channels, *mean = high + channels;
    for (int c = 0; c < channels; c++) {
        t->low[c] = first || low[c] < t->low[c] ? low[c] : t->low[c];
        t->high[c] = first || high[c] > t->high[c] ? high[c] : t->high[c];
        t->sum[c] += (double)mean[c];
    }
}

static enum pom_status watch_pictures(struct watcher *w, const uint8_t *pixels, int n, struct pom_message *msg) {
    size_t picture = pom_net_info(w->net)->inputs[0].elements;
    for (int i = 0; i < n; i++) {
        POM_TRY(pom_net_run_pixels(w->session, pixels + (size_t)i * picture, 1, w->outputs, msg));
        for (int k = 0; k < w->seen.n_ranges; k++)
            add_to_tally(&w->tallies[k], w->outputs[k + 1], w->seen.ranges[k].channels, i == 0);
    }
    for (int k = 0; k < w->seen.n_ranges; k++)
        for (int c = 0; c < w->seen.ranges[k].channels; c++)
            w->tallies[k].mean[c] = (float)(w->tallies[k].sum[c] / n);
    return POM_OK;
}

static enum pom_status watch(struct watcher *w, const uint8_t *pixels, int n, struct pom_message *msg) {
    const struct pom_model_info *info = &w->model->info;
    w->seen.sha256 = info->sha256;
    w->seen.preprocess = info->preprocess;
    w->seen.output_layer = info->output_layer;
    w->seen.width = info->width;
    w->seen.height = info->height;
    POM_TRY(load_watched(w, msg));
    POM_TRY(make_buffers(w, msg));
    POM_TRY(make_tallies(w, msg));
    return watch_pictures(w, pixels, n, msg);
}

enum pom_status pom_model_calibrate(const struct pom_model *exact, const uint8_t *pixels, int n, void **blob,
    size_t *n_bytes, struct pom_message *msg) {
    if (!exact->net || exact->info.precision != POM_PRECISION_EXACT)
        return pom_fail(msg, POM_ERR_ARGUMENT, "model %s, precision %s: calibration watches a network in exact",
            exact->info.name, pom_precision_name(exact->info.precision));
    if (n < 1)
        return pom_fail(msg, POM_ERR_ARGUMENT, "%d pictures to calibrate with: at least 1", n);
    struct watcher w = {.model = exact};
    enum pom_status status = watch(&w, pixels, n, msg);
    if (status == POM_OK)
        status = pom_calibration_write(&w.seen, blob, n_bytes, msg);
    pom_net_session_free(w.session);
    pom_net_free(w.net);
    pom_arena_clean_up(&w.arena);
    return status;
}
