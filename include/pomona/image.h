/* Images: encoded bytes -> 8-bit RGB -> a square of the size that a network takes.
 *
 * Decoding is libjpeg-turbo's accurate integer DCT with fancy upsampling, libspng and libwebp; CMYK/YCCK, grayscale,
 * 16-bit, palette and alpha (composited over white) become 8-bit RGB; EXIF orientation is applied; of an animation the
 * first frame is taken. docs/images.md states each rule.
 * Resizing equals Pillow's Image.resize bit for bit (fixed-point separable convolution, 8 bits between the passes). */
#ifndef POMONA_IMAGE_H
#define POMONA_IMAGE_H

#include <pomona/status.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pom_filter {
    POM_FILTER_BICUBIC = 0, /* the default: PIL's default for resize */
    POM_FILTER_BILINEAR,
    POM_FILTER_LANCZOS,
    POM_FILTER_BOX,
    POM_FILTER_NEAREST /* Keras's load_img default */
};

/* Packed RGB, row-major, 3 * width bytes a row. Zero-initialise before first use; the buffer is owned by the struct,
 * grows as needed and is reused by the next call that writes to it. */
struct pom_image {
    uint8_t *rgb;
    int width, height;
    size_t capacity; /* bytes allocated at rgb */
};

/* Bounds on what decoding may cost. Zero means the default in brackets. */
struct pom_image_limits {
    size_t max_pixels;       /* of the decoded picture [178,956,970, as Pillow's bomb limit] */
    size_t max_memory_bytes; /* that decoding may hold at once [2 GiB] */
    size_t *needed_bytes;    /* may be NULL; receives what it would take, where that is over max_memory_bytes */
};

/* Decodes JPEG, PNG or WebP, told by content. limits may be NULL. On failure out keeps a valid (possibly stale) buffer.
 * POM_ERR_FORMAT: empty, truncated or corrupt; POM_ERR_UNSUPPORTED: another format (the message
 * names it), or JPEG with 12 bits, lossless or 2 components; POM_ERR_LIMIT: over the limits.
 * Thread-safe for distinct out. */
POM_API POM_NODISCARD enum pom_status pom_image_decode(const void *bytes, size_t n_bytes,
    const struct pom_image_limits *limits, struct pom_image *out, struct pom_message *msg);

/* Stretches src to width x height, both in 1..65535. src and dst must differ. Thread-safe for distinct dst. */
POM_API POM_NODISCARD enum pom_status pom_image_resize(const struct pom_image *src, int width, int height,
    enum pom_filter filter, struct pom_image *dst, struct pom_message *msg);

/* Releases the buffer and zeroes the struct. */
POM_API void pom_image_clean_up(struct pom_image *image);

/* "bicubic", "bilinear", "lanczos", "box", "nearest"; POM_ERR_ARGUMENT for anything else. */
POM_API POM_NODISCARD enum pom_status pom_filter_parse(const char *name, enum pom_filter *out, struct pom_message *msg);
POM_API const char *pom_filter_name(enum pom_filter filter);

#ifdef __cplusplus
}
#endif
#endif
