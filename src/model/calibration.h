/* What calibration saw of a model, as a blob of bytes: version, SHA-256 of the model file, preprocessing, size, output
 * layer, then every watched tensor with the low, high and mean of its channels; numbers are little-endian. It ends with
 * the SHA-256 of all that. A blob is input from outside: everything in it is checked. */
#ifndef POM_MODEL_CALIBRATION_H
#define POM_MODEL_CALIBRATION_H

#include "base/memory.h"
#include "net/net.h"
#include <pomona/model.h>

/* Zero-initialise. */
struct pom_calibration {
    const char *sha256, *preprocess, *output_layer;
    int width, height;
    int n_ranges;
    struct pom_net_range *ranges;
    struct pom_arena arena; /* holds all of them */
};

/* *blob is for free(). */
enum pom_status pom_calibration_write(
    const struct pom_calibration *calibration, void **blob, size_t *n_bytes, struct pom_message *msg);

/* POM_ERR_FORMAT where the blob is damaged, or of another version. Clean up after a failure too. */
enum pom_status pom_calibration_read(struct pom_bytes blob, struct pom_calibration *out, struct pom_message *msg);

/* POM_ERR_FORMAT where it was made for another model file. */
enum pom_status pom_calibration_check_file(
    const struct pom_calibration *calibration, const char *sha256, struct pom_message *msg);

/* POM_ERR_FORMAT where it was made for another preprocessing, layer or size than info tells of. */
enum pom_status pom_calibration_check(
    const struct pom_calibration *calibration, const struct pom_model_info *info, struct pom_message *msg);

void pom_calibration_clean_up(struct pom_calibration *calibration);

#endif
