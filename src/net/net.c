#include "net/net.h"

#include "base/memory.h"
#include "net/fuse.h"
#include "net/infer.h"
#include "net/narrow.h"
#include "net/onnx.h"
#include "net/plan.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct pom_net {
    struct pom_graph graph;
    struct pom_plan plan;
    struct pom_net_info info;
};

struct pom_net_session {
    const struct pom_net *net;
    struct pom_memory_map map;
    void *arena, *scratch;
    int max_batch;
    uint64_t *step_ns; /* the caller's, or NULL */
};

void pom_net_free(struct pom_net *net) {
    if (!net)
        return;
    pom_plan_clean_up(&net->plan);
    pom_graph_clean_up(&net->graph);
    free(net);
}

const struct pom_net_info *pom_net_info(const struct pom_net *net) {
    return &net->info;
}

/* Tensors as the caller sees them; channels_last: those of rank 4 come as NHWC. */
static const struct pom_net_tensor *describe(
    struct pom_net *net, struct pom_value *const *values, int n, bool channels_last) {
    struct pom_net_tensor *tensors = pom_arena_alloc(&net->graph.arena, (size_t)n, sizeof *tensors);
    for (int i = 0; i < n && tensors; i++) {
        enum pom_layout layout = channels_last && values[i]->rank == 4 ? POM_LAYOUT_CHANNELS_LAST : POM_LAYOUT_ROWS;
        tensors[i] = (struct pom_net_tensor){.name = values[i]->name,
            .rank = values[i]->rank,
            .batched = values[i]->batched,
            .elements = values[i]->elements};
        pom_layout_dims(values[i], layout, tensors[i].dims);
    }
    return tensors;
}

static const struct pom_net_range *describe_watched(struct pom_net *net) {
    struct pom_graph *graph = &net->graph;
    struct pom_net_range *ranges = pom_arena_alloc(&graph->arena, (size_t)graph->n_watched, sizeof *ranges);
    for (int i = 0; i < graph->n_watched && ranges; i++)
        ranges[i] =
            (struct pom_net_range){.name = graph->watched[i]->name, .channels = (int)graph->watched[i]->dims[1]};
    return ranges;
}

static enum pom_status fill_info(struct pom_net *net, const struct pom_net_options *options, struct pom_message *msg) {
    struct pom_graph *graph = &net->graph;
    struct pom_net_info *info = &net->info;
    info->takes_pixels = options->pixels != NULL;
    info->session_bytes = pom_net_session_bytes(net, 1);
    info->preprocess = graph->preprocess;
    info->n_inputs = graph->n_inputs;
    info->n_outputs = graph->n_outputs;
    info->inputs =
        describe(net, graph->inputs, graph->n_inputs, options->image_input && !pom_is_nhwc_image(graph->inputs[0]));
    info->outputs = describe(net, graph->outputs, graph->n_outputs, graph->nhwc_output);
    info->watched = describe_watched(net);
    info->n_watched = options->watch ? graph->n_watched : 0;
    if (!info->inputs || !info->outputs || !info->watched)
        return pom_fail_memory(msg, "a network");
    for (int i = 0; i < graph->n_layers; i++) {
        info->parameters += graph->layers[i].parameters;
        info->macs += graph->layers[i].macs;
    }
    info->weight_bytes = net->plan.weight_bytes;
    return POM_OK;
}

static enum pom_status check_image_input(const struct pom_net *net, struct pom_message *msg) {
    const struct pom_graph *graph = &net->graph;
    if (graph->n_inputs != 1 || graph->inputs[0]->rank != 4)
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "the network does not take one image: it has %d inputs%s",
            graph->n_inputs, graph->n_inputs == 1 ? ", not of rank 4" : "");
    const struct pom_value *in = graph->inputs[0];
    int64_t channels = pom_is_nhwc_image(in) ? in->dims[3] : in->dims[1];
    if (channels != 3)
        return pom_fail(
            msg, POM_ERR_UNSUPPORTED, "the network takes images of %lld channels, not 3", (long long)channels);
    return POM_OK;
}

