/* The plan: the graph as a list of kernel calls over buffers.
 *
 * Builders (the operators) ask the planner for the memory that holds a value in the layout they want and add steps; a
 * failure sticks to the planner, builders go on harmlessly, and the driver reports it with the node's name. */
#ifndef POM_NET_PLAN_H
#define POM_NET_PLAN_H

#include "net/graph.h"
#include "net/kernels/kernels.h"

/* How the elements of a value lie in memory. */
enum pom_layout {
    POM_LAYOUT_ROWS,          /* ONNX's order, row-major */
    POM_LAYOUT_CHANNELS_LAST, /* axis 1 moved to the end; rank 3 and more */
    POM_LAYOUT_NARROW,        /* the same in bytes, on the value's grid; narrow values only */
    POM_LAYOUT_BF16,          /* the same in bf16 (kernels/bf16.h) */
    POM_LAYOUTS
};

enum { POM_STEP_INPUTS = 3 };

/* What a step works on when it runs. */
struct pom_call {
    const void *in[POM_STEP_INPUTS]; /* elements as the step's kind has them: float where it says nothing else */
    void *out;
    void *scratch; /* the step's scratch_bytes, aligned to POM_ALIGN */
    int images;    /* 1 unless the step's kind takes many; they lie one behind the other */
};

struct pom_step_kind {
    const char *name;
    void (*run)(const void *params, const struct pom_call *call);
    void (*free)(void *params);                      /* what is not in the plan's arena; NULL: nothing */
    const char *(*kernel)(const void *params);       /* its name; NULL: that of the kind */
    void (*describe)(const void *params, FILE *out); /* a few words for pom_plan_print; NULL: none */
    int in_place;                                    /* out may be in[in_place - 1]; 0: none */
    bool many_images;                                /* run takes call->images at once */
};

/* When a step runs: once a call; for one image after the other, each going through the steps up to the next phase; or
 * for all images before the next step. */
enum pom_phase { POM_PHASE_ONCE, POM_PHASE_IMAGE, POM_PHASE_BATCH };

struct pom_step {
    const struct pom_step_kind *kind;
    const char *node; /* the name of the node it belongs to */
    void *params;
    int in[POM_STEP_INPUTS]; /* buffers; -1: none */
    int out;
    enum pom_phase phase;
    size_t weight_bytes; /* read in each call */
    int64_t macs;        /* multiply-adds, per image */
    size_t scratch_bytes;
    size_t scratch_per_image; /* more of it for each image of a call */
};

enum pom_place { POM_PLACE_ARENA, POM_PLACE_INPUT, POM_PLACE_PIXELS, POM_PLACE_OUTPUT, POM_PLACE_CONSTANT };

struct pom_plan_buffer {
    enum pom_place place;
    int index;       /* of the input or output */
    size_t elements; /* per image where batched */
    size_t width;    /* bytes of an element */
    bool batched;
    const float *constant; /* the numbers, for POM_PLACE_CONSTANT */
    void *owned;           /* what to free(), or NULL */
};

/* Steps [first, end) of one phase. */
struct pom_segment {
    int first, end;
    enum pom_phase phase;
};

/* Immutable once built. */
struct pom_plan {
    struct pom_arena arena;
    int n_steps, n_buffers, n_segments;
    struct pom_step *steps;
    struct pom_plan_buffer *buffers;
    struct pom_segment *segments;
    size_t steps_room, buffers_room, segments_room;
    size_t weight_bytes;
};

/* Where the buffers of a session lie, by buffer. */
struct pom_memory_map {
    size_t *offsets; /* in the arena, bytes; meaningful where place is ARENA */
    size_t *strides; /* bytes from one image to the next; 0: one copy serves all images */
    int *storage;    /* the buffer whose memory it uses: itself but for steps that work in place */
    size_t arena_bytes, scratch_bytes;
};

/* Where the options say watch, the outputs are followed by what is seen of the graph's watched values. */
enum pom_status pom_plan_build(struct pom_graph *graph, enum pom_isa isa, const struct pom_net_options *options,
    struct pom_plan *plan, struct pom_message *msg);

/* One node whose inputs are constants, computed: its outputs become constants. */
enum pom_status pom_plan_fold(
    struct pom_graph *graph, struct pom_node *node, enum pom_isa isa, struct pom_message *msg);

