/* 8-bit RGB -> the float32 tensor that a network takes. */
#ifndef POM_IMAGE_TENSOR_H
#define POM_IMAGE_TENSOR_H

#include "image/preprocess.h"
#include <stddef.h>
#include <stdint.h>

/* Output channel c of a pixel is value[c][rgb[source[c]]]. Immutable once made; shared by threads. */
struct pom_tensor_table {
    float value[3][256];
    uint8_t source[3];
};

/* Fills table with the preprocessing of all 256 samples, in the float32 operations of the framework that it comes from.
 */
void pom_tensor_table_make(enum pom_preprocess preprocess, struct pom_tensor_table *table);

/* rgb: 3 * pixels bytes -> out: 3 * pixels floats, NHWC. */
void pom_tensor_from_rgb(const struct pom_tensor_table *table, const uint8_t *rgb, size_t pixels, float *out);

#endif
