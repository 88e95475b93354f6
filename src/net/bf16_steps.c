#include "net/bf16.h"
#include "net/kernels/bf16.h"

struct bf16_step {
    size_t n;
    const struct pom_bf16_kernels *kernels;
};

static void run_narrow(const void *params, const struct pom_call *call) {
    const struct bf16_step *p = params;
    p->kernels->narrow(call->in[0], p->n, call->out);
}

static void run_widen(const void *params, const struct pom_call *call) {
    const struct bf16_step *p = params;
    p->kernels->widen(call->in[0], p->n, call->out);
}

static void describe(const void *params, FILE *out) {
    fprintf(out, "%zu", ((const struct bf16_step *)params)->n);
}

static const struct pom_step_kind narrow_kind = {.name = "bf16_narrow", .run = run_narrow, .describe = describe};
static const struct pom_step_kind widen_kind = {.name = "bf16_widen", .run = run_widen, .describe = describe};

static void add_step(
    struct pom_planner *planner, const struct pom_step_kind *kind, const struct pom_value *value, int in, int out) {
    struct bf16_step *params = pom_plan_alloc(planner, 1, sizeof *params);
    if (params)
        *params = (struct bf16_step){value->elements, pom_bf16_kernels(planner->isa)};
    pom_plan_step(planner, kind, params, in, -1, out);
}

void pom_plan_bf16_narrow(struct pom_planner *planner, const struct pom_value *value, int in, int out) {
    add_step(planner, &narrow_kind, value, in, out);
}

void pom_plan_bf16_widen(struct pom_planner *planner, const struct pom_value *value, int in, int out) {
    add_step(planner, &widen_kind, value, in, out);
}
