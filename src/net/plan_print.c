/* The plan for people: its steps, and what they took. */
#include "net/plan.h"

#include <string.h>

enum { MAX_NODE = 44 };

/* Widths of the columns. */
struct widths {
    int node, kernel;
};

static const char *kernel_of(const struct pom_step *step) {
    return step->kind->kernel ? step->kind->kernel(step->params) : step->kind->name;
}

static struct widths widths_of(const struct pom_plan *plan) {
    struct widths w = {4, 6};
    for (int i = 0; i < plan->n_steps; i++) {
        int node = (int)strlen(plan->steps[i].node), kernel = (int)strlen(kernel_of(&plan->steps[i]));
        w.node = node > w.node ? node : w.node;
        w.kernel = kernel > w.kernel ? kernel : w.kernel;
    }
    if (w.node > MAX_NODE)
        w.node = MAX_NODE;
    return w;
}

static int print_buffer(const struct pom_plan *plan, int b, char *text, size_t room) {
    static const char *const places[] = {"b", "in", "pixels", "out", "const"};
    const struct pom_plan_buffer *buffer = &plan->buffers[b];
    bool outside = buffer->place != POM_PLACE_ARENA && buffer->place != POM_PLACE_CONSTANT;
    return snprintf(text, room, "%s%d", places[buffer->place], outside ? buffer->index : b);
}

static double buffer_bytes(const struct pom_plan_buffer *buffer) {
    return (double)buffer->elements * (double)buffer->width;
}

/* "b3 b7 -> b10" */
static void print_buffers(const struct pom_plan *plan, const struct pom_step *step, FILE *out) {
    char text[80];
    int used = 0;
    for (int k = 0; k < POM_STEP_INPUTS; k++) {
        if (step->in[k] < 0)
            continue;
        used += print_buffer(plan, step->in[k], text + used, sizeof text - (size_t)used);
        text[used++] = ' ';
    }
    used += snprintf(text + used, sizeof text - (size_t)used, "-> ");
    print_buffer(plan, step->out, text + used, sizeof text - (size_t)used);
    fprintf(out, "%-16s", text);
}

static void print_step(const struct pom_plan *plan, int i, struct widths w, FILE *out) {
    static const char *const phases[] = {"once", "image", "batch"};
    const struct pom_step *step = &plan->steps[i];
    fprintf(
        out, "%4d %-5s %-*.*s  %-*s  ", i, phases[step->phase], w.node, w.node, step->node, w.kernel, kernel_of(step));
    print_buffers(plan, step, out);
    fprintf(out, " %9.1f  ", buffer_bytes(&plan->buffers[step->out]) * 1e-3);
    if (step->kind->describe)
        step->kind->describe(step->params, out);
    fputc('\n', out);
}

static void print_memory(const struct pom_plan *plan, FILE *out) {
    struct pom_memory_map map;
    double all = 0.0;
    for (int i = 0; i < plan->n_buffers; i++)
        if (plan->buffers[i].place == POM_PLACE_ARENA)
            all += buffer_bytes(&plan->buffers[i]);
    if (pom_memory_map_new(plan, 1, &map, NULL) == POM_OK)
        fprintf(out,
            "weights %.1f MB, one copy for all threads\n"
            "a thread: %.2f MB where the buffers, %.2f MB together, take turns; %.2f MB of scratch\n",
            (double)plan->weight_bytes * 1e-6, (double)map.arena_bytes * 1e-6, all * 1e-6,
            (double)map.scratch_bytes * 1e-6);
    pom_memory_map_clean_up(&map);
}

void pom_plan_print(const struct pom_plan *plan, FILE *out) {
    struct widths w = widths_of(plan);
    fprintf(out, "step runs  %-*s  %-*s  %-16s %9s  %s\n", w.node, "node", w.kernel, "kernel", "buffers", "out, KB",
        "work");
    for (int i = 0; i < plan->n_steps; i++)
        print_step(plan, i, w, out);
    print_memory(plan, out);
}

static void print_time(const char *step, int width, const char *node, double seconds, double total, int64_t macs,
    double peak_gflops, FILE *out) {
    double gflops = seconds > 0.0 ? 2e-9 * (double)macs / seconds : 0.0;
    fprintf(out, "%4s %-*.*s %9.1f %7.1f", step, width, width, node, seconds * 1e6, 100.0 * seconds / total);
    if (macs > 0)
        fprintf(out, " %8.1f %7.1f", gflops, 100.0 * gflops / peak_gflops);
    else
        fprintf(out, " %8s %7s", "", "");
}

void pom_plan_print_times(
    const struct pom_plan *plan, const uint64_t *step_ns, uint64_t images, double peak_gflops, FILE *out) {
    struct widths w = widths_of(plan);
    double total = 0.0, unit = 1e-9 / (double)images;
    int64_t macs = 0;
    for (int i = 0; i < plan->n_steps; i++) {
        total += (double)step_ns[i] * unit;
        macs += plan->steps[i].macs;
    }
    fprintf(out, "step %-*s %9s %7s %8s %7s  kernel\n", w.node, "node", "us/image", "share %", "GFLOP/s", "peak %");
    for (int i = 0; i < plan->n_steps; i++) {
        const struct pom_step *step = &plan->steps[i];
        char number[16];
        snprintf(number, sizeof number, "%d", i);
        print_time(number, w.node, step->node, (double)step_ns[i] * unit, total, step->macs, peak_gflops, out);
        fprintf(out, "  %-*s  ", w.kernel, kernel_of(step));
        if (step->kind->describe)
            step->kind->describe(step->params, out);
        fputc('\n', out);
    }
    print_time("", w.node, "sum", total, total, macs, peak_gflops, out);
    fputc('\n', out);
}
