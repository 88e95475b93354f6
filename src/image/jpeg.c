/* JPEG by libjpeg-turbo: the accurate integer DCT and fancy upsampling, which are its defaults and Pillow's. */
#include "image/decode.h"
#include "image/exif.h"

#include <limits.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

/* Real encoders write about ten scans; each one costs a walk over the whole picture however few bytes it has. */
enum { MAX_SCANS = 200 };

/* libjpeg hands back its public structs only, so they stand first in what surrounds them. */
struct error_manager {
    struct jpeg_error_mgr base;
    jmp_buf jump;
    enum pom_status status;
    struct pom_message *msg;
};

struct decoder {
    struct jpeg_decompress_struct info;
    struct error_manager error;
    struct jpeg_source_mgr input;
    struct jpeg_progress_mgr progress;
};

_Noreturn static void stop(j_common_ptr info, enum pom_status status) {
    struct error_manager *error = (struct error_manager *)info->err;
    error->status = status;
    longjmp(error->jump, 1);
}

static enum pom_status status_of(int code) {
    switch (code) {
    case JERR_OUT_OF_MEMORY:
        return POM_ERR_MEMORY;
    case JERR_NO_BACKING_STORE:
    case JERR_IMAGE_TOO_BIG:
    case JERR_WIDTH_OVERFLOW:
        return POM_ERR_LIMIT;
    case JERR_BAD_PRECISION:
    case JERR_SOF_UNSUPPORTED:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_COMPONENT_COUNT:
    case JERR_ARITH_NOTIMPL:
        return POM_ERR_UNSUPPORTED;
    default:
        return POM_ERR_FORMAT;
    }
}

static void on_error(j_common_ptr info) {
    struct error_manager *error = (struct error_manager *)info->err;
    int code = info->err->msg_code;
    if (code == JERR_BAD_PRECISION) {
        pom_fail(error->msg, POM_ERR_UNSUPPORTED, "JPEG with %d bits a sample: only 8 are supported; convert the file",
            info->err->msg_parm.i[0]);
    } else if (code == JERR_NO_BACKING_STORE) {
        pom_fail(error->msg, POM_ERR_LIMIT,
            "the scans of a progressive JPEG take more than %ld MiB: raise the memory limit",
            info->mem->max_memory_to_use >> 20);
    } else {
        char text[JMSG_LENGTH_MAX];
        info->err->format_message(info, text);
        pom_fail(error->msg, status_of(code), "JPEG: %s", text);
    }
    stop(info, status_of(code));
}

/* Warnings (damaged entropy data that libjpeg resynchronises on, extraneous bytes, odd versions) are tolerated. */
static void on_message(j_common_ptr info) {
    (void)info;
}

static void do_nothing(j_decompress_ptr info) {
    (void)info;
}

/* All the bytes were there from the start, so wanting more means that the file is cut off. */
_Noreturn static void truncated(j_decompress_ptr info) {
    pom_fail(((struct error_manager *)info->err)->msg, POM_ERR_FORMAT,
        "truncated JPEG: the file ends before its last row of pixels; fetch it again");
    stop((j_common_ptr)info, POM_ERR_FORMAT);
}

static boolean on_input_end(j_decompress_ptr info) {
    truncated(info);
}

static void on_skip(j_decompress_ptr info, long n) {
    struct jpeg_source_mgr *input = info->src;
    if (n <= 0)
        return;
    if ((size_t)n > input->bytes_in_buffer)
        truncated(info);
    input->next_input_byte += n;
    input->bytes_in_buffer -= (size_t)n;
}

static void on_progress(j_common_ptr info) {
    if (((j_decompress_ptr)info)->input_scan_number <= MAX_SCANS)
        return;
    pom_fail(((struct error_manager *)info->err)->msg, POM_ERR_LIMIT,
        "JPEG with more than %d scans: refused, as decoding would take too long", (int)MAX_SCANS);
    stop(info, POM_ERR_LIMIT);
}

static void set_up(struct decoder *decoder, const struct pom_source *source) {
    struct jpeg_decompress_struct *info = &decoder->info;
    jpeg_create_decompress(info);
    decoder->input = (struct jpeg_source_mgr){.next_input_byte = source->bytes,
        .bytes_in_buffer = source->size,
        .init_source = do_nothing,
        .fill_input_buffer = on_input_end,
        .skip_input_data = on_skip,
        .resync_to_restart = jpeg_resync_to_restart,
        .term_source = do_nothing};
    info->src = &decoder->input;
    decoder->progress.progress_monitor = on_progress;
    info->progress = &decoder->progress;
    jpeg_save_markers(info, JPEG_APP0 + 1, 0xffff);
}

static int find_orientation(const struct jpeg_decompress_struct *info) {
    for (jpeg_saved_marker_ptr marker = info->marker_list; marker; marker = marker->next)
        if (marker->data_length >= 6 && memcmp(marker->data, "Exif\0", 6) == 0)
            return pom_exif_orientation(marker->data, marker->data_length);
    return 1;
}