void pom_plan_clean_up(struct pom_plan *plan);

/* Places the buffers for max_batch images: those alive at the same time do not overlap. */
enum pom_status pom_memory_map_new(
    const struct pom_plan *plan, int max_batch, struct pom_memory_map *map, struct pom_message *msg);
void pom_memory_map_clean_up(struct pom_memory_map *map);

/* Between which steps a buffer's contents matter; first is -1 where no step touches it. */
struct pom_lifetime {
    int first, last;
    bool crossing;   /* from one segment to another: both count whole, as their steps run once for each image */
    bool all_images; /* needs one copy for each image */
};
void pom_plan_lifetimes(const struct pom_plan *plan, struct pom_lifetime *lifetimes);

/* What a run works on. */
struct pom_plan_call {
    const float *const *inputs;
    const uint8_t *pixels; /* instead of inputs, where the plan was built for them */
    int n;                 /* images */
    float *const *outputs;
    uint64_t *step_ns; /* NULL, or an entry for each step, to which the CPU time that it takes is added */
};

/* arena and scratch are as large as the map says, aligned to POM_ALIGN. */
void pom_plan_run(const struct pom_plan *plan, const struct pom_memory_map *map, void *arena, void *scratch,
    const struct pom_plan_call *call);

void pom_plan_print(const struct pom_plan *plan, FILE *out);

/* What each step took, from the step_ns of runs over so many images. */
void pom_plan_print_times(
    const struct pom_plan *plan, const uint64_t *step_ns, uint64_t images, double peak_gflops, FILE *out);

/* For the operators. */

struct pom_planner {
    struct pom_graph *graph;
    struct pom_plan *plan;
    enum pom_isa isa;
    bool bf16;
    const struct pom_node *node; /* being built */
    int (*held)[POM_LAYOUTS];    /* by value and layout: the buffer, or -1 */
    float *weights;              /* of one layer after the other, on their way to its kernels */
    size_t weights_room;
    enum pom_status status;
    struct pom_message *msg;
};

/* The buffer that holds value in that layout; conversions are added where needed. */
int pom_plan_input(struct pom_planner *planner, struct pom_value *value, enum pom_layout layout);

/* As pom_plan_input for a value aligned to `rank` by sides of 1 in front (numpy's broadcasting). */
int pom_plan_operand(struct pom_planner *planner, struct pom_value *value, int rank, enum pom_layout layout);

/* A new buffer for value in that layout. */
int pom_plan_output(struct pom_planner *planner, struct pom_value *value, enum pom_layout layout);

/* A new buffer that is nobody's value. */
int pom_plan_scratch(struct pom_planner *planner, size_t elements, bool batched);

/* A buffer of n floats that never change: a copy. */
int pom_plan_constant(struct pom_planner *planner, const float *data, size_t n);

/* Says that `buffer` also holds value, in that layout. */
void pom_plan_alias(struct pom_planner *planner, const struct pom_value *value, enum pom_layout layout, int buffer);

/* Whether the value lies in memory in that layout already. */
bool pom_plan_holds(const struct pom_planner *planner, const struct pom_value *value, enum pom_layout layout);

/* The layout for what works on floats: CHANNELS_LAST where the value is there already and not in ROWS. */
enum pom_layout pom_plan_layout(const struct pom_planner *planner, const struct pom_value *value);

/* Adds a step with up to POM_STEP_INPUTS inputs (-1: none). The result is NULL after a failure; else valid until the
 * next step. params are freed by kind->free also when this fails. */
struct pom_step *pom_plan_step(
    struct pom_planner *planner, const struct pom_step_kind *kind, void *params, int in0, int in1, int out);

/* Zeroed memory that lives as long as the plan; NULL (and failed) on no memory. */
void *pom_plan_alloc(struct pom_planner *planner, size_t n, size_t size);

void pom_plan_fail(struct pom_planner *planner, enum pom_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The shape of a value as it lies in memory. */
void pom_layout_dims(const struct pom_value *value, enum pom_layout layout, int64_t dims[POM_NET_MAX_RANK]);

/* The axis of `axis` in that layout. */
int pom_layout_axis(int rank, int axis, enum pom_layout layout);

/* Both layouts are the same memory. */
bool pom_layout_same(int rank, const int64_t *dims);

#endif
