/* Builds an ONNX model (IR version 8, opset 17) and writes it. Names and numbers are copied. A failure to allocate is
 * kept: the calls that follow do nothing, and pom_onnx_save reports it. Not thread-safe. */
#ifndef POM_MODEL_ONNX_WRITER_H
#define POM_MODEL_ONNX_WRITER_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

struct pom_onnx;      /* a model being built */
struct pom_onnx_node; /* a node of it, for adding attributes; NULL after a failure, which the functions take */

/* NULL on no memory. */
struct pom_onnx *pom_onnx_new(const char *graph_name);
void pom_onnx_free(struct pom_onnx *model);

/* A constant, row-major. Returns room for the product of dims floats, which the caller fills; NULL after a failure. */
float *pom_onnx_weight(struct pom_onnx *model, const char *name, int rank, const int64_t *dims);

/* A node with one output; the node is called as its output is. */
struct pom_onnx_node *pom_onnx_node(
    struct pom_onnx *model, const char *operator, const char * output, const char *const *inputs, size_t n_inputs);
void pom_onnx_int(struct pom_onnx *model, struct pom_onnx_node *node, const char *name, int64_t value);
void pom_onnx_float(struct pom_onnx *model, struct pom_onnx_node *node, const char *name, float value);
void pom_onnx_text(struct pom_onnx *model, struct pom_onnx_node *node, const char *name, const char *value);
void pom_onnx_ints(
    struct pom_onnx *model, struct pom_onnx_node *node, const char *name, const int64_t *values, size_t n);

/* A dimension: symbolic where symbol is not NULL. */
struct pom_onnx_dim {
    const char *symbol;
    int64_t value;
};
void pom_onnx_input(struct pom_onnx *model, const char *name, const struct pom_onnx_dim *dims, size_t rank);
void pom_onnx_output(struct pom_onnx *model, const char *name, const struct pom_onnx_dim *dims, size_t rank);

/* An entry of metadata_props. */
void pom_onnx_metadata(struct pom_onnx *model, const char *key, const char *value);

/* Writes path whole or not at all. */
enum pom_status pom_onnx_save(struct pom_onnx *model, const char *path, struct pom_message *msg);

#endif
