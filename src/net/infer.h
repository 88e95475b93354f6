/* The forward pass: shapes of all values, and everything that can be computed while loading. */
#ifndef POM_NET_INFER_H
#define POM_NET_INFER_H

#include "base/cpu.h"
#include "net/graph.h"

/* Every error names the node. Nodes whose outputs became constants are dead afterwards; fills graph->layers. */
enum pom_status pom_infer(struct pom_graph *graph, enum pom_isa isa, struct pom_message *msg);

#endif
