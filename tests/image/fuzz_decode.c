/* libFuzzer: any bytes at all through decoding, then through a resize. */
#include "base/status.h"
#include <pomona/image.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct pom_image_limits limits = {.max_pixels = 1 << 18, .max_memory_bytes = 16 << 20};
    struct pom_image image = {0}, small = {0};
    struct pom_message msg;
    if (pom_image_decode(data, size, &limits, &image, &msg) == POM_OK &&
        pom_image_resize(&image, 20, 12, POM_FILTER_BICUBIC, &small, &msg) != POM_OK)
        __builtin_trap();
    pom_image_clean_up(&image);
    pom_image_clean_up(&small);
    return 0;
}
