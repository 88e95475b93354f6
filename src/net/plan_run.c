#include "net/plan.h"

#include "base/resources.h"

/* One call of pom_plan_run. */
struct run {
    const struct pom_plan *plan;
    const struct pom_memory_map *map;
    char *arena;
    void *scratch;
    const struct pom_plan_call *call;
};

static void *written_at(const struct run *run, int b, size_t image) {
    const struct pom_plan_buffer *buffer = &run->plan->buffers[b];
    size_t offset = image * run->map->strides[b];
    if (buffer->place == POM_PLACE_OUTPUT)
        return (char *)run->call->outputs[buffer->index] + offset;
    return run->arena + run->map->offsets[b] + offset;
}

static const void *read_at(const struct run *run, int b, size_t image) {
    const struct pom_plan_buffer *buffer = &run->plan->buffers[b];
    if (buffer->place == POM_PLACE_CONSTANT)
        return buffer->constant;
    if (buffer->place == POM_PLACE_PIXELS)
        return run->call->pixels + image * run->map->strides[b];
    if (buffer->place == POM_PLACE_INPUT)
        return (const char *)run->call->inputs[buffer->index] + image * run->map->strides[b];
    return written_at(run, b, image);
}

static void run_timed(const struct run *run, const struct pom_step *step, const struct pom_call *call) {
    if (!run->call->step_ns) {
        step->kind->run(step->params, call);
        return;
    }
    uint64_t start = pom_thread_ns();
    step->kind->run(step->params, call);
    run->call->step_ns[step - run->plan->steps] += pom_thread_ns() - start;
}

static void run_step(const struct run *run, const struct pom_step *step, int image, int images) {
    size_t at = (size_t)image;
    struct pom_call call = {.out = written_at(run, step->out, at), .scratch = run->scratch, .images = images};
    for (int k = 0; k < POM_STEP_INPUTS; k++)
        call.in[k] = step->in[k] >= 0 ? read_at(run, step->in[k], at) : NULL;
    run_timed(run, step, &call);
}

static void run_for_all(const struct run *run, const struct pom_step *step, int n) {
    int at_once = step->kind->many_images ? n : 1;
    for (int image = 0; image < n; image += at_once)
        run_step(run, step, image, at_once);
}

void pom_plan_run(const struct pom_plan *plan, const struct pom_memory_map *map, void *arena, void *scratch,
    const struct pom_plan_call *call) {
    const struct run run = {plan, map, arena, scratch, call};
    for (int s = 0; s < plan->n_segments; s++) {
        const struct pom_segment *segment = &plan->segments[s];
        bool all = segment->phase == POM_PHASE_BATCH;
        for (int image = 0; image < (segment->phase == POM_PHASE_IMAGE ? call->n : 1); image++)
            for (int i = segment->first; i < segment->end; i++)
                if (all)
                    run_for_all(&run, &plan->steps[i], call->n);
                else
                    run_step(&run, &plan->steps[i], image, 1);
    }
}
