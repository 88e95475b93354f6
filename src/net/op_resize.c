/* Resize of constant scales or sizes, one axis after the other. */
#include "net/move.h"
#include "net/op.h"

enum pom_status pom_infer_resize(struct pom_graph *graph, struct pom_node *node, struct pom_message *msg) {
    (void)graph;
    (void)node;
    return pom_fail(msg, POM_ERR_UNSUPPORTED, "later");
}

void pom_build_resize(struct pom_planner *planner, const struct pom_node *node) {
    (void)planner;
    (void)node;
}
