#include "image/exif.h"

#include <stdbool.h>
#include <string.h>

enum { TAG_ORIENTATION = 0x0112, TYPE_SHORT = 3, TYPE_LONG = 4, ENTRY_BYTES = 12 };

struct tiff {
    const uint8_t *data;
    size_t size;
    bool big_endian;
};

/* The caller has checked that at + 2 (or 4) lies within the block. */
static uint32_t read_u16(const struct tiff *tiff, size_t at) {
    const uint8_t *p = tiff->data + at;
    return tiff->big_endian ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

static uint32_t read_u32(const struct tiff *tiff, size_t at) {
    uint32_t first = read_u16(tiff, at), second = read_u16(tiff, at + 2);
    return tiff->big_endian ? first << 16 | second : second << 16 | first;
}

/* Skips "Exif\0\0" and reads the byte order; false where it is no TIFF header. */
static bool open_tiff(const uint8_t *data, size_t n, struct tiff *out) {
    static const char prefix[6] = "Exif\0";
    if (n >= sizeof prefix && memcmp(data, prefix, sizeof prefix) == 0) {
        data += sizeof prefix;
        n -= sizeof prefix;
    }
    if (n < 8)
        return false;
    *out = (struct tiff){data, n, data[0] == 'M'};
    return (memcmp(data, "II", 2) == 0 || memcmp(data, "MM", 2) == 0) && read_u16(out, 2) == 42;
}

static uint32_t entry_value(const struct tiff *tiff, size_t entry) {
    uint32_t type = read_u16(tiff, entry + 2);
    if (read_u32(tiff, entry + 4) != 1)
        return 0;
    if (type == TYPE_SHORT)
        return read_u16(tiff, entry + 8);
    return type == TYPE_LONG ? read_u32(tiff, entry + 8) : 0;
}

int pom_exif_orientation(const uint8_t *data, size_t n) {
    struct tiff tiff;
    if (!open_tiff(data, n, &tiff))
        return 1;
    size_t ifd = read_u32(&tiff, 4);
    if (ifd > tiff.size - 2)
        return 1;
    size_t entries = read_u16(&tiff, ifd), fit = (tiff.size - ifd - 2) / ENTRY_BYTES;
    if (entries > fit)
        entries = fit;
    for (size_t i = 0; i < entries; i++) {
        size_t entry = ifd + 2 + i * ENTRY_BYTES;
        if (read_u16(&tiff, entry) != TAG_ORIENTATION)
            continue;
        uint32_t value = entry_value(&tiff, entry);
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}
