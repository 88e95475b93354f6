#include "base/memory.h"
#include "base/status.h"
#include "image/resize.h"
#include <pomona/model.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_BATCH = 8 };

struct pom_featurizer {
    struct pom_featurizer_options options; /* max_batch filled in */
    const struct pom_model_info *info;
    struct pom_session *session;
    struct pom_image picture, square; /* reused from image to image */
    struct pom_resizer resizer;
    uint8_t *pixels; /* of the images of a batch that could be read */
    float *rows;     /* their features */
    int *places;     /* and their places among the caller's images */
};

static enum pom_status make_buffers(struct pom_featurizer *f, struct pom_message *msg) {
    size_t batch = (size_t)f->options.max_batch, bytes = (size_t)f->info->width * (size_t)f->info->height * 3;
    f->pixels = pom_alloc_aligned(batch, bytes);
    f->rows = pom_alloc_aligned(batch, f->info->features * sizeof *f->rows);
    f->places = pom_calloc(batch, sizeof *f->places);
    return f->pixels && f->rows && f->places ? POM_OK : pom_fail_memory(msg, "a featurizer's batch");
}

enum pom_status pom_featurizer_new(const struct pom_model *model, const struct pom_featurizer_options *options,
    struct pom_featurizer **out, struct pom_message *msg) {
    struct pom_featurizer *f = pom_calloc(1, sizeof *f);
    if (!f)
        return pom_fail_memory(msg, "a featurizer");
    if (options)
        f->options = *options;
    if (f->options.max_batch == 0)
        f->options.max_batch = DEFAULT_BATCH;
    f->info = pom_model_info(model);
    enum pom_status status = pom_session_new(model, f->options.max_batch, &f->session, msg);
    if (status == POM_OK)
        status = make_buffers(f, msg);
    if (status == POM_OK)
        *out = f;
    else
        pom_featurizer_free(f);
    return status;
}

void pom_featurizer_free(struct pom_featurizer *featurizer) {
    if (!featurizer)
        return;
    pom_session_free(featurizer->session);
    pom_image_clean_up(&featurizer->picture);
    pom_image_clean_up(&featurizer->square);
    pom_resizer_clean_up(&featurizer->resizer);
    free(featurizer->pixels);
    free(featurizer->rows);
    free(featurizer->places);
    free(featurizer);
}

static enum pom_status read_image(
    struct pom_featurizer *f, const struct pom_bytes *image, uint8_t *pixels, struct pom_message *msg) {
    POM_TRY(pom_image_decode(image->data, image->n_bytes, &f->options.limits, &f->picture, msg));
    POM_TRY(
        pom_resizer_run(&f->resizer, &f->picture, f->info->width, f->info->height, f->options.filter, &f->square, msg));
    memcpy(pixels, f->square.rgb, (size_t)f->info->width * (size_t)f->info->height * 3);
    return POM_OK;
}

/* Fills the batch from images[*next..n), passing over those that fail. Returns how many it holds. */
static int fill_batch(struct pom_featurizer *f, const struct pom_bytes *images, int n, int *next,
    enum pom_status *statuses, struct pom_message *messages) {
    size_t bytes = (size_t)f->info->width * (size_t)f->info->height * 3;
    int held = 0;
    for (; *next < n && held < f->options.max_batch; ++*next) {
        struct pom_message *message = messages ? &messages[*next] : NULL;
        statuses[*next] = read_image(f, &images[*next], f->pixels + (size_t)held * bytes, message);
        if (statuses[*next] == POM_OK)
            f->places[held++] = *next;
    }
    return held;
}

enum pom_status pom_featurize(struct pom_featurizer *featurizer, const struct pom_bytes *images, int n, float *features,
    enum pom_status *statuses, struct pom_message *messages, struct pom_message *msg) {
    struct pom_featurizer *f = featurizer;
    size_t d = f->info->features;
    if (n < 0)
        return pom_fail(msg, POM_ERR_ARGUMENT, "%d images to featurize", n);
    if (n == 0)
        return POM_OK;
    memset(features, 0, (size_t)n * d * sizeof *features);
    for (int next = 0; next < n;) {
        int held = fill_batch(f, images, n, &next, statuses, messages);
        POM_TRY(pom_session_run(f->session, f->pixels, held, f->rows, msg));
        for (int i = 0; i < held; i++)
            memcpy(features + (size_t)f->places[i] * d, f->rows + (size_t)i * d, d * sizeof *features);
    }
    return POM_OK;
}
