/* Separable resampling after Pillow: an 8-bit result after each pass, across first, and only of the rows that the
 * second pass reads; a pass that would not change the size is left out. */
#include "image/resize.h"

#include "base/memory.h"
#include "image/decode.h"
#include <stdlib.h>
#include <string.h>

enum { MAX_SIDE = 65535 };

static bool reserve(uint8_t **data, size_t *capacity, size_t need) {
    if (*data && need <= *capacity)
        return true;
    free(*data);
    *data = pom_calloc(need, 1);
    *capacity = *data ? need : 0;
    return *data != NULL;
}

/* The rows of a picture; stride in bytes. */
struct rows {
    const uint8_t *rgb;
    size_t stride;
};

static enum pom_status pass_across(
    struct pom_resizer *r, struct rows in, int n_rows, uint8_t *out, struct pom_message *msg) {
    size_t pixels = (size_t)r->across.in;
    if (!reserve(&r->row, &r->row_capacity, (pixels + POM_TAP_GROUP) * 4))
        return pom_fail_memory(msg, "a resize");
    memset(r->row + pixels * 4, 0, POM_TAP_GROUP * 4);
    for (int y = 0; y < n_rows; y++) {
        r->kernels->widen(in.rgb + (size_t)y * in.stride, pixels, r->row);
        r->kernels->across(r->row, &r->across, out + (size_t)y * (size_t)r->across.out * 3);
    }
    return POM_OK;
}

static void pass_down(const struct pom_resizer *r, struct rows in, uint8_t *out) {
    const struct pom_weights *w = &r->down;
    for (int y = 0; y < w->out; y++)
        r->kernels->down(in.rgb + (size_t)w->first[y] * in.stride, in.stride, w->weights + (size_t)y * w->stride,
            w->count[y], in.stride, out + (size_t)y * in.stride);
}

static bool reserve_rows(struct pom_resizer *r, int width, int height) {
    size_t pixels, need;
    return pom_size_mul((size_t)width, (size_t)height, &pixels) && pom_size_mul(pixels, 3, &need) &&
           reserve(&r->rows, &r->rows_capacity, need);
}

static enum pom_status across_then_down(
    struct pom_resizer *r, struct rows in, struct pom_image *dst, struct pom_message *msg) {
    const struct pom_weights *down = &r->down;
    int begin = down->first[0], end = down->first[down->out - 1] + down->count[down->out - 1];
    if (!reserve_rows(r, dst->width, end))
        return pom_fail_memory(msg, "a resize");
    struct rows between = {r->rows, (size_t)dst->width * 3}, needed = {in.rgb + (size_t)begin * in.stride, in.stride};
    POM_TRY(pass_across(r, needed, end - begin, r->rows + (size_t)begin * between.stride, msg));
    pass_down(r, between, dst->rgb);
    return POM_OK;
}

static enum pom_status down_then_across(
    struct pom_resizer *r, struct rows in, struct pom_image *dst, struct pom_message *msg) {
    if (!reserve_rows(r, r->across.in, dst->height))
        return pom_fail_memory(msg, "a resize");
    pass_down(r, in, r->rows);
    return pass_across(r, (struct rows){r->rows, in.stride}, dst->height, dst->rgb, msg);
}

/* Pillow's rule since version 13, for speed; before it, the pass across came first. The order can change last bits. */
bool pom_resize_down_first(int in_width, int in_height, int out_width, int out_height) {
    int64_t fewer_rows = (int64_t)in_height - out_height, fewer_columns = (int64_t)in_width - out_width;
    return fewer_rows > 0 && fewer_rows > 2 * fewer_columns;
}

