/* Any bytes as a file of Keras weights: what it announces can be read, or is refused. Here in one process; an import
 * reads in a child, as libhdf5 itself can crash on a damaged file. */
#include "model/keras_file.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST_VALUES = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_weight(const struct pom_keras_file *file, const char *weight) {
    int64_t dims[POM_KERAS_MAX_RANK], values = 1;
    int rank = 0;
    if (pom_keras_shape(file, weight, &rank, dims, NULL) != POM_OK)
        return;
    for (int i = 0; i < rank; i++) {
        if (dims[i] < 0 || (values && dims[i] > MOST_VALUES / values))
            return;
        values *= dims[i];
    }
    float *out = calloc((size_t)values + 1, sizeof *out);
    if (out)
        pom_keras_read(file, weight, out, NULL);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    struct pom_keras_file *keras;
    snprintf(path, sizeof path, "/dev/shm/pomona-fuzz-%ld.h5", (long)getpid());
    FILE *file = fopen(path, "wb");
    if (!file)
        return 0;
    fwrite(data, 1, size, file);
    fclose(file);
    if (pom_keras_open(path, &keras, NULL) == POM_OK) {
        size_t n;
        const struct pom_keras_layer *layers = pom_keras_layers(keras, &n);
        for (size_t i = 0; i < n; i++)
            for (int w = 0; w < layers[i].n_weights; w++)
                read_weight(keras, layers[i].weights[w]);
        pom_keras_close(keras);
    }
    unlink(path);
    return 0;
}
