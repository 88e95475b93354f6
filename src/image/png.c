/* PNG by libspng. Samples of 16 bits keep their high byte, as Pillow does for colour; gamma is left alone, as Pillow
 * leaves it. */
#include "image/decode.h"
#include "image/exif.h"

#include <limits.h>
#include <stdbool.h>

#include <spng.h>

/* What one metadata chunk may inflate to, and all of them together: colour profiles and texts are far smaller. */
static const size_t MAX_CHUNK_BYTES = 16 << 20, MAX_CHUNKS_BYTES = 64 << 20;

static size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

static enum pom_status fail(int error, struct pom_message *msg) {
    switch (error) {
    case SPNG_EMEM:
        return pom_fail_memory(msg, "decoding a PNG");
    case SPNG_ECHUNK_LIMITS:
    case SPNG_EUSER_WIDTH:
    case SPNG_EUSER_HEIGHT:
        return pom_fail(msg, POM_ERR_LIMIT, "PNG: %s", spng_strerror(error));
    case SPNG_EOF:
    case SPNG_IO_EOF:
    case SPNG_EIDAT_TOO_SHORT:
        return pom_fail(
            msg, POM_ERR_FORMAT, "truncated PNG: the file ends before its last row of pixels; fetch it again");
    default:
        return pom_fail(msg, POM_ERR_FORMAT, "PNG: %s", spng_strerror(error));
    }
}

static int set_up(spng_ctx *ctx, const struct pom_source *source) {
    int error = spng_set_png_buffer(ctx, source->bytes, source->size);
    if (!error)
        error = spng_set_crc_action(ctx, SPNG_CRC_ERROR, SPNG_CRC_ERROR);
    if (!error)
        error = spng_set_image_limits(ctx, INT_MAX, INT_MAX);
    if (!error)
        error = spng_set_chunk_limits(ctx, smaller(MAX_CHUNK_BYTES, source->max_memory_bytes),
            smaller(MAX_CHUNKS_BYTES, source->max_memory_bytes));
    return error;
}

/* Whether any pixel may be transparent: by an alpha channel or by tRNS. */
static int find_alpha(spng_ctx *ctx, const struct spng_ihdr *header, bool *out) {
    struct spng_trns trns;
    int error = spng_get_trns(ctx, &trns);
    *out = error == 0 || header->color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA ||
           header->color_type == SPNG_COLOR_TYPE_TRUECOLOR_ALPHA;
    return error == SPNG_ECHUNKAVAIL ? 0 : error;
}

/* Reads the chunks after the pixels too, where eXIf may stand; the picture is whole by then, so damage there costs no
 * more than the tag. */
static int find_orientation(spng_ctx *ctx) {
    struct spng_exif exif;
    return spng_get_exif(ctx, &exif) == 0 ? pom_exif_orientation((const uint8_t *)exif.data, exif.length) : 1;
}

static enum pom_status decode(
    spng_ctx *ctx, const struct pom_source *source, struct pom_image *out, int *orientation, struct pom_message *msg) {
    struct spng_ihdr header;
    bool alpha = false;
    int error = set_up(ctx, source);
    if (!error)
        error = spng_get_ihdr(ctx, &header);
    if (error)
        return fail(error, msg);
    POM_TRY(pom_source_admit(source, header.width, header.height, 4, msg));
    error = find_alpha(ctx, &header, &alpha);
    if (error)
        return fail(error, msg);
    size_t channels = alpha ? 4 : 3;
    if (!pom_image_reshape(out, (int)header.width, (int)header.height, channels))
        return pom_fail_memory(msg, "decoding a PNG");
    error = spng_decode_image(ctx, out->rgb, (size_t)header.width * header.height * channels,
        alpha ? SPNG_FMT_RGBA8 : SPNG_FMT_RGB8, alpha ? SPNG_DECODE_TRNS : 0);
    if (error)
        return fail(error, msg);
    if (alpha)
        pom_image_flatten_rgba(out);
    *orientation = find_orientation(ctx);
    return POM_OK;
}

enum pom_status pom_png_decode(
    const struct pom_source *source, struct pom_image *out, int *orientation, struct pom_message *msg) {
    spng_ctx *ctx = spng_ctx_new(0);
    if (!ctx)
        return pom_fail_memory(msg, "decoding a PNG");
    enum pom_status status = decode(ctx, source, out, orientation, msg);
    spng_ctx_free(ctx);
    return status;
}
