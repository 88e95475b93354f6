/* What the decoders share: the source, its limits, and the buffer that they fill. Internal to the image room. */
#ifndef POM_IMAGE_DECODE_H
#define POM_IMAGE_DECODE_H

#include "base/status.h"
#include <pomona/image.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An encoded picture and what decoding it may cost (limits with the defaults filled in). */
struct pom_source {
    const uint8_t *bytes;
    size_t size;
    size_t max_pixels, max_memory_bytes;
    size_t *needed_bytes; /* may be NULL; see struct pom_image_limits */
};

struct pom_source pom_source_make(const void *bytes, size_t n_bytes, const struct pom_image_limits *limits);

/* Takes a picture's rows from the top, one by one. */
struct pom_row_sink {
    size_t bytes_per_pixel; /* that are held of the whole picture */
    uint8_t *row;           /* where the next row goes, 3 * width bytes; from begin on */
    /* Once the header is known; orientation is EXIF's, 1..8. */
    enum pom_status (*begin)(
        struct pom_row_sink *sink, int width, int height, int orientation, struct pom_message *msg);
    void (*take)(struct pom_row_sink *sink); /* the row is there */
};

/* On failure some rows may have been taken. POM_ERR_UNSUPPORTED: it has to be decoded whole, as a PNG that is
 * interlaced, or turned by what stands after its pixels. */
enum pom_status pom_jpeg_rows(const struct pom_source *source, struct pom_row_sink *sink, struct pom_message *msg);
enum pom_status pom_png_rows(const struct pom_source *source, struct pom_row_sink *sink, struct pom_message *msg);

/* Each fills out with 8-bit RGB and *orientation with the EXIF orientation, 1..8. */
enum pom_status pom_jpeg_decode(
    const struct pom_source *source, struct pom_image *out, int *orientation, struct pom_message *msg);
enum pom_status pom_png_decode(
    const struct pom_source *source, struct pom_image *out, int *orientation, struct pom_message *msg);
enum pom_status pom_webp_decode(
    const struct pom_source *source, struct pom_image *out, int *orientation, struct pom_message *msg);

/* Refuses a picture without pixels or over the limits, before anything is allocated for it. bytes_per_pixel: all that
 * decoding holds at once. */
enum pom_status pom_source_admit(
    const struct pom_source *source, size_t width, size_t height, size_t bytes_per_pixel, struct pom_message *msg);

/* Refuses `bytes` for a picture of that size where they are over the limit. */
enum pom_status pom_source_admit_bytes(
    const struct pom_source *source, int width, int height, size_t bytes, struct pom_message *msg);

/* Makes image width x height with room for bytes_per_pixel (3 or 4); the pixels are stale or zero. False on overflow or
 * no memory, and then the image is empty or as before. */
bool pom_image_reshape(struct pom_image *image, int width, int height, size_t bytes_per_pixel);

/* Turns RGBA into packed RGB over white: c' = (c * a + 255 * (255 - a)) / 255 rounded to nearest (there are no ties).
 * rgb may be rgba itself. */
void pom_image_flatten(const uint8_t *rgba, size_t pixels, uint8_t *rgb);

/* Applies an EXIF orientation, 1..8. */
enum pom_status pom_image_orient(
    const struct pom_source *source, struct pom_image *image, int orientation, struct pom_message *msg);

#endif
