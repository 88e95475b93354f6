#include "base/memory.h"
#include "image/decode.h"
#include "image/probe.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const size_t DEFAULT_MAX_PIXELS = 178956970, DEFAULT_MAX_MEMORY_BYTES = (size_t)2 << 30;

enum pom_status pom_source_admit(
    const struct pom_source *source, size_t width, size_t height, size_t bytes_per_pixel, struct pom_message *msg) {
    size_t pixels, bytes;
    if (width == 0 || height == 0)
        return pom_fail(msg, POM_ERR_FORMAT, "a picture of %zux%zu pixels has nothing to decode", width, height);
    if (width > INT_MAX || height > INT_MAX || !pom_size_mul(width, height, &pixels) || pixels > source->max_pixels)
        return pom_fail(msg, POM_ERR_LIMIT, "a picture of %zux%zu pixels is over the limit of %zu pixels", width,
            height, source->max_pixels);
    if (!pom_size_mul(pixels, bytes_per_pixel, &bytes))
        bytes = SIZE_MAX;
    return pom_source_admit_bytes(source, (int)width, (int)height, bytes, msg);
}

enum pom_status pom_source_admit_bytes(
    const struct pom_source *source, int width, int height, size_t bytes, struct pom_message *msg) {
    static const size_t mib = (size_t)1 << 20;
    if (bytes <= source->max_memory_bytes)
        return POM_OK;
    if (source->needed_bytes)
        *source->needed_bytes = bytes;
    return pom_fail(msg, POM_ERR_LIMIT, "decoding %dx%d pixels takes %zu MiB, over the memory limit of %zu MiB", width,
        height, bytes / mib + (bytes % mib > 0), source->max_memory_bytes / mib);
}

bool pom_image_reshape(struct pom_image *image, int width, int height, size_t bytes_per_pixel) {
    size_t pixels, need;
    if (!pom_size_mul((size_t)width, (size_t)height, &pixels) || !pom_size_mul(pixels, bytes_per_pixel, &need))
        return false;
    if (!image->rgb || need > image->capacity) {
        pom_image_clean_up(image);
        image->rgb = pom_calloc(need, 1);
        if (!image->rgb)
            return false;
        image->capacity = need;
    }
    image->width = width;
    image->height = height;
    return true;
}

void pom_image_flatten(const uint8_t *rgba, size_t pixels, uint8_t *rgb) {
    for (size_t i = 0; i < pixels; i++, rgba += 4, rgb += 3) {
        unsigned alpha = rgba[3], white = 255 * (255 - alpha);
        uint8_t r = rgba[0], g = rgba[1], b = rgba[2];
        rgb[0] = (uint8_t)((r * alpha + white + 127) / 255);
        rgb[1] = (uint8_t)((g * alpha + white + 127) / 255);
        rgb[2] = (uint8_t)((b * alpha + white + 127) / 255);
    }
}

/* Where the result's first pixel lies in the source, and the way that its columns and rows take there. */
struct walk {
    ptrdiff_t origin, column, row;
};

static struct walk walk_of(int orientation, ptrdiff_t width, ptrdiff_t height) {
    ptrdiff_t right = width - 1, last_row = (height - 1) * width, last = width * height - 1;
    switch (orientation) {
    case 2:
        return (struct walk){right, -1, width};
    case 3:
        return (struct walk){last, -1, -width};
    case 4:
        return (struct walk){last_row, 1, -width};
    case 5:
        return (struct walk){0, width, 1};
    case 6:
        return (struct walk){last_row, -width, 1};
    case 7:
        return (struct walk){last, -width, -1};
    default:
        return (struct walk){right, width, -1};
    }
}

static void copy_along(const uint8_t *in, struct walk walk, int width, int height, uint8_t *out) {
    for (int y = 0; y < height; y++) {
        const uint8_t *pixel = in + 3 * (walk.origin + y * walk.row);
        for (int x = 0; x < width; x++, pixel += 3 * walk.column, out += 3)
            memcpy(out, pixel, 3);
    }
}

enum pom_status pom_image_orient(
    const struct pom_source *source, struct pom_image *image, int orientation, struct pom_message *msg) {
    if (orientation <= 1)
        return POM_OK;
    struct pom_image turned = {0};
    int width = image->width, height = image->height;
    if (orientation >= 5) {
        width = image->height;
        height = image->width;
    }
    POM_TRY(pom_source_admit(source, (size_t)width, (size_t)height, 6, msg));
    if (!pom_image_reshape(&turned, width, height, 3))
        return pom_fail_memory(msg, "turning an image");
    copy_along(image->rgb, walk_of(orientation, image->width, image->height), width, height, turned.rgb);
    pom_image_clean_up(image);
    *image = turned;
    return POM_OK;
}

static enum pom_status refuse(const struct pom_source *source, const char *name, struct pom_message *msg) {
    if (source->size == 0)
        return pom_fail(msg, POM_ERR_FORMAT, "the file is empty (0 bytes)");
    if (name)
        return pom_fail(msg, POM_ERR_UNSUPPORTED,
            "the content is %s: only JPEG, PNG and WebP are supported; convert the file", name);
    return pom_fail(msg, POM_ERR_FORMAT, "the content is no known image format: JPEG, PNG and WebP are supported");
}

static enum pom_status decode(
    const struct pom_source *source, struct pom_image *out, int *orientation, struct pom_message *msg) {
    const char *name;
    switch (pom_image_probe(source->bytes, source->size, &name)) {
    case POM_IMAGE_JPEG:
        return pom_jpeg_decode(source, out, orientation, msg);
    case POM_IMAGE_PNG:
        return pom_png_decode(source, out, orientation, msg);
    case POM_IMAGE_WEBP:
        return pom_webp_decode(source, out, orientation, msg);
    default:
        return refuse(source, name, msg);
    }
}

struct pom_source pom_source_make(const void *bytes, size_t n_bytes, const struct pom_image_limits *limits) {
    struct pom_source source = {bytes, n_bytes, DEFAULT_MAX_PIXELS, DEFAULT_MAX_MEMORY_BYTES, NULL};
    if (limits && limits->max_pixels)
        source.max_pixels = limits->max_pixels;
    if (limits && limits->max_memory_bytes)
        source.max_memory_bytes = limits->max_memory_bytes;
    if (limits)
        source.needed_bytes = limits->needed_bytes;
    return source;
}

enum pom_status pom_image_decode(const void *bytes, size_t n_bytes, const struct pom_image_limits *limits,
    struct pom_image *out, struct pom_message *msg) {
    const struct pom_source source = pom_source_make(bytes, n_bytes, limits);
    int orientation = 1;
    POM_TRY(decode(&source, out, &orientation, msg));
    return pom_image_orient(&source, out, orientation, msg);
}

void pom_image_clean_up(struct pom_image *image) {
    free(image->rgb);
    *image = (struct pom_image){0};
}
