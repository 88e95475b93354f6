/* WebP by libwebp: of an animation the first frame, laid on its canvas. */
#include "image/decode.h"
#include "image/exif.h"

#include <stdbool.h>
#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

/* Beside our four bytes a pixel, libwebp's lossless decoder holds the picture once more as ARGB. */
enum { BYTES_PER_PIXEL = 8 };

static int find_orientation(const WebPDemuxer *demuxer) {
    WebPChunkIterator chunk;
    if (!WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk))
        return 1;
    int orientation = pom_exif_orientation(chunk.chunk.bytes, chunk.chunk.size);
    WebPDemuxReleaseChunkIterator(&chunk);
    return orientation;
}

/* Decodes the frame at its place in the canvas; where the canvas is not covered or shows through, it is white. */
static enum pom_status decode_frame(const WebPIterator *frame, struct pom_image *out, struct pom_message *msg) {
    bool covered = frame->width == out->width && frame->height == out->height;
    bool alpha = frame->has_alpha || !covered;
    size_t stride = (size_t)out->width * (alpha ? 4 : 3), size = stride * (size_t)out->height;
    size_t start = (size_t)frame->y_offset * stride + (size_t)frame->x_offset * 4;
    if (!covered)
        memset(out->rgb, 0, size);
    const uint8_t *done =
        alpha ? WebPDecodeRGBAInto(
                    frame->fragment.bytes, frame->fragment.size, out->rgb + start, size - start, (int)stride)
              : WebPDecodeRGBInto(frame->fragment.bytes, frame->fragment.size, out->rgb, size, (int)stride);
    if (!done)
        return pom_fail(msg, POM_ERR_FORMAT, "WebP: the picture's data is corrupt; fetch the file again");
    if (alpha)
        pom_image_flatten(out->rgb, (size_t)out->width * (size_t)out->height, out->rgb);
    return POM_OK;
}

static enum pom_status decode(const WebPDemuxer *demuxer, const struct pom_source *source, struct pom_image *out,
    int *orientation, struct pom_message *msg) {
    uint32_t width = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_WIDTH),
             height = WebPDemuxGetI(demuxer, WEBP_FF_CANVAS_HEIGHT);
    WebPIterator frame;
    POM_TRY(pom_source_admit(source, width, height, BYTES_PER_PIXEL, msg));
    if (!pom_image_reshape(out, (int)width, (int)height, 4))
        return pom_fail_memory(msg, "decoding a WebP");
    if (!WebPDemuxGetFrame(demuxer, 1, &frame))
        return pom_fail(msg, POM_ERR_FORMAT, "WebP: it has no picture");
    enum pom_status status = decode_frame(&frame, out, msg);
    WebPDemuxReleaseIterator(&frame);
    *orientation = find_orientation(demuxer);
    return status;
}

enum pom_status pom_webp_decode(
    const struct pom_source *source, struct pom_image *out, int *orientation, struct pom_message *msg) {
    WebPData data = {source->bytes, source->size};
    WebPDemuxer *demuxer = WebPDemux(&data);
    if (!demuxer)
        return pom_fail(msg, POM_ERR_FORMAT, "truncated or corrupt WebP; fetch the file again");
    enum pom_status status = decode(demuxer, source, out, orientation, msg);
    WebPDemuxDelete(demuxer);
    return status;
}
