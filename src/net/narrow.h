/* Precision int8: which values of a network are held in 8 bits, and on which grids.
 *
 * A convolution that has an 8-bit form reads its input and its residual in 8 bits. A max pool or a concatenation of
 * channels works in 8 bits where its result is read so: it moves numbers, and keeps their grids. Everything else stays
 * float, what only averages and dense layers read included, and the planner converts where the two meet. */
#ifndef POM_NET_NARROW_H
#define POM_NET_NARROW_H

#include "net/graph.h"
#include "net/plan.h"

/* Marks nodes and values of a fused graph and lists the values to be watched: those whose grids are their own. */
enum pom_status pom_narrow_mark(struct pom_graph *graph, struct pom_message *msg);

/* Tells the watched values what calibration saw of their means, and no more. ranges: as below. */
enum pom_status pom_narrow_set_means(
    struct pom_graph *graph, const struct pom_net_range *ranges, int n, struct pom_message *msg);

/* Gives every narrow value its grid. ranges: one for each watched value, in their order, checked here. */
enum pom_status pom_narrow_set_grids(
    struct pom_graph *graph, const struct pom_net_range *ranges, int n, struct pom_message *msg);

/* The picture that a caller gives in bytes is on its own grid, which is that of its preprocessing; a convolution of all
 * its channels reads it as it is.
 */

/* Steps between the forms of a value: pixels with their channels last. */
void pom_plan_quantise(struct pom_planner *planner, const struct pom_value *value, int in, int out);
void pom_plan_dequantise(struct pom_planner *planner, const struct pom_value *value, int in, int out);

/* From the bytes of a picture to an image input. */
void pom_plan_pixels(
    struct pom_planner *planner, const struct pom_net_pixels *pixels, const struct pom_value *value, int in, int out);

/* A step that takes the range of each image's channels: 3 floats a channel, as struct pom_net_range has them. */
void pom_plan_watch(struct pom_planner *planner, const struct pom_value *value, int in, int out);

#endif
