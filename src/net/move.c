#include "net/move.h"

#include <string.h>

/* A permutation with neighbouring axes that stay together merged into one. */
struct permute_params {
    int rank;
    int64_t dims[POM_NET_MAX_RANK];    /* of the output */
    int64_t strides[POM_NET_MAX_RANK]; /* in the input, for each axis of the output */
};

static struct permute_params permutation(int rank, const int64_t *dims, const int *perm) {
    int64_t in_strides[POM_NET_MAX_RANK + 1];
    struct permute_params p = {0};
    in_strides[rank] = 1;
    for (int i = rank - 1; i >= 0; i--)
        in_strides[i] = i == rank - 1 ? 1 : in_strides[i + 1] * dims[i + 1];
    for (int i = 0; i < rank; i++) {
        int64_t side = dims[perm[i]], stride = in_strides[perm[i]];
        if (side == 1)
            continue;
        if (p.rank > 0 && p.strides[p.rank - 1] == stride * side) {
            p.dims[p.rank - 1] *= side;
            p.strides[p.rank - 1] = stride;
        } else {
            p.dims[p.rank] = side;
            p.strides[p.rank++] = stride;
        }
    }
    return p;
}

/* The last two axes of the output, in tiles so that both sides stay in cache. */
static void permute_plane(
    const float *in, int64_t rows, int64_t row_stride, int64_t columns, int64_t column_stride, float *out) {
    enum { TILE = 16 };
    for (int64_t r0 = 0; r0 < rows; r0 += TILE)
        for (int64_t c0 = 0; c0 < columns; c0 += TILE) {
            int64_t r1 = r0 + TILE < rows ? r0 + TILE : rows, c1 = c0 + TILE < columns ? c0 + TILE : columns;
            for (int64_t r = r0; r < r1; r++)
                for (int64_t c = c0; c < c1; c++)
                    out[r * columns + c] = in[r * row_stride + c * column_stride];
        }
}

static void permute_axes(const struct permute_params *p, int axis, const float *in, float *out) {
    int left = p->rank - axis;
    if (left <= 0) {
        *out = *in;
    } else if (left == 1) {
        for (int64_t i = 0; i < p->dims[axis]; i++)
            out[i] = in[i * p->strides[axis]];
    } else if (left == 2) {
        permute_plane(in, p->dims[axis], p->strides[axis], p->dims[axis + 1], p->strides[axis + 1], out);
    } else {
        int64_t size = 1;
        for (int i = axis + 1; i < p->rank; i++)
            size *= p->dims[i];
        for (int64_t i = 0; i < p->dims[axis]; i++)
            permute_axes(p, axis + 1, in + i * p->strides[axis], out + i * size);
    }
}

static bool is_empty(int rank, const int64_t *dims) {
    for (int i = 0; i < rank; i++)
        if (dims[i] == 0)
            return true;
    return false;
}

void pom_permute(const float *in, int rank, const int64_t *dims, const int *perm, float *out) {
    struct permute_params p = permutation(rank, dims, perm);
    if (!is_empty(rank, dims))
        permute_axes(&p, 0, in, out);
}

static void run_permute(const void *params, const struct pom_call *call) {
    permute_axes(params, 0, call->in[0], call->out);
}

static void describe_permute(const void *params, FILE *out) {
    const struct permute_params *p = params;
    for (int i = 0; i < p->rank; i++)
        fprintf(out, "%s%lld", i ? "x" : "", (long long)p->dims[i]);
}

static const struct pom_step_kind permute_kind = {
    .name = "f32_permute", .run = run_permute, .describe = describe_permute};

void pom_plan_permute(struct pom_planner *planner, int in, int out, int rank, const int64_t *dims, const int *perm) {
    if (is_empty(rank, dims))
        return;
    struct permute_params *params = pom_plan_alloc(planner, 1, sizeof *params);
    if (params)
        *params = permutation(rank, dims, perm);
    pom_plan_step(planner, &permute_kind, params, in, -1, out);
}

struct copy_params {
    struct pom_rows rows;
    size_t width; /* of an element, bytes */
};

static void run_copy_rows(const void *params, const struct pom_call *call) {
    const struct copy_params *p = params;
    const struct pom_rows *rows = &p->rows;
    const char *in = (const char *)call->in[0] + rows->in_offset * p->width;
    char *out = (char *)call->out + rows->out_offset * p->width;
    for (size_t r = 0; r < rows->rows; r++)
        memcpy(out + r * rows->out_stride * p->width, in + r * rows->in_stride * p->width, rows->n * p->width);
}

static void describe_rows(const void *params, FILE *out) {
    const struct copy_params *p = params;
    fprintf(out, "%zu rows of %zu", p->rows.rows, p->rows.n);
}

static const struct pom_step_kind copy_rows_kind = {.name = "copy", .run = run_copy_rows, .describe = describe_rows};

void pom_plan_copy_rows(struct pom_planner *planner, int in, int out, const struct pom_rows *rows) {
    struct copy_params *params = pom_plan_alloc(planner, 1, sizeof *params);
    if (params)
        *params = (struct copy_params){*rows, planner->plan->buffers[in].width};
    pom_plan_step(planner, &copy_rows_kind, params, in, -1, out);
}

static void fill_row(float *out, size_t n, float value) {
    for (size_t i = 0; i < n; i++)
        out[i] = value;
}

static void run_pick(const void *params, const struct pom_call *call) {
    const struct pom_picks *p = params;
    for (size_t o = 0; o < p->outer; o++) {
        const float *in = (const float *)call->in[0] + o * p->in_length * p->inner;
        float *out = (float *)call->out + o * p->out_length * p->inner;
        for (size_t i = 0; i < p->out_length; i++, out += p->inner)
            if (p->pick[i] < 0)
                fill_row(out, p->inner, p->fill);
            else
                memcpy(out, in + (size_t)p->pick[i] * p->inner, p->inner * sizeof(float));
    }
}

static void describe_pick(const void *params, FILE *out) {
    const struct pom_picks *p = params;
    fprintf(out, "%zux%zux%zu -> %zu", p->outer, p->in_length, p->inner, p->out_length);
}

static const struct pom_step_kind pick_kind = {.name = "f32_pick", .run = run_pick, .describe = describe_pick};

void pom_plan_pick(struct pom_planner *planner, int in, int out, const struct pom_picks *picks) {
    struct pom_picks *params = pom_plan_alloc(planner, 1, sizeof *params);
    if (params)
        *params = *picks;
    pom_plan_step(planner, &pick_kind, params, in, -1, out);
}
