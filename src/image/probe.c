#include "image/probe.h"

#include <stdbool.h>
#include <string.h>

/* A format by the bytes at one place in its head. */
struct signature {
    size_t at, n;
    const char *bytes;
    enum pom_image_format format;
    const char *name;
};

static const struct signature signatures[] = {
    {0, 3, "\xff\xd8\xff", POM_IMAGE_JPEG, "JPEG"},
    {0, 8, "\x89PNG\r\n\x1a\n", POM_IMAGE_PNG, "PNG"},
    {8, 4, "WEBP", POM_IMAGE_WEBP, "WebP"},
    {0, 4, "GIF8", POM_IMAGE_UNKNOWN, "GIF"},
    {0, 4, "II*\0", POM_IMAGE_UNKNOWN, "TIFF"},
    {0, 4, "MM\0*", POM_IMAGE_UNKNOWN, "TIFF"},
    {4, 8, "ftypavif", POM_IMAGE_UNKNOWN, "AVIF"},
    {4, 8, "ftypavis", POM_IMAGE_UNKNOWN, "AVIF"},
    {4, 8, "ftypheic", POM_IMAGE_UNKNOWN, "HEIC"},
    {4, 8, "ftypheix", POM_IMAGE_UNKNOWN, "HEIC"},
    {4, 8, "ftyphevc", POM_IMAGE_UNKNOWN, "HEIC"},
    {4, 8, "ftypmif1", POM_IMAGE_UNKNOWN, "HEIF"},
    {4, 8, "ftypmsf1", POM_IMAGE_UNKNOWN, "HEIF"},
    {4, 4, "ftyp", POM_IMAGE_UNKNOWN, "MP4 or another ISO media file"},
    {4, 4, "jP  ", POM_IMAGE_UNKNOWN, "JPEG 2000"},
    {0, 4, "\xff\x4f\xff\x51", POM_IMAGE_UNKNOWN, "JPEG 2000"},
    {0, 2, "\xff\x0a", POM_IMAGE_UNKNOWN, "JPEG XL"},
    {4, 4, "JXL ", POM_IMAGE_UNKNOWN, "JPEG XL"},
    {0, 4, "8BPS", POM_IMAGE_UNKNOWN, "Photoshop"},
    {0, 4, "\0\0\1\0", POM_IMAGE_UNKNOWN, "ICO"},
    {0, 4, "%PDF", POM_IMAGE_UNKNOWN, "PDF"},
    {0, 4, "<svg", POM_IMAGE_UNKNOWN, "SVG"},
    {0, 4, "PK\3\4", POM_IMAGE_UNKNOWN, "ZIP"},
    {0, 2, "\x1f\x8b", POM_IMAGE_UNKNOWN, "gzip"},
};

static bool contains(const uint8_t *bytes, size_t n, const char *word) {
    return memmem(bytes, n, word, strlen(word)) != NULL;
}

/* Two letters are too weak a sign: the size of the header that follows must be one that exists. */
static bool is_bmp(const uint8_t *bytes, size_t n) {
    return n >= 18 && memcmp(bytes, "BM", 2) == 0 && bytes[14] >= 12 && bytes[14] <= 124 && bytes[15] == 0;
}

static bool is_ascii_text(const uint8_t *bytes, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (bytes[i] >= 0x7f || bytes[i] < '\t' || (bytes[i] > '\r' && bytes[i] < ' '))
            return false;
    return true;
}

static const char *text_name(const uint8_t *bytes, size_t n) {
    size_t head = n < 512 ? n : 512;
    if (contains(bytes, head, "<svg"))
        return "SVG";
    if (contains(bytes, head, "<html") || contains(bytes, head, "<!DOCTYPE"))
        return "an HTML page";
    return is_ascii_text(bytes, head) ? "text" : NULL;
}

static const char *weak_name(const uint8_t *bytes, size_t n) {
    if (is_bmp(bytes, n))
        return "BMP";
    return n ? text_name(bytes, n) : NULL;
}

enum pom_image_format pom_image_probe(const uint8_t *bytes, size_t n, const char **name) {
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++) {
        const struct signature *s = &signatures[i];
        if (n < s->at + s->n || memcmp(bytes + s->at, s->bytes, s->n) != 0)
            continue;
        if (s->format == POM_IMAGE_WEBP && memcmp(bytes, "RIFF", 4) != 0)
            continue;
        *name = s->name;
        return s->format;
    }
    *name = weak_name(bytes, n);
    return POM_IMAGE_UNKNOWN;
}
