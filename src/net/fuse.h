/* Folding and fusing: fewer steps, the same numbers up to the rounding of folded weights.
 *
 * Only a value with a single reader disappears into that reader or its producer. */
#ifndef POM_NET_FUSE_H
#define POM_NET_FUSE_H

#include "net/graph.h"

/* On an inferred graph: drops Identity and Dropout, folds zero Pads and BatchNormalization into convolutions, and fuses
 * residual Add and activations into the node before. */
enum pom_status pom_fuse(struct pom_graph *graph, struct pom_message *msg);

/* An image input with its channels last that is turned around before anything else becomes one with its channels first:
 * in memory they are the same (pom_net_options.image_input). */
void pom_fuse_image(struct pom_graph *graph);

#endif
