/* A file of Keras weights (HDF5): its layers, in the file's order, and their arrays.
 *
 * Both layouts are read: the legacy one of the published files and of model.save("x.h5") (attributes layer_names and
 * weight_names, at the root or under model_weights; a model nested in another is one group), and Keras 3's .weights.h5
 * (groups layers/<class>/vars, which hold 0, 1, ..; newer versions note the layer's name there). Links to other files
 * are not followed. Not thread-safe: libhdf5 is not. */
#ifndef POM_MODEL_KERAS_FILE_H
#define POM_MODEL_KERAS_FILE_H

#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { POM_KERAS_MAX_WEIGHTS = 4, POM_KERAS_MAX_RANK = 4 };

/* A layer that has weights. */
struct pom_keras_layer {
    const char *name; /* the layer's own; NULL where the file does not tell */
    const char
        *group; /* Keras 3: its class in snake case and a number from the second on, such as conv2d_3; else NULL */
    int n_weights;
    const char *weights[POM_KERAS_MAX_WEIGHTS]; /* paths in the file, in Keras's order */
};

struct pom_keras_file;

/* POM_ERR_FORMAT: not HDF5, truncated, or neither of the layouts. */
enum pom_status pom_keras_open(const char *path, struct pom_keras_file **out, struct pom_message *msg);
void pom_keras_close(struct pom_keras_file *file);

/* Valid as long as the file is open. */
const struct pom_keras_layer *pom_keras_layers(const struct pom_keras_file *file, size_t *n);

/* The shape of an array of 1 to POM_KERAS_MAX_RANK floats-of-some-width dimensions, each 1 to 2^31 - 1, its whole below
 * 2^31 elements. */
enum pom_status pom_keras_shape(const struct pom_keras_file *file, const char *weight, int *rank,
    int64_t dims[POM_KERAS_MAX_RANK], struct pom_message *msg);

/* Reads the whole array, converted to float32, in the file's order. out holds the product of the dims. */
enum pom_status pom_keras_read(
    const struct pom_keras_file *file, const char *weight, float *out, struct pom_message *msg);

#endif