/* A picture of several scans is held whole as coefficients, two bytes each. */
static enum pom_status admit(
    struct decoder *decoder, const struct pom_source *source, size_t bytes_per_pixel, struct pom_message *msg) {
    struct jpeg_decompress_struct *info = &decoder->info;
    size_t coefficients = jpeg_has_multiple_scans(info) ? 2 * (size_t)info->num_components : 0;
    POM_TRY(pom_source_admit(source, info->image_width, info->image_height, bytes_per_pixel + coefficients, msg));
    size_t rest = source->max_memory_bytes - (size_t)info->image_width * info->image_height * bytes_per_pixel;
    info->mem->max_memory_to_use = rest < LONG_MAX ? (long)rest + 1 : LONG_MAX; /* 0 would mean no bound */
    return POM_OK;
}

/* a * b / 255, rounded as Pillow's MULDIV255 does. */
static int scale_255(int a, int b) {
    int product = a * b + 128;
    return ((product >> 8) + product) >> 8;
}

/* As Pillow: every four-component JPEG is taken as Adobe's, which stores inverted ink: 255 is none. */
static void rgb_from_inverted_cmyk(const uint8_t *cmyk, size_t pixels, uint8_t *rgb) {
    for (size_t i = 0; i < pixels; i++, cmyk += 4, rgb += 3)
        for (int c = 0; c < 3; c++)
            rgb[c] = (uint8_t)(cmyk[3] - scale_255(255 - cmyk[c], cmyk[3]));
}

static void read_rows(struct jpeg_decompress_struct *info, struct pom_row_sink *sink) {
    while (info->output_scanline < info->output_height) {
        jpeg_read_scanlines(info, &sink->row, 1);
        sink->take(sink);
    }
}

static void read_cmyk_rows(struct jpeg_decompress_struct *info, struct pom_row_sink *sink) {
    JSAMPARRAY inks = info->mem->alloc_sarray((j_common_ptr)info, JPOOL_IMAGE, info->output_width * 4, 1);
    while (info->output_scanline < info->output_height) {
        jpeg_read_scanlines(info, inks, 1);
        rgb_from_inverted_cmyk(inks[0], info->output_width, sink->row);
        sink->take(sink);
    }
}

static enum pom_status decode(
    struct decoder *decoder, const struct pom_source *source, struct pom_row_sink *sink, struct pom_message *msg) {
    struct jpeg_decompress_struct *info = &decoder->info;
    set_up(decoder, source);
    jpeg_read_header(info, TRUE);
    POM_TRY(admit(decoder, source, sink->bytes_per_pixel, msg));
    int n = info->num_components;
    if (n != 1 && n != 3 && n != 4)
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "JPEG with %d components: only 1, 3 and 4 are supported", n);
    info->out_color_space = n == 4 ? JCS_CMYK : JCS_RGB;
    info->dct_method = JDCT_ISLOW;
    info->do_fancy_upsampling = TRUE;
    POM_TRY(sink->begin(sink, (int)info->image_width, (int)info->image_height, find_orientation(info), msg));
    jpeg_start_decompress(info);
    (n == 4 ? read_cmyk_rows : read_rows)(info, sink);
    return POM_OK;
}

enum pom_status pom_jpeg_rows(const struct pom_source *source, struct pom_row_sink *sink, struct pom_message *msg) {
    struct decoder decoder = {.error = {.msg = msg}};
    decoder.info.err = jpeg_std_error(&decoder.error.base);
    decoder.error.base.error_exit = on_error;
    decoder.error.base.output_message = on_message;
    enum pom_status status;
    if (setjmp(decoder.error.jump))
        status = decoder.error.status;
    else
        status = decode(&decoder, source, sink, msg);
    jpeg_destroy_decompress(&decoder.info);
    return status;
}

/* The rows go where they stay. */
struct whole {
    struct pom_row_sink sink;
    struct pom_image *out;
    int orientation;
};

static enum pom_status begin_whole(
    struct pom_row_sink *sink, int width, int height, int orientation, struct pom_message *msg) {
    struct whole *whole = (struct whole *)sink;
    if (!pom_image_reshape(whole->out, width, height, 3) || !whole->out->rgb)
        return pom_fail_memory(msg, "decoding a JPEG");
    whole->orientation = orientation;
    sink->row = whole->out->rgb;
    return POM_OK;
}

static void take_in_place(struct pom_row_sink *sink) {
    sink->row += (size_t)((struct whole *)sink)->out->width * 3;
}

enum pom_status pom_jpeg_decode(
    const struct pom_source *source, struct pom_image *out, int *orientation, struct pom_message *msg) {
    struct whole whole = {{.bytes_per_pixel = 3, .begin = begin_whole, .take = take_in_place}, out, 1};
    POM_TRY(pom_jpeg_rows(source, &whole.sink, msg));
    *orientation = whole.orientation;
    return POM_OK;
}