static enum pom_status resample(struct pom_resizer *r, const struct pom_image *src, enum pom_filter filter,
    struct pom_image *dst, struct pom_message *msg) {
    struct rows in = {src->rgb, (size_t)src->width * 3};
    bool across = dst->width != src->width, down = dst->height != src->height;
    if (across)
        POM_TRY(pom_weights_prepare(&r->across, src->width, dst->width, filter, msg));
    if (down)
        POM_TRY(pom_weights_prepare(&r->down, src->height, dst->height, filter, msg));
    if (across && down)
        return pom_resize_down_first(src->width, src->height, dst->width, dst->height)
                   ? down_then_across(r, in, dst, msg)
                   : across_then_down(r, in, dst, msg);
    if (across)
        return pass_across(r, in, dst->height, dst->rgb, msg);
    pass_down(r, in, dst->rgb);
    return POM_OK;
}

static enum pom_status pick_nearest(
    struct pom_resizer *r, const struct pom_image *src, struct pom_image *dst, struct pom_message *msg) {
    size_t n_positions = (size_t)dst->width + (size_t)dst->height;
    if (!reserve(&r->rows, &r->rows_capacity, n_positions * sizeof(int)))
        return pom_fail_memory(msg, "a resize");
    int *columns = (int *)(void *)r->rows, *lines = columns + dst->width;
    pom_nearest_positions(src->width, dst->width, columns);
    pom_nearest_positions(src->height, dst->height, lines);
    uint8_t *out = dst->rgb;
    for (int y = 0; y < dst->height; y++) {
        const uint8_t *in = src->rgb + (size_t)lines[y] * (size_t)src->width * 3;
        for (int x = 0; x < dst->width; x++, out += 3)
            memcpy(out, in + (size_t)columns[x] * 3, 3);
    }
    return POM_OK;
}

static enum pom_status choose_kernels(struct pom_resizer *r, struct pom_message *msg) {
    enum pom_isa isa;
    if (!r->kernels) {
        POM_TRY(pom_cpu_isa(&isa, msg));
        r->kernels = pom_resize_kernels_for(isa);
    }
    return POM_OK;
}

enum pom_status pom_resize_check(int width, int height, enum pom_filter filter, struct pom_message *msg) {
    if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE)
        return pom_fail(
            msg, POM_ERR_ARGUMENT, "resize to %dx%d: both sides must be in 1..%d", width, height, (int)MAX_SIDE);
    if ((unsigned)filter > POM_FILTER_NEAREST)
        return pom_fail(msg, POM_ERR_ARGUMENT, "resize: %d is no filter", (int)filter);
    return POM_OK;
}

enum pom_status pom_resizer_run(struct pom_resizer *r, const struct pom_image *src, int width, int height,
    enum pom_filter filter, struct pom_image *dst, struct pom_message *msg) {
    POM_TRY(pom_resize_check(width, height, filter, msg));
    if (!src->rgb || src->width < 1 || src->height < 1 || src == dst)
        return pom_fail(msg, POM_ERR_ARGUMENT, "resize: the source must be an image with pixels, and not the result");
    POM_TRY(choose_kernels(r, msg));
    if (!pom_image_reshape(dst, width, height, 3))
        return pom_fail_memory(msg, "a resize");
    if (width == src->width && height == src->height) {
        memcpy(dst->rgb, src->rgb, (size_t)width * (size_t)height * 3);
        return POM_OK;
    }
    return filter == POM_FILTER_NEAREST ? pick_nearest(r, src, dst, msg) : resample(r, src, filter, dst, msg);
}

void pom_resizer_clean_up(struct pom_resizer *r) {
    pom_weights_clean_up(&r->across);
    pom_weights_clean_up(&r->down);
    free(r->row);
    free(r->rows);
    *r = (struct pom_resizer){0};
}

enum pom_status pom_image_resize(const struct pom_image *src, int width, int height, enum pom_filter filter,
    struct pom_image *dst, struct pom_message *msg) {
    struct pom_resizer resizer = {0};
    enum pom_status status = pom_resizer_run(&resizer, src, width, height, filter, dst, msg);
    pom_resizer_clean_up(&resizer);
    return status;
}
