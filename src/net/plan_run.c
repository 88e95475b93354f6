#include "net/plan.h"

/* One call of pom_plan_run. */
struct run {
    const struct pom_plan *plan;
    const struct pom_memory_map *map;
    char *arena;
    void *scratch;
    const float *const *inputs;
    float *const *outputs;
};

static void *written_at(const struct run *run, int b, size_t image) {
    const struct pom_plan_buffer *buffer = &run->plan->buffers[b];
    size_t offset = image * run->map->strides[b];
    if (buffer->place == POM_PLACE_OUTPUT)
        return (char *)run->outputs[buffer->index] + offset;
    return run->arena + run->map->offsets[b] + offset;
}

static const void *read_at(const struct run *run, int b, size_t image) {
    const struct pom_plan_buffer *buffer = &run->plan->buffers[b];
    if (buffer->place == POM_PLACE_CONSTANT)
        return buffer->constant;
    if (buffer->place == POM_PLACE_INPUT)
        return (const char *)run->inputs[buffer->index] + image * run->map->strides[b];
    return written_at(run, b, image);
}

static void run_segment(const struct run *run, const struct pom_segment *segment, size_t image, int images) {
    for (int i = segment->first; i < segment->end; i++) {
        const struct pom_step *step = &run->plan->steps[i];
        struct pom_call call = {.out = written_at(run, step->out, image), .scratch = run->scratch, .images = images};
        for (int k = 0; k < POM_STEP_INPUTS; k++)
            call.in[k] = step->in[k] >= 0 ? read_at(run, step->in[k], image) : NULL;
        step->kind->run(step->params, &call);
    }
}

void pom_plan_run(const struct pom_plan *plan, const struct pom_memory_map *map, void *arena, void *scratch,
    const float *const *inputs, int n, float *const *outputs) {
    struct run run = {plan, map, arena, scratch, inputs, outputs};
    for (int s = 0; s < plan->n_segments; s++) {
        const struct pom_segment *segment = &plan->segments[s];
        if (segment->phase == POM_PHASE_IMAGE)
            for (int i = 0; i < n; i++)
                run_segment(&run, segment, (size_t)i, 1);
        else
            run_segment(&run, segment, 0, segment->phase == POM_PHASE_BATCH ? n : 1);
    }
}
