/* A network: an ONNX model turned into a plan of kernel calls, and the sessions that run it.
 *
 * Layout: float32 throughout, but for what precision int8 holds in bytes (narrow.h). Activations of rank 4 are kept
 * channels-last (NHWC) inside; the outside sees ONNX's own order, but NHWC for an image input where the options say so,
 * and for outputs where metadata_props of the model has "pomona.layout" = "nhwc" (Keras's order of Flatten). The same
 * bits on every CPU path, thread count and batch size. */
#ifndef POM_NET_NET_H
#define POM_NET_NET_H

#include "base/cpu.h"
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct pom_net;         /* immutable once loaded; shared by threads */
struct pom_net_session; /* one thread's working memory */

enum { POM_NET_MAX_RANK = 8, POM_NET_MAX_BATCH = 4096 };

/* How the bytes of a picture become the numbers of an image input: channel c of a pixel is value[c][byte source[c]]. */
struct pom_net_pixels {
    const float *value[3]; /* 256 each, rising in even steps */
    uint8_t source[3];     /* 0, 1 and 2 in some order */
};

/* Zero-initialise for the defaults. */
struct pom_net_options {
    const char
        *output;      /* a node's or tensor's name to stop at, instead of the graph's outputs; borrowed for the call */
    int size;         /* height and width for an image input whose sides are symbolic; 0: 224 */
    bool image_input; /* the single rank-4 input is given as NHWC, 3 channels */
    const struct pom_net_pixels *pixels; /* with image_input: it is given as bytes; NULL: as floats. Borrowed for the
                                            call */

    bool mapped; /* the bytes are a file's map (pom_file_map): its pages are let go when they have been read */

    bool bf16; /* precision bf16; else int8 where there are ranges, else float32 */

    /* A net is loaded once to be watched while it works in floats on some images, and again with what was seen. */
    bool watch;
    const struct pom_net_range *ranges; /* NULL: not known (bf16 can do without); borrowed for the call */
    int n_ranges;
};

/* What was seen of a tensor between two layers, by channel. */
struct pom_net_range {
    const char *name; /* "" where the file gives none */
    int channels;
    const float *low, *high; /* its least and largest number */
    const float *mean;
};

/* An input or output; dims in the order in which it is given or handed out. dims[0] is the batch where batched is true
 * (and then 1 here): an open first side, or a fixed 1 of a rank-4 input. */
struct pom_net_tensor {
    const char *name;
    int rank;
    int64_t dims[POM_NET_MAX_RANK];
    bool batched;
    size_t elements; /* per image where batched, else in all */
};

struct pom_net_info {
    const char *preprocess; /* metadata_props "pomona.preprocess", or NULL */
    bool takes_pixels;      /* as the options said: the input's elements are bytes */
    int n_inputs, n_outputs;
    const struct pom_net_tensor *inputs, *outputs;
    int n_watched; /* further outputs of a net that is watched: low, high and mean of each image, 3 * channels floats */
    const struct pom_net_range *watched; /* their names and channels */
    int64_t parameters, macs;            /* macs: per image */
    size_t weight_bytes;                 /* packed weights */
    size_t session_bytes;                /* of a session of batch 1 */
    enum pom_isa isa;                    /* the path chosen */
};

/* bytes (an ONNX ModelProto) are borrowed for the call. Every error names the node. */
enum pom_status pom_net_load(const void *bytes, size_t n_bytes, const struct pom_net_options *options,
    struct pom_net **out, struct pom_message *msg);
void pom_net_free(struct pom_net *net);
const struct pom_net_info *pom_net_info(const struct pom_net *net);

/* Memory of a session; 0 where there is too little to tell. */
size_t pom_net_session_bytes(const struct pom_net *net, int max_batch);

/* The net must outlive the session. */
enum pom_status pom_net_session_new(
    const struct pom_net *net, int max_batch, struct pom_net_session **out, struct pom_message *msg);
void pom_net_session_free(struct pom_net_session *session);

/* Runs a batch of n images: inputs[i] and outputs[i] point at n * elements floats (elements where not batched), in the
 * order of info, the watched behind the outputs. Allocates nothing. */
enum pom_status pom_net_run(
    struct pom_net_session *session, const float *const *inputs, int n, float *const *outputs, struct pom_message *msg);

/* The same for a net that takes pixels: n * elements bytes. */
enum pom_status pom_net_run_pixels(
    struct pom_net_session *session, const uint8_t *pixels, int n, float *const *outputs, struct pom_message *msg);

/* A table of layers for people: name, operator, output shape, parameters, multiply-adds. */
void pom_net_print_layers(const struct pom_net *net, FILE *out);

/* The plan: one line per step: kernel, buffers, shape, fused operations and weights; then where the memory goes. */
void pom_net_print_plan(const struct pom_net *net, FILE *out);

/* Steps of the plan. */
int pom_net_steps(const struct pom_net *net);

/* From now on the session's runs add the CPU time of every step to step_ns, which has pom_net_steps entries; NULL: no
 * more. */
void pom_net_time_steps(struct pom_net_session *session, uint64_t *step_ns);

/* A table of what each step took, from the step_ns of runs over so many images: time, share, GFLOP/s (a multiply-add is
 * two), their fraction of peak_gflops, kernel. */
void pom_net_print_times(
    const struct pom_net *net, const uint64_t *step_ns, uint64_t images, double peak_gflops, FILE *out);

#endif
