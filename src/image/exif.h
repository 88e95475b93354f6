/* The one tag of EXIF that changes pixels. */
#ifndef POM_IMAGE_EXIF_H
#define POM_IMAGE_EXIF_H

#include <stddef.h>
#include <stdint.h>

/* The orientation, 1..8, in an EXIF block (TIFF 6.0 structure, IFD 0, tag 0x0112), with or without the leading
 * "Exif\0\0"; 1 where the block has none, is damaged, or holds another value. Reads within [data, data + n) only. */
int pom_exif_orientation(const uint8_t *data, size_t n);

#endif
