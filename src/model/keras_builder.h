/* Building a network layer by layer from a file of Keras weights. After a failure the calls do nothing. */
#ifndef POM_MODEL_KERAS_BUILDER_H
#define POM_MODEL_KERAS_BUILDER_H

#include "base/memory.h"
#include "base/status.h"
#include "model/keras_file.h"
#include "model/onnx_writer.h"
#include <stdbool.h>
#include <stddef.h>

/* How the layers of a file are told apart. */
enum pom_keras_match {
    POM_KERAS_BY_NAME = 0,
    POM_KERAS_BY_CLASS, /* Keras 3 without names: the n-th layer of its class */
    POM_KERAS_BY_ORDER  /* legacy with other names, as the published MobileNetV2 has: the n-th layer, as Keras itself
                           reads it */
};

/* With weights; the order is that of the class names in keras_builder.c. */
enum pom_keras_class { POM_KERAS_CONV = 0, POM_KERAS_DEPTHWISE, POM_KERAS_NORM, POM_KERAS_DENSE, POM_KERAS_CLASSES };

struct pom_keras_builder {
    const struct pom_keras_file *file;
    const char *path;
    enum pom_keras_match match;
    struct pom_onnx *onnx;
    size_t read;                    /* layers with weights so far */
    int read_of[POM_KERAS_CLASSES]; /* and of each class */
    bool classifier;                /* set by the network: its fully connected layers are there */
    int size;                       /* set by the network: the only side that the input may have; 0: any */
    struct pom_arena names;
    enum pom_status status;
    struct pom_message *msg;
};

/* A tensor: its name and, NHWC, how many channels it has. */
struct pom_keras_tensor {
    const char *name;
    int channels;
};

enum { POM_KERAS_SAME = -1 }; /* padding as TensorFlow's SAME */

struct pom_keras_conv {
    int filters, kernel, stride; /* stride 0: 1 */
    int pad;                     /* pixels on every side, or POM_KERAS_SAME */
    bool depthwise, bias, relu;  /* depthwise: filters is not used; relu: the layer's own activation */
};

/* A name made printf-style, kept by the builder. */
const char *pom_keras_name(struct pom_keras_builder *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Each adds the layer `name` on x and returns its output, which has that name. */
struct pom_keras_tensor pom_keras_conv(
    struct pom_keras_builder *b, struct pom_keras_tensor x, const char *name, struct pom_keras_conv conv);
struct pom_keras_tensor pom_keras_norm(
    struct pom_keras_builder *b, struct pom_keras_tensor x, const char *name, float epsilon);
struct pom_keras_tensor pom_keras_simple(
    struct pom_keras_builder *b, const char *operator, struct pom_keras_tensor x, const char *name); /* Relu */
struct pom_keras_tensor pom_keras_relu6(struct pom_keras_builder *b, struct pom_keras_tensor x, const char *name);
struct pom_keras_tensor pom_keras_add(
    struct pom_keras_builder *b, struct pom_keras_tensor x, struct pom_keras_tensor y, const char *name);
struct pom_keras_tensor pom_keras_max_pool(
    struct pom_keras_builder *b, struct pom_keras_tensor x, const char *name, int kernel, int stride, int pad);
struct pom_keras_tensor pom_keras_global_average(
    struct pom_keras_builder *b, struct pom_keras_tensor x, const char *name);
/* In Keras's order; size x size pixels. channels of the result: all values. */
struct pom_keras_tensor pom_keras_flatten(
    struct pom_keras_builder *b, struct pom_keras_tensor x, const char *name, int size);
struct pom_keras_tensor pom_keras_dense(
    struct pom_keras_builder *b, struct pom_keras_tensor x, const char *name, const char *activation); /* an operator */

/* True where the file's next layer is a fully connected one called name (in a file without names: any) that takes
 * `inputs` values. */
bool pom_keras_has_dense(struct pom_keras_builder *b, const char *name, int inputs);

#endif