static enum pom_status build(struct pom_net *net, struct pom_span model, const struct pom_net_options *options,
    const struct pom_onnx_choices *choices, struct pom_message *msg) {
    struct pom_graph *graph = &net->graph;
    POM_TRY(pom_cpu_isa(&net->info.isa, msg));
    graph->mapped = options->mapped;
    POM_TRY(pom_onnx_read(model, choices, graph, msg));
    if (options->output)
        POM_TRY(pom_graph_select_output(graph, options->output, msg));
    pom_graph_prune(graph);
    if (options->image_input)
        POM_TRY(check_image_input(net, msg));
    POM_TRY(pom_infer(graph, net->info.isa, msg));
    POM_TRY(pom_fuse(graph, msg));
    if (options->image_input)
        pom_fuse_image(graph);
    if (options->pixels && !pom_is_nhwc_image(graph->inputs[0]))
        graph->inputs[0]->pixels = options->pixels;
    if (options->watch || options->ranges)
        POM_TRY(pom_narrow_mark(graph, msg));
    if (options->ranges)
        POM_TRY((options->bf16 ? pom_narrow_set_means : pom_narrow_set_grids)(
            graph, options->ranges, options->n_ranges, msg));
    POM_TRY(pom_plan_build(graph, net->info.isa, options, &net->plan, msg));
    return fill_info(net, options, msg);
}

static enum pom_status load(struct pom_span model, const struct pom_net_options *options,
    const struct pom_onnx_choices *choices, struct pom_net **out, struct pom_message *msg) {
    struct pom_net *net = pom_calloc(1, sizeof *net);
    if (!net)
        return pom_fail_memory(msg, "a network");
    enum pom_status status = build(net, model, options, choices, msg);
    pom_graph_drop_constants(&net->graph); /* they may lie in the caller's bytes */
    if (status != POM_OK) {
        pom_net_free(net);
        return status;
    }
    *out = net;
    return POM_OK;
}

/* A batch that the file fixes at 1 is first taken as open, as most exporters mean it; a network that then works across
 * its images is read again to the letter. */
enum pom_status pom_net_load(const void *bytes, size_t n_bytes, const struct pom_net_options *options,
    struct pom_net **out, struct pom_message *msg) {
    static const struct pom_net_options defaults;
    options = options ? options : &defaults;
    struct pom_span model = {bytes, n_bytes};
    struct pom_onnx_choices choices = {
        .size = options->size, .image_input = options->image_input, .single_is_one = true};
    struct pom_message first;
    enum pom_status status = load(model, options, &choices, out, &first);
    if (status == POM_OK)
        return status;
    choices.single_is_one = false;
    if (!options->image_input && load(model, options, &choices, out, NULL) == POM_OK)
        return POM_OK;
    choices.size = 0;
    if (options->size > 0 && load(model, options, &choices, out, NULL) == POM_OK) {
        pom_net_free(*out);
        *out = NULL;
        return pom_fail(
            msg, status, "the network does not work at size %d, only at its own: %.300s", options->size, first.text);
    }
    return pom_fail(msg, status, "%s", first.text);
}

size_t pom_net_session_bytes(const struct pom_net *net, int max_batch) {
    struct pom_memory_map map;
    size_t bytes = 0;
    if (pom_memory_map_new(&net->plan, max_batch, &map, NULL) == POM_OK)
        bytes = map.arena_bytes + map.scratch_bytes;
    pom_memory_map_clean_up(&map);
    return bytes;
}

void pom_net_session_free(struct pom_net_session *session) {
    if (!session)
        return;
    pom_memory_map_clean_up(&session->map);
    free(session->arena);
    free(session->scratch);
    free(session);
}

