/* PNG by libspng. Samples of 16 bits keep their high byte, as Pillow does for colour; gamma is left alone, as Pillow
 * leaves it. */
#include "base/memory.h"
#include "image/decode.h"
#include "image/exif.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>

#include <spng.h>

/* Of a whole picture; of a row: ours, and the two that libspng holds, of up to four samples of 16 bits. */
enum { WHOLE_BYTES_PER_PIXEL = 4, ROW_BYTES_PER_PIXEL = 4 + 2 * 8 };

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

/* Once the pixels are read, of the chunks after them too, where eXIf may stand; the picture is whole by then, so damage
 * there costs no more than the tag. */
static int find_orientation(spng_ctx *ctx) {
    struct spng_exif exif;
    return spng_get_exif(ctx, &exif) == 0 ? pom_exif_orientation((const uint8_t *)exif.data, exif.length) : 1;
}

struct decoder {
    spng_ctx *ctx;
    const struct pom_source *source;
    struct spng_ihdr header;
    bool alpha;
};

/* Reads what stands before the pixels. bytes_per_pixel: of the whole picture that decoding holds. */
static enum pom_status begin(struct decoder *d, size_t bytes_per_pixel, struct pom_message *msg) {
    d->ctx = spng_ctx_new(0);
    if (!d->ctx)
        return pom_fail_memory(msg, "decoding a PNG");
    int error = set_up(d->ctx, d->source);
    if (!error)
        error = spng_get_ihdr(d->ctx, &d->header);
    if (error)
        return fail(error, msg);
    POM_TRY(pom_source_admit(d->source, d->header.width, d->header.height, bytes_per_pixel, msg));
    error = find_alpha(d->ctx, &d->header, &d->alpha);
    return error ? fail(error, msg) : POM_OK;
}

/* Into out, which has room for the whole picture, or row by row with SPNG_DECODE_PROGRESSIVE. */
static int start(const struct decoder *d, void *out, size_t n_bytes, int flags) {
    return spng_decode_image(
        d->ctx, out, n_bytes, d->alpha ? SPNG_FMT_RGBA8 : SPNG_FMT_RGB8, flags | (d->alpha ? SPNG_DECODE_TRNS : 0));
}

static enum pom_status decode_whole(
    struct decoder *d, struct pom_image *out, int *orientation, struct pom_message *msg) {
    POM_TRY(begin(d, WHOLE_BYTES_PER_PIXEL, msg));
    size_t pixels = (size_t)d->header.width * d->header.height, channels = d->alpha ? 4 : 3;
    if (!pom_image_reshape(out, (int)d->header.width, (int)d->header.height, channels))
        return pom_fail_memory(msg, "decoding a PNG");
    int error = start(d, out->rgb, pixels * channels, 0);
    if (error)
        return fail(error, msg);
    if (d->alpha)
        pom_image_flatten(out->rgb, pixels, out->rgb);
    *orientation = find_orientation(d->ctx);
    return POM_OK;
}

enum pom_status pom_png_decode(
    const struct pom_source *source, struct pom_image *out, int *orientation, struct pom_message *msg) {
    struct decoder decoder = {.source = source};
    enum pom_status status = decode_whole(&decoder, out, orientation, msg);
    spng_ctx_free(decoder.ctx);
    return status;
}

static enum pom_status read_rows(struct decoder *d, uint8_t *rgba, struct pom_row_sink *sink, struct pom_message *msg) {
    size_t width = d->header.width;
    int error = start(d, NULL, 0, SPNG_DECODE_PROGRESSIVE);
    for (uint32_t y = 0; y < d->header.height && !error; y++) {
        error = spng_decode_row(d->ctx, d->alpha ? rgba : sink->row, width * (d->alpha ? 4 : 3));
        if (error == SPNG_EOI && y + 1 == d->header.height)
            error = 0;
        if (error)
            break;
        if (d->alpha)
            pom_image_flatten(rgba, width, sink->row);
        sink->take(sink);
    }
    return error ? fail(error, msg) : POM_OK;
}

static enum pom_status decode_rows(struct decoder *d, struct pom_row_sink *sink, struct pom_message *msg) {
    POM_TRY(begin(d, sink->bytes_per_pixel, msg));
    if (d->header.interlace_method)
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "an interlaced PNG has no rows in order");
    size_t width = d->header.width;
    POM_TRY(pom_source_admit_bytes(d->source, (int)width, (int)d->header.height, width * ROW_BYTES_PER_PIXEL, msg));
    int orientation = find_orientation(d->ctx);
    POM_TRY(sink->begin(sink, (int)width, (int)d->header.height, orientation, msg));
    uint8_t *rgba = d->alpha ? pom_calloc(width, 4) : NULL;
    if (d->alpha && !rgba)
        return pom_fail_memory(msg, "decoding a PNG");
    enum pom_status status = read_rows(d, rgba, sink, msg);
    free(rgba);
    POM_TRY(status);
    if (find_orientation(d->ctx) != orientation)
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "the PNG is turned by what stands after its pixels");
    return POM_OK;
}

enum pom_status pom_png_rows(const struct pom_source *source, struct pom_row_sink *sink, struct pom_message *msg) {
    struct decoder decoder = {.source = source};
    enum pom_status status = decode_rows(&decoder, sink, msg);
    spng_ctx_free(decoder.ctx);
    return status;
}
