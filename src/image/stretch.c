/* The rows of a picture come from the top as the file has them, but the resize is of the picture as EXIF turns it. So
 * the passes run along the file's columns and rows, with the weights mirrored where the picture is, in the order that
 * the turned picture asks for; the small result is turned at the end. */
#include "image/stretch.h"

#include "base/cpu.h"
#include "base/memory.h"
#include "image/decode.h"
#include "image/probe.h"
#include "image/resize.h"
#include <stdlib.h>
#include <string.h>

struct stretcher {
    struct pom_row_sink sink;
    const struct pom_source *source;
    const struct pom_resize_kernels *kernels;
    int width, height; /* of the result, once turned */
    enum pom_filter filter;
    int orientation;
    bool across_first;               /* each row before it goes into the band, else after it comes out */
    struct pom_weights across, down; /* of the file's columns and rows */
    uint8_t *row, *wide, *line;      /* a row as it comes; as RGBx; of the band's width */
    uint8_t *band;                   /* rows begin..end-1, which the next results need */
    size_t stride;                   /* of the band, bytes */
    int begin, end, capacity;        /* rows */
    struct pom_image result;         /* as the file lies */
    int done;                        /* its rows */
};

static void run_across(struct stretcher *s, const uint8_t *rgb, uint8_t *out) {
    s->kernels->widen(rgb, (size_t)s->across.in, s->wide);
    s->kernels->across(s->wide, &s->across, out);
}

/* Drops the rows that no later result needs. */
static void move_band(struct stretcher *s) {
    int needed = s->done < s->down.out ? s->down.first[s->done] : s->end;
    int kept = needed < s->end ? s->end - needed : 0;
    memmove(s->band, s->band + (size_t)(s->end - kept - s->begin) * s->stride, (size_t)kept * s->stride);
    s->begin = s->end - kept;
}

static void finish_row(struct stretcher *s) {
    const struct pom_weights *w = &s->down;
    const uint8_t *first = s->band + (size_t)(w->first[s->done] - s->begin) * s->stride;
    uint8_t *out = s->result.rgb + (size_t)s->done * (size_t)s->across.out * 3;
    s->kernels->down(first, s->stride, w->weights + (size_t)s->done * w->stride, w->count[s->done], s->stride,
        s->across_first ? out : s->line);
    if (!s->across_first)
        run_across(s, s->line, out);
    s->done++;
}

static void take(struct pom_row_sink *sink) {
    struct stretcher *s = (struct stretcher *)sink;
    const struct pom_weights *w = &s->down;
    if (s->end - s->begin == s->capacity)
        move_band(s);
    uint8_t *place = s->band + (size_t)(s->end - s->begin) * s->stride;
    if (s->across_first)
        run_across(s, s->row, place);
    else
        memcpy(place, s->row, s->stride);
    s->end++;
    while (s->done < w->out && w->first[s->done] + w->count[s->done] <= s->end)
        finish_row(s);
}

static int longest_run(const struct pom_weights *w) {
    int longest = 1;
    for (int i = 0; i < w->out; i++)
        longest = w->count[i] > longest ? w->count[i] : longest;
    return longest;
}

static enum pom_status reserve(struct stretcher *s, struct pom_message *msg) {
    size_t row = (size_t)s->across.in * 3, wide = ((size_t)s->across.in + POM_TAP_GROUP) * 4, band;
    s->stride = s->across_first ? (size_t)s->across.out * 3 : row;
    s->capacity = 2 * longest_run(&s->down);
    if (!pom_size_mul(s->stride, (size_t)s->capacity, &band))
        return pom_fail_memory(msg, "a resize");
    POM_TRY(pom_source_admit_bytes(s->source, s->across.in, s->down.in, row + wide + s->stride + band, msg));
    s->row = pom_calloc(row, 1);
    s->wide = pom_calloc(wide, 1);
    s->line = pom_calloc(s->stride, 1);
    s->band = pom_calloc(band, 1);
    if (!s->row || !s->wide || !s->line || !s->band || !pom_image_reshape(&s->result, s->across.out, s->down.out, 3))
        return pom_fail_memory(msg, "a resize");
    s->sink.row = s->row;
    return POM_OK;
}

static enum pom_status begin(
    struct pom_row_sink *sink, int width, int height, int orientation, struct pom_message *msg) {
    struct stretcher *s = (struct stretcher *)sink;
    bool transposed = orientation >= 5;
    s->orientation = orientation;
    int turned_width = transposed ? height : width, turned_height = transposed ? width : height;
    s->across_first = transposed == pom_resize_down_first(turned_width, turned_height, s->width, s->height);
    POM_TRY(pom_weights_prepare(&s->across, width, transposed ? s->height : s->width, s->filter, msg));
    POM_TRY(pom_weights_prepare(&s->down, height, transposed ? s->width : s->height, s->filter, msg));
    if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8)
        pom_weights_mirror(&s->across);
    if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7)
        pom_weights_mirror(&s->down);
    return reserve(s, msg);
}

static void clean_up(struct stretcher *s) {
    pom_weights_clean_up(&s->across);
    pom_weights_clean_up(&s->down);
    pom_image_clean_up(&s->result);
    free(s->row);
    free(s->wide);
    free(s->line);
    free(s->band);
}

static enum pom_status read_rows(struct stretcher *s, struct pom_message *msg) {
    const char *name;
    switch (pom_image_probe(s->source->bytes, s->source->size, &name)) {
    case POM_IMAGE_JPEG:
        return pom_jpeg_rows(s->source, &s->sink, msg);
    case POM_IMAGE_PNG:
        return pom_png_rows(s->source, &s->sink, msg);
    default:
        return POM_ERR_UNSUPPORTED;
    }
}

static enum pom_status stretch_rows(struct stretcher *s, struct pom_image *dst, struct pom_message *msg) {
    enum pom_isa isa;
    POM_TRY(pom_cpu_isa(&isa, msg));
    s->kernels = pom_resize_kernels_for(isa);
    POM_TRY(read_rows(s, msg));
    POM_TRY(pom_image_orient(s->source, &s->result, s->orientation, msg));
    pom_image_clean_up(dst);
    *dst = s->result;
    s->result = (struct pom_image){0};
    return POM_OK;
}

static enum pom_status stretch_whole(const void *bytes, size_t n_bytes, const struct pom_image_limits *limits,
    int width, int height, enum pom_filter filter, struct pom_image *dst, struct pom_message *msg) {
    struct pom_image whole = {0};
    enum pom_status status = pom_image_decode(bytes, n_bytes, limits, &whole, msg);
    if (status == POM_OK)
        status = pom_image_resize(&whole, width, height, filter, dst, msg);
    pom_image_clean_up(&whole);
    return status;
}

enum pom_status pom_image_stretch(const void *bytes, size_t n_bytes, const struct pom_image_limits *limits, int width,
    int height, enum pom_filter filter, struct pom_image *dst, struct pom_message *msg) {
    POM_TRY(pom_resize_check(width, height, filter, msg));
    const struct pom_source source = pom_source_make(bytes, n_bytes, limits);
    struct stretcher stretcher = {
        .sink = {.begin = begin, .take = take}, .source = &source, .width = width, .height = height, .filter = filter};
    enum pom_status status = stretch_rows(&stretcher, dst, msg);
    clean_up(&stretcher);
    if (status == POM_ERR_UNSUPPORTED)
        status = stretch_whole(bytes, n_bytes, limits, width, height, filter, dst, msg);
    return status;
}
