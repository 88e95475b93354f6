#include "fast_model.h"
#include "random.h"

#include "base/memory.h"
#include "base/status.h"
#include <stdlib.h>

enum { IMAGES = 4 /* to calibrate with */ };

static enum pom_status calibrate(const struct pom_model *exact, void **blob, size_t *n_bytes, struct pom_message *msg) {
    const struct pom_model_info *info = pom_model_info(exact);
    size_t size = (size_t)IMAGES * (size_t)info->width * (size_t)info->height * 3;
    uint8_t *pixels = pom_calloc(size, 1);
    if (!pixels)
        return pom_fail_memory(msg, "random images");
    uint32_t state = POM_RANDOM_SEED;
    for (size_t i = 0; i < size; i++)
        pixels[i] = (uint8_t)(pom_random(&state) >> 24);
    enum pom_status status = pom_model_calibrate(exact, pixels, IMAGES, blob, n_bytes, msg);
    free(pixels);
    return status;
}

/* The exact model is replaced by the one of int8. */
static enum pom_status load_int8(
    const char *name, struct pom_model_options options, struct pom_model **model, struct pom_message *msg) {
    void *blob = NULL;
    size_t n_bytes = 0;
    POM_TRY(calibrate(*model, &blob, &n_bytes, msg));
    struct pom_model *fast = NULL;
    options.precision = POM_PRECISION_INT8;
    options.calibration = (struct pom_bytes){blob, n_bytes};
    enum pom_status status = pom_model_load(name, &options, &fast, msg);
    free(blob);
    POM_TRY(status);
    pom_model_free(*model);
    *model = fast;
    return POM_OK;
}

static enum pom_status load_bf16(
    const char *name, struct pom_model_options options, struct pom_model **model, struct pom_message *msg) {
    struct pom_model *fast = NULL;
    options.precision = POM_PRECISION_BF16;
    POM_TRY(pom_model_load(name, &options, &fast, msg));
    pom_model_free(*model);
    *model = fast;
    return POM_OK;
}

/* The exact model is replaced. */
static enum pom_status replace(const char *name, const struct pom_model_options *options, enum pom_wish precision,
    struct pom_model **model, struct pom_message *msg) {
    if (precision == POM_WISH_EXACT)
        return POM_OK;
    if (precision == POM_WISH_BF16)
        return load_bf16(name, *options, model, msg);
    enum pom_status status = load_int8(name, *options, model, msg);
    if (precision == POM_WISH_INT8)
        return status;
    if (status == POM_ERR_UNSUPPORTED)
        status = load_bf16(name, *options, model, msg);
    return status == POM_ERR_UNSUPPORTED ? POM_OK : status; /* then exact it is */
}

enum pom_status pom_fast_model_load(const char *name, const struct pom_model_options *options, enum pom_wish precision,
    struct pom_model **out, struct pom_message *msg) {
    struct pom_model *model = NULL;
    POM_TRY(pom_model_load(name, options, &model, msg));
    enum pom_status status = replace(name, options, precision, &model, msg);
    if (status == POM_OK)
        *out = model;
    else
        pom_model_free(model);
    return status;
}
