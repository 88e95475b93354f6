/* Decoding and resizing in one: for pictures too large to be held whole. */
#ifndef POM_IMAGE_STRETCH_H
#define POM_IMAGE_STRETCH_H

#include <pomona/image.h>

/* As pom_image_decode and then pom_image_resize, to the bit, but each row of a JPEG or PNG is resized as it is
 * decoded, and then forgotten: 12,000 x 12,000 pixels take a few MB. A JPEG of several scans still needs its
 * coefficients whole, and a WebP and a PNG whose rows are not in order are held whole as ever: then POM_ERR_LIMIT as
 * there. Thread-safe for distinct dst. */
enum pom_status pom_image_stretch(const void *bytes, size_t n_bytes, const struct pom_image_limits *limits, int width,
    int height, enum pom_filter filter, struct pom_image *dst, struct pom_message *msg);

#endif
