#include "net/plan.h"

static void print_buffer(const struct pom_plan *plan, int b, FILE *out) {
    static const char *const places[] = {"b", "input", "output", "constant"};
    const struct pom_plan_buffer *buffer = &plan->buffers[b];
    int number = buffer->place == POM_PLACE_INPUT || buffer->place == POM_PLACE_OUTPUT ? buffer->index : b;
    fprintf(out, " %s%d[%zu]", places[buffer->place], number, buffer->elements);
}

void pom_plan_print(const struct pom_plan *plan, FILE *out) {
    static const char *const phases[] = {"once", "image", "batch"};
    for (int i = 0; i < plan->n_steps; i++) {
        const struct pom_step *step = &plan->steps[i];
        fprintf(out, "%4d %-5s %-18s %-32s", i, phases[step->phase], step->kind->name, step->node);
        for (int k = 0; k < POM_STEP_INPUTS; k++)
            if (step->in[k] >= 0)
                print_buffer(plan, step->in[k], out);
        fputs(" ->", out);
        print_buffer(plan, step->out, out);
        if (step->kind->describe) {
            fputs("  ", out);
            step->kind->describe(step->params, out);
        }
        fputc('\n', out);
    }
}
