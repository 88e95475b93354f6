/* What a picture is, told by its content; a suffix is never looked at. */
#ifndef POM_IMAGE_PROBE_H
#define POM_IMAGE_PROBE_H

#include <stddef.h>
#include <stdint.h>

enum pom_image_format { POM_IMAGE_UNKNOWN = 0, POM_IMAGE_JPEG, POM_IMAGE_PNG, POM_IMAGE_WEBP };

/* *name receives what the content looks like, for messages: "JPEG", "GIF", "text"; NULL where nothing is known of it.
 * Static storage. Thread-safe. */
enum pom_image_format pom_image_probe(const uint8_t *bytes, size_t n, const char **name);

#endif
