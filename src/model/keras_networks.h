/* The networks of keras.applications that Pomona can import. */
#ifndef POM_MODEL_KERAS_NETWORKS_H
#define POM_MODEL_KERAS_NETWORKS_H

#include "model/keras_builder.h"

struct pom_keras_network {
    const char *name;       /* as in the registry */
    const char *preprocess; /* Keras's mode */
    const char
        *known_by; /* a layer by whose name the network is known; in a file without names, its class and number */
    const char *known_by_class;
    size_t layers, classifier_layers; /* that have weights */

    /* Adds the layers, in the order in which Keras lists those that have weights. Returns the default output. */
    struct pom_keras_tensor (*build)(struct pom_keras_builder *b, struct pom_keras_tensor image);
};

/* In the order in which to try them. */
extern const struct pom_keras_network pom_keras_networks[];
extern const size_t pom_keras_networks_count;

#endif
