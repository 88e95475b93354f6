/* Models: a network with its weights, and what its input must look like; sessions that run it; featurizers that take
 * encoded images all the way to features.
 *
 * Results are the same bits on every CPU path (portable C, AVX2, AVX-512, NEON), thread count and batch size, for a
 * given precision and, where it needs one, calibration. */
#ifndef POMONA_MODEL_H
#define POMONA_MODEL_H

#include <pomona/image.h>
#include <pomona/status.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pom_model;      /* immutable once loaded: share it between threads */
struct pom_session;    /* the working memory of one thread */
struct pom_featurizer; /* decode + resize + session, for one thread */

/* A run of bytes in memory, borrowed. */
struct pom_bytes {
    const void *data;
    size_t n_bytes;
};

/* What the network computes in. The narrow ones are faster, and only close to exact: docs/precision.md says
 * how close. */
enum pom_precision {
    POM_PRECISION_EXACT, /* 32-bit floats throughout */
    POM_PRECISION_BF16,  /* bfloat16 activations and weights, float sums; better with a calibration */
    POM_PRECISION_INT8   /* 8-bit activations and weights, integer sums; needs a calibration */
};

/* "exact", "bf16", "int8". */
POM_API const char *pom_precision_name(enum pom_precision precision);

/* Can models be loaded in it here? EXACT and INT8 everywhere; BF16 where the CPU multiplies bfloat16. */
POM_API bool pom_precision_offered(enum pom_precision precision);

/* Zero-initialise for the defaults. Strings and bytes are borrowed for the call. */
struct pom_model_options {
    const char *output_layer; /* layer or tensor whose values are the features; NULL: the model's own output */
    const char *preprocess;   /* "tf", "caffe", "torch" or "lite"; NULL: as the model file says */
    int size;                 /* side of the square input in pixels; 0: the model's own, else 224 */
    enum pom_precision precision;
    struct pom_bytes
        calibration; /* what pom_model_calibrate gave for this model: INT8 needs it, BF16 comes closer to exact by it */
};

struct pom_model_info {
    const char *name;         /* as asked for, or the file's base name */
    const char *path;         /* the file loaded; NULL for "pixels" */
    const char *preprocess;   /* "tf", "caffe", "torch", "lite", or "none" for "pixels" */
    const char *output_layer; /* the layer that gives the features */
    const char *sha256;       /* of the model file, 64 hex digits */
    int width, height;        /* of the input, pixels */
    size_t features;          /* values per image */
    int64_t parameters;       /* weights and biases */
    int64_t macs;             /* multiply-adds per image */
    size_t weight_bytes;      /* packed weights held by the model */
    size_t session_bytes;     /* working memory of a session of batch 1 */
    enum pom_precision precision;
};

/* Loads a model by name ("efficientnet-lite0", "mobilenetv2", "resnet50", "vgg16", "pixels") or from an .onnx file.
 * POM_ERR_NOT_FOUND: no such name, file or layer; the message says how to get it. POM_ERR_UNSUPPORTED: the precision is
 * not offered. POM_ERR_FORMAT: the calibration is damaged, or of another model, layer or size. options may be NULL. */
POM_API POM_NODISCARD enum pom_status pom_model_load(
    const char *name_or_path, const struct pom_model_options *options, struct pom_model **out, struct pom_message *msg);

POM_API void pom_model_free(struct pom_model *model);

/* Valid as long as the model. */
POM_API const struct pom_model_info *pom_model_info(const struct pom_model *model);

/* Watches an exact model on n >= 1 pictures (pixels as for pom_session_run) and tells what the narrow precisions
 * need to know: for every channel between two layers the range and the mean of its values. Pictures of all kinds that
 * will come give a better calibration than many of one kind. *blob is for struct pom_model_options, and to be kept
 * beside the results: the same blob gives the same features everywhere, and the same pictures give the same blob.
 * free() it. */
POM_API POM_NODISCARD enum pom_status pom_model_calibrate(
    const struct pom_model *exact, const uint8_t *pixels, int n, void **blob, size_t *n_bytes, struct pom_message *msg);

/* The model must outlive the session. max_batch >= 1. */
POM_API POM_NODISCARD enum pom_status pom_session_new(
    const struct pom_model *model, int max_batch, struct pom_session **out, struct pom_message *msg);

POM_API void pom_session_free(struct pom_session *session);

/* Runs n <= max_batch pictures. pixels: n * height * width * 3 bytes, RGB, row-major, one picture after the other.
 * features: n * info.features floats, written. Allocates nothing. One thread at a time per session. */
POM_API POM_NODISCARD enum pom_status pom_session_run(
    struct pom_session *session, const uint8_t *pixels, int n, float *features, struct pom_message *msg);

/* Zero-initialise for the defaults. */
struct pom_featurizer_options {
    enum pom_filter filter;
    struct pom_image_limits limits;
    int max_batch; /* images run through the network together; 0: 8 */
};

/* The model must outlive the featurizer. options may be NULL. */
POM_API POM_NODISCARD enum pom_status pom_featurizer_new(const struct pom_model *model,
    const struct pom_featurizer_options *options, struct pom_featurizer **out, struct pom_message *msg);

POM_API void pom_featurizer_free(struct pom_featurizer *featurizer);

/* Featurizes n encoded images, any n >= 0. features: n * info.features floats; the row of an image that failed is
 * zeroed. statuses: n values, POM_OK or why that image failed; messages: NULL, or n messages, filled for those that
 * failed. Returns other than POM_OK only where the call as a whole failed. One thread at a time per featurizer. */
POM_API POM_NODISCARD enum pom_status pom_featurize(struct pom_featurizer *featurizer, const struct pom_bytes *images,
    int n, float *features, enum pom_status *statuses, struct pom_message *messages, struct pom_message *msg);

#ifdef __cplusplus
}
#endif
#endif
