/* libFuzzer: any bytes at all through decoding and a resize, whole and by rows. */
#include "base/status.h"
#include "image/stretch.h"
#include <pomona/image.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct pom_image_limits limits = {.max_pixels = 1 << 18, .max_memory_bytes = 16 << 20};
    struct pom_image image = {0}, small = {0}, stretched = {0};
    struct pom_message msg;
    enum pom_status status = pom_image_decode(data, size, &limits, &image, &msg);
    enum pom_status by_rows = pom_image_stretch(data, size, &limits, 20, 12, POM_FILTER_BICUBIC, &stretched, &msg);
    if (status == POM_OK &&
        (by_rows != POM_OK || pom_image_resize(&image, 20, 12, POM_FILTER_BICUBIC, &small, &msg) != POM_OK ||
            memcmp(small.rgb, stretched.rgb, (size_t)20 * 12 * 3) != 0))
        __builtin_trap();
    pom_image_clean_up(&image);
    pom_image_clean_up(&small);
    pom_image_clean_up(&stretched);
    return 0;
}
