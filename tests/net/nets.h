/* Small networks for tests, written as ONNX files in memory. */
#ifndef POM_TESTS_NET_NETS_H
#define POM_TESTS_NET_NETS_H

#include "base/buffer.h"
#include "net/net.h"
#include <stdint.h>

/* A model under way. Zero-initialise; free bytes with pom_buffer_clean_up. */
struct net_writer {
    struct pom_buffer graph; /* the fields of the GraphProto so far */
    struct pom_buffer bytes; /* the ModelProto, after net_finish */
    unsigned seed;           /* of random weights */
};

/* dims: n sides; the first is the batch, open where 0. */
void net_input(struct net_writer *writer, const char *name, const int64_t *dims, int n);
void net_output(struct net_writer *writer, const char *name);

/* An initializer of floats; values NULL: random in [-1, 1]. */
void net_floats(struct net_writer *writer, const char *name, const float *values, const int64_t *dims, int n);
void net_ints(struct net_writer *writer, const char *name, const int64_t *values, int n);

/* A node: inputs are names separated by commas. attributes: "name=1,2;name=0.5f;name=text" or NULL. The node is named
 * after its output. */
void net_node(
    struct net_writer *writer, const char *type, const char *inputs, const char *output, const char *attributes);

/* An entry of metadata_props, before or after net_finish. */
void net_metadata(struct net_writer *writer, const char *key, const char *value);

/* Writes bytes. */
void net_finish(struct net_writer *writer);

/* A convolution of random weights named <output>.w, c_in to c_out channels, k x k, padded to the same size. */
void net_conv(struct net_writer *writer, const char *input, const char *output, int c_in, int c_out, int k);

/* A BatchNormalization of random statistics. */
void net_batch_norm(struct net_writer *writer, const char *input, const char *output, int channels);

/* image (n, 3, 12, 12) -> convolutions with BatchNormalization, a residual Add, pools, Concat, squeeze and excite, a
 * dense layer -> "features" (n, 10). */
void net_write_backbone(struct net_writer *writer);

/* n floats in [-1, 1], the same for the same seed. */
void net_random(float *out, size_t n, unsigned seed);

/* The finished network, loaded for a path (a name of pom_isa_name; NULL: the best); options: or NULL. The test fails
 * where it cannot be. */
struct pom_net *net_load(const struct net_writer *writer, const char *isa, const struct pom_net_options *options);

/* Runs n images in a session of its own. */
void net_run(const struct pom_net *net, int max_batch, const float *in, int n, float *out);

double net_cosine(const float *a, const float *b, size_t n);

/* The printed plan; for free(). */
char *net_plan(const struct pom_net *net);

/* How often a word stands in a text. */
int net_count(const char *text, const char *word);

#endif
