/* Reading ONNX files (https://github.com/onnx/onnx/blob/main/docs/IR.md) into a graph. */
#ifndef POM_NET_ONNX_H
#define POM_NET_ONNX_H

#include "net/graph.h"
#include "net/wire.h"

/* How the reader understands inputs that leave something open. */
struct pom_onnx_choices {
    int size;           /* as in pom_net_options */
    bool image_input;   /* as in pom_net_options */
    bool single_is_one; /* a rank-4 input whose batch is fixed at 1 is taken as any batch */
};

/* Fills a zero-initialised graph from a ModelProto; on failure it still has to be cleaned up. The bytes must outlive
 * the constants of the graph. Operators are looked up, and shapes are known for inputs and initializers only. */
enum pom_status pom_onnx_read(
    struct pom_span model, const struct pom_onnx_choices *choices, struct pom_graph *graph, struct pom_message *msg);

struct Onnx__TensorProto;

/* Makes value a constant. raw_in_file: the raw_data field, if it was cut out of the tensor before; else empty. */
enum pom_status pom_onnx_tensor(const struct Onnx__TensorProto *tensor, struct pom_span raw_in_file,
    struct pom_graph *graph, struct pom_value *value, struct pom_message *msg);

#endif
