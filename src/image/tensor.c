#include "image/tensor.h"

static float preprocessed(enum pom_preprocess preprocess, int channel, float x) {
    static const float bgr_mean[3] = {103.939F, 116.779F, 123.68F};
    static const float rgb_mean[3] = {0.485F, 0.456F, 0.406F}, rgb_std[3] = {0.229F, 0.224F, 0.225F};
    switch (preprocess) {
    case POM_PREPROCESS_CAFFE:
        return x - bgr_mean[channel];
    case POM_PREPROCESS_TORCH:
        return (x / 255.0F - rgb_mean[channel]) / rgb_std[channel];
    case POM_PREPROCESS_LITE:
        return (x - 127.0F) / 128.0F;
    default:
        return x / 127.5F - 1.0F;
    }
}

void pom_tensor_table_make(enum pom_preprocess preprocess, struct pom_tensor_table *table) {
    for (int c = 0; c < 3; c++) {
        table->source[c] = (uint8_t)(preprocess == POM_PREPROCESS_CAFFE ? 2 - c : c);
        for (int x = 0; x < 256; x++)
            table->value[c][x] = preprocessed(preprocess, c, (float)x);
    }
}

void pom_tensor_from_rgb(const struct pom_tensor_table *table, const uint8_t *rgb, size_t pixels, float *out) {
    const uint8_t *first = rgb + table->source[0], *second = rgb + table->source[1], *third = rgb + table->source[2];
    for (size_t i = 0; i < 3 * pixels; i += 3) {
        out[i] = table->value[0][first[i]];
        out[i + 1] = table->value[1][second[i]];
        out[i + 2] = table->value[2][third[i]];
    }
}
