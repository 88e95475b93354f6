/* What the convolution's files share: a layer is made and run by one method. */
#ifndef POM_NET_KERNELS_CONV_H
#define POM_NET_KERNELS_CONV_H

#include "net/kernels/table.h"

/* In bf16 an element is two neighbouring channels, which are moved as a float (table.h). */
struct pom_conv {
    struct pom_conv_desc desc; /* channels, and the groups of depthwise layers, counted in elements */
    int pack;                  /* channels in an element: 1, or in bf16 2 */
    struct pom_act act;
    const struct pom_conv_method *method;
    void *state; /* the method's */
    size_t weight_bytes, scratch_bytes;
    const char *kernel_name;
};

struct pom_conv_method {
    /* Fills the rest of conv from desc and the borrowed weights and bias (may be NULL). After a failure clean_up
     * follows. */
    enum pom_status (*init)(struct pom_conv *conv, const struct pom_kernel_table *table, const float *weights,
        const float *bias, struct pom_message *msg);
    void (*clean_up)(struct pom_conv *conv);
    /* Takes images that lie one behind the other. */
    void (*run)(
        const struct pom_conv *conv, const float *in, const float *residual, float *out, int images, float *scratch);
};

extern const struct pom_conv_method pom_conv_by_gemm, pom_conv_by_depthwise, pom_conv_by_winograd, pom_conv_by_ref;

/* Whether the description makes sense and its sizes can be computed with. */
enum pom_status pom_conv_check(const struct pom_conv_desc *d, struct pom_message *msg);

/* From one image to the next. */
static inline size_t pom_conv_in_floats(const struct pom_conv_desc *d) {
    return (size_t)d->in_h * (size_t)d->in_w * (size_t)d->in_c;
}

static inline size_t pom_conv_out_floats(const struct pom_conv_desc *d) {
    return (size_t)d->out_h * (size_t)d->out_w * (size_t)d->out_c;
}

/* Lines of a picture, or of some of its channels: line y is at data + y % lines * line. Steps in elements. */
struct pom_line_ring {
    const float *data;
    int lines;
    ptrdiff_t pixel, line;
};

/* Of a depthwise layer without a residual: output lines [y, end) of the channels at elements [c, stop), where `in`
 * begins; c and stop lie between vectors, or stop is the end. out is where line y goes. */
void pom_depthwise_run_lines(
    const struct pom_conv *conv, int y, int end, int c, int stop, const struct pom_line_ring *in, float *out);

/* Of a layer by products without groups: the elements of a panel; 0 where panels do not end between vectors. */
int pom_gemm_conv_panel(const struct pom_conv *conv);

/* The left side of `lines` output lines from y on, copied to scratch, of pom_gemm_conv_scratch(lines) bytes, where it
 * cannot be read in place. */
const float *pom_gemm_conv_left(const struct pom_conv *conv, const float *in, int y, int lines, float *scratch);

/* From there the panel at element c, to a place of its own, `pixel` elements from pixel to pixel, without a residual.
 */
void pom_gemm_conv_run_lines(const struct pom_conv *conv, const float *a, int lines, int c, float *out, int pixel);
size_t pom_gemm_conv_scratch(const struct pom_conv *conv, int lines);

/* `lines` output lines from y on of a layer without scratch; a: where the left side of those lines lies. */
void pom_gemm_conv_run_band(
    const struct pom_conv *conv, const float *a, const float *residual, float *out, int y, int lines);

static inline bool pom_conv_is_depthwise(const struct pom_conv_desc *d) {
    return d->groups > 1 && d->groups == d->in_c;
}

/* Whether a layer is computed by Winograd's F(4x4,3x3): the same on every path, as it decides the bits. */
bool pom_conv_is_winograd(const struct pom_conv_desc *d);

#endif
