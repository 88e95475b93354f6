/* Windows over height and width: what Conv and the pools share. Tensors of rank 3 have one row. */
#include "net/op.h"

#include <limits.h>
#include <string.h>

enum { MAX_WINDOW = 1 << 16 };

/* Ints of a window attribute, (height, width); rank 3 gives the width only. */
static enum pom_status window_ints(
    const struct pom_node *node, const char *name, int spatial, int64_t least, int values[2], struct pom_message *msg) {
    const struct pom_attribute *attribute = pom_node_attribute(node, name);
    if (!attribute || !attribute->ints)
        return POM_OK;
    if (attribute->n != (size_t)spatial)
        return pom_fail(msg, POM_ERR_FORMAT, "%s has %zu values, not %d", name, attribute->n, spatial);
    for (int i = 0; i < spatial; i++) {
        if (attribute->ints[i] < least || attribute->ints[i] > MAX_WINDOW)
            return pom_fail(msg, POM_ERR_FORMAT, "%s of %lld is out of range", name, (long long)attribute->ints[i]);
        values[2 - spatial + i] = (int)attribute->ints[i];
    }
    return POM_OK;
}

static enum pom_status window_pads(
    const struct pom_node *node, int spatial, struct pom_window *window, struct pom_message *msg) {
    const struct pom_attribute *attribute = pom_node_attribute(node, "pads");
    if (!attribute || !attribute->ints)
        return POM_OK;
    if (attribute->n != 2 * (size_t)spatial)
        return pom_fail(msg, POM_ERR_FORMAT, "pads has %zu values, not %d", attribute->n, 2 * spatial);
    for (int i = 0; i < 2 * spatial; i++) {
        if (attribute->ints[i] < 0 || attribute->ints[i] > MAX_WINDOW)
            return pom_fail(msg, POM_ERR_FORMAT, "pads of %lld is out of range", (long long)attribute->ints[i]);
        int *side = i < spatial ? window->pad_begin : window->pad_end;
        side[2 - spatial + i % spatial] = (int)attribute->ints[i];
    }
    return POM_OK;
}

static int64_t covered(const struct pom_window *w, int axis) {
    return (int64_t)(w->kernel[axis] - 1) * w->dilation[axis] + 1;
}

/* auto_pad SAME: out = ceil(in / stride), the odd pixel at the end (UPPER) or the beginning (LOWER). */
static void pad_same(struct pom_window *w, int axis, int64_t side, bool lower) {
    int64_t out = (side + w->stride[axis] - 1) / w->stride[axis];
    int64_t total = (out - 1) * w->stride[axis] + covered(w, axis) - side;
    int64_t small = total > 0 ? total / 2 : 0, large = total > 0 ? total - small : 0;
    w->pad_begin[axis] = (int)(lower ? large : small);
    w->pad_end[axis] = (int)(lower ? small : large);
}

static int64_t window_count(const struct pom_window *w, int axis, int64_t side, bool ceil_mode) {
    int64_t room = side + w->pad_begin[axis] + w->pad_end[axis] - covered(w, axis);
    if (room < 0)
        return 0;
    int64_t out = room / w->stride[axis] + 1;
    bool more = ceil_mode && room % w->stride[axis] != 0;
    /* a last window that would start behind the picture is left out */
    if (more && out * w->stride[axis] < side + w->pad_begin[axis])
        out++;
    return out;
}

static enum pom_status auto_pad(
    const struct pom_node *node, const int64_t side[2], struct pom_window *window, struct pom_message *msg) {
    const char *mode = pom_node_text(node, "auto_pad", "NOTSET");
    bool lower = strcmp(mode, "SAME_LOWER") == 0;
    if (lower || strcmp(mode, "SAME_UPPER") == 0) {
        pad_same(window, 0, side[0], lower);
        pad_same(window, 1, side[1], lower);
    } else if (strcmp(mode, "VALID") == 0) {
        memset(window->pad_begin, 0, sizeof window->pad_begin);
        memset(window->pad_end, 0, sizeof window->pad_end);
    } else if (strcmp(mode, "NOTSET") != 0) {
        return pom_fail(msg, POM_ERR_FORMAT, "auto_pad '%.40s' is not defined", mode);
    }
    return POM_OK;
}

enum pom_status pom_window_infer(const struct pom_node *node, const struct pom_value *in, const int64_t kernel[2],
    int64_t out[2], struct pom_window *window, struct pom_message *msg) {
    if (in->rank != 3 && in->rank != 4)
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "takes tensors of rank 3 and 4, not %d", in->rank);
    int spatial = in->rank - 2;
    int64_t side[2] = {spatial == 2 ? in->dims[2] : 1, in->dims[in->rank - 1]};
    *window = (struct pom_window){.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}};
    POM_TRY(window_ints(node, "kernel_shape", spatial, 1, window->kernel, msg));
    for (int i = 0; i < 2 && kernel; i++) {
        bool given = pom_node_attribute(node, "kernel_shape") != NULL;
        if (kernel[i] < 1 || kernel[i] > MAX_WINDOW || (given && window->kernel[i] != kernel[i]))
            return pom_fail(msg, POM_ERR_FORMAT, "kernel_shape does not fit the weights");
        window->kernel[i] = (int)kernel[i];
    }
    if (!kernel && !pom_node_attribute(node, "kernel_shape"))
        return pom_fail(msg, POM_ERR_FORMAT, "kernel_shape is missing");
    POM_TRY(window_ints(node, "strides", spatial, 1, window->stride, msg));
    POM_TRY(window_ints(node, "dilations", spatial, 1, window->dilation, msg));
    POM_TRY(window_pads(node, spatial, window, msg));
    POM_TRY(auto_pad(node, side, window, msg));
    bool ceil_mode = pom_node_int(node, "ceil_mode", 0) != 0;
    for (int i = 0; i < 2; i++) {
        out[i] = window_count(window, i, side[i], ceil_mode);
        if (out[i] < 1 || out[i] > INT_MAX || side[i] > INT_MAX)
            return pom_fail(msg, POM_ERR_FORMAT, "its window of %lld does not fit into a side of %lld",
                (long long)covered(window, i), (long long)side[i]);
    }
    return POM_OK;
}
