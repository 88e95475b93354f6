#include "net/weights.h"

#include "base/share.h"

struct reading {
    const struct pom_value *value;
    size_t first, count, line;
    const double *scale;
    float *to;
    int parts;
};

static void read_part(void *context, int part) {
    const struct reading *r = context;
    size_t from = r->count * (size_t)part / (size_t)r->parts, end = r->count * ((size_t)part + 1) / (size_t)r->parts;
    float *to = r->to + from * r->line;
    pom_value_copy(r->value, (r->first + from) * r->line, (end - from) * r->line, to);
    for (size_t i = from; i < end && r->scale; i++)
        for (size_t j = 0; j < r->line; j++, to++)
            *to = (float)((double)*to * r->scale[r->first + i]);
}

float *pom_plan_weights(struct pom_planner *planner, const struct pom_value *value, size_t first, size_t count,
    size_t line, const double *scale) {
    enum { MUCH = 1 << 18, PARTS = 8 }; /* floats: worth starting threads for */
    if (!pom_grow((void **)&planner->weights, &planner->weights_room, count * line, sizeof(float))) {
        pom_plan_fail(planner, POM_ERR_MEMORY, "out of memory for weights");
        return NULL;
    }
    struct reading reading = {value, first, count, line, scale, planner->weights, PARTS};
    if (count * line < MUCH)
        reading.parts = 1;
    pom_share(reading.parts, read_part, &reading);
    pom_value_let_go(value, first * line, count * line);
    return planner->weights;
}
