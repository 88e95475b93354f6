/* Small files in Keras's legacy layout, written by libhdf5. */
#ifndef POM_TESTS_MODEL_KERAS_FIXTURE_H
#define POM_TESTS_MODEL_KERAS_FIXTURE_H

#include <hdf5.h>

/* Opens a new file; layers are added and their names kept; finish writes layer_names and closes. */
struct keras_fixture {
    hid_t file;
    char names[160][64];
    int n;
};

void fixture_start(struct keras_fixture *fixture, const char *path);

/* A layer with `count` arrays called layer/0:0, layer/1:0, ..; the first has the dims of kernel (rank 1 to 4), the
 * others n values. Element i of an array is seed + i * 1e-4. */
void fixture_layer(
    struct keras_fixture *fixture, const char *name, int count, int rank, const hsize_t *kernel, hsize_t n, float seed);
void fixture_finish(struct keras_fixture *fixture);

/* MobileNetV2 without its classifier, under the names that Keras's published file has. */
void fixture_mobilenetv2(const char *path);

#endif
