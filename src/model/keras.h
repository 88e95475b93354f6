/* Keras's MobileNetV2 (alpha 1.0), ResNet50 and VGG16: from a file of weights to an ONNX model of our own.
 *
 * Layers keep Keras's names, so that any of them can be asked for as the features; the metadata says the preprocessing
 * and that rank-4 outputs are flattened in Keras's order (height, width, channels). */
#ifndef POM_MODEL_KERAS_H
#define POM_MODEL_KERAS_H

#include "base/status.h"
#include <stdbool.h>

struct pom_keras_imported {
    const char *network; /* "mobilenetv2", "resnet50" or "vgg16"; static storage */
    bool classifier;     /* its fully connected layers came too */
};

/* Which network the weights at path are of: its name, static storage. */
enum pom_status pom_keras_recognise(const char *path, const char **network, struct pom_message *msg);

/* Reads the weights at h5_path and writes the ONNX model to onnx_path, whole or not at all. POM_ERR_FORMAT and
 * POM_ERR_UNSUPPORTED name the layer. The file is read in a child process, as libhdf5 can crash on a damaged one. */
enum pom_status pom_keras_import(
    const char *h5_path, const char *onnx_path, struct pom_keras_imported *imported, struct pom_message *msg);

#endif