static enum pom_status fill_session(struct pom_net_session *session, struct pom_message *msg) {
    POM_TRY(pom_memory_map_new(&session->net->plan, session->max_batch, &session->map, msg));
    session->arena = pom_alloc_aligned(session->map.arena_bytes, 1);
    session->scratch = pom_alloc_aligned(session->map.scratch_bytes, 1);
    if (!session->arena || !session->scratch)
        return pom_fail_memory(msg, "a network's session");
    return POM_OK;
}

enum pom_status pom_net_session_new(
    const struct pom_net *net, int max_batch, struct pom_net_session **out, struct pom_message *msg) {
    if (max_batch < 1 || max_batch > POM_NET_MAX_BATCH)
        return pom_fail(
            msg, POM_ERR_ARGUMENT, "a batch of %d images: 1 to %d are possible", max_batch, POM_NET_MAX_BATCH);
    struct pom_net_session *session = pom_calloc(1, sizeof *session);
    if (!session)
        return pom_fail_memory(msg, "a network's session");
    session->net = net;
    session->max_batch = max_batch;
    enum pom_status status = fill_session(session, msg);
    if (status != POM_OK) {
        pom_net_session_free(session);
        return status;
    }
    *out = session;
    return POM_OK;
}

static enum pom_status run(struct pom_net_session *session, const struct pom_plan_call *call, struct pom_message *msg) {
    if (call->n < 1 || call->n > session->max_batch)
        return pom_fail(msg, POM_ERR_ARGUMENT, "a batch of %d images in a session for %d", call->n, session->max_batch);
    bool takes_pixels = session->net->info.takes_pixels;
    if (takes_pixels != (call->pixels != NULL))
        return pom_fail(msg, POM_ERR_ARGUMENT, "the network takes %s", takes_pixels ? "pixels" : "floats");
    pom_plan_run(&session->net->plan, &session->map, session->arena, session->scratch, call);
    return POM_OK;
}

enum pom_status pom_net_run(struct pom_net_session *session, const float *const *inputs, int n, float *const *outputs,
    struct pom_message *msg) {
    struct pom_plan_call call = {.inputs = inputs, .n = n, .outputs = outputs, .step_ns = session->step_ns};
    return run(session, &call, msg);
}

enum pom_status pom_net_run_pixels(
    struct pom_net_session *session, const uint8_t *pixels, int n, float *const *outputs, struct pom_message *msg) {
    struct pom_plan_call call = {.pixels = pixels, .n = n, .outputs = outputs, .step_ns = session->step_ns};
    return run(session, &call, msg);
}

int pom_net_steps(const struct pom_net *net) {
    return net->plan.n_steps;
}

void pom_net_time_steps(struct pom_net_session *session, uint64_t *step_ns) {
    session->step_ns = step_ns;
}

void pom_net_print_times(
    const struct pom_net *net, const uint64_t *step_ns, uint64_t images, double peak_gflops, FILE *out) {
    pom_plan_print_times(&net->plan, step_ns, images, peak_gflops, out);
}

static void print_shape(const struct pom_value *value, FILE *out) {
    char text[128];
    size_t used = 0;
    text[0] = '\0';
    for (int i = value->batched ? 1 : 0; i < value->rank && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%lld", used ? "x" : "", (long long)value->dims[i]);
    fprintf(out, "%-16s", text);
}

void pom_net_print_layers(const struct pom_net *net, FILE *out) {
    fprintf(out, "%-40s %-20s %-16s %12s %14s\n", "layer", "operator", "output", "parameters", "multiply-adds");
    for (int i = 0; i < net->graph.n_layers; i++) {
        const struct pom_layer *layer = &net->graph.layers[i];
        fprintf(out, "%-40s %-20s ", layer->name, layer->op);
        print_shape(layer->output, out);
        fprintf(out, " %12lld %14lld\n", (long long)layer->parameters, (long long)layer->macs);
    }
    fprintf(out, "%-40s %-20s %-16s %12lld %14lld\n", "total", "", "", (long long)net->info.parameters,
        (long long)net->info.macs);
}

void pom_net_print_plan(const struct pom_net *net, FILE *out) {
    pom_plan_print(&net->plan, out);
}
