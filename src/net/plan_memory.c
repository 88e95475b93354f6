/* Which buffers share memory: lifetimes, work in place, and offsets in one arena. */
#include "net/plan.h"

#include <stdlib.h>

static void touch(struct pom_lifetime *life, int step, const struct pom_segment *segment) {
    int first = segment->first, last = segment->phase == POM_PHASE_IMAGE ? segment->end - 1 : step;
    life->all_images |= segment->phase == POM_PHASE_BATCH;
    if (life->first < 0) {
        *life = (struct pom_lifetime){step, step, false, life->all_images};
        return;
    }
    bool other_segment = life->last < first;
    if (other_segment && !life->crossing)
        life->crossing = life->all_images = true;
    life->last = life->crossing ? last : step;
}

/* What is read in a later segment must be there from the start of its own: that segment starts over for each image. */
static void widen_first(const struct pom_plan *plan, struct pom_lifetime *life) {
    for (int s = 0; s < plan->n_segments; s++)
        if (life->crossing && plan->segments[s].first <= life->first && life->first < plan->segments[s].end)
            life->first = plan->segments[s].first;
}

void pom_plan_lifetimes(const struct pom_plan *plan, struct pom_lifetime *lifetimes) {
    for (int b = 0; b < plan->n_buffers; b++)
        lifetimes[b] = (struct pom_lifetime){-1, -1, false, false};
    for (int s = 0; s < plan->n_segments; s++)
        for (int i = plan->segments[s].first; i < plan->segments[s].end; i++) {
            const struct pom_step *step = &plan->steps[i];
            for (int k = 0; k < POM_STEP_INPUTS; k++)
                if (step->in[k] >= 0)
                    touch(&lifetimes[step->in[k]], i, &plan->segments[s]);
            touch(&lifetimes[step->out], i, &plan->segments[s]);
        }
    for (int b = 0; b < plan->n_buffers; b++) {
        widen_first(plan, &lifetimes[b]);
        lifetimes[b].all_images &= plan->buffers[b].batched;
    }
}

/* The buffer that step `index` may overwrite with its result; -1: none. */
static int overwritten(const struct pom_plan *plan, const struct pom_lifetime *lifetimes, int index) {
    const struct pom_step *step = &plan->steps[index];
    int from = step->kind->in_place ? step->in[step->kind->in_place - 1] : -1;
    for (int k = 0; k < POM_STEP_INPUTS; k++)
        if (from < 0 || (k != step->kind->in_place - 1 && step->in[k] == from))
            return -1;
    const struct pom_plan_buffer *in = &plan->buffers[from], *out = &plan->buffers[step->out];
    const struct pom_lifetime *in_life = &lifetimes[from], *out_life = &lifetimes[step->out];
    bool possible = in->place == POM_PLACE_ARENA && out->place == POM_PLACE_ARENA && in->elements == out->elements &&
                    in->width == out->width && in->batched == out->batched && in_life->last == index &&
                    out_life->first == index && !in_life->crossing && !out_life->crossing &&
                    in_life->all_images == out_life->all_images;
    return possible ? from : -1;
}

/* Gives the output of a step in place the storage of its input, whose life then lasts as long as the output's. */
static void share_storage(const struct pom_plan *plan, struct pom_lifetime *lifetimes, int *storage) {
    for (int i = 0; i < plan->n_steps; i++) {
        int from = overwritten(plan, lifetimes, i), out = plan->steps[i].out;
        if (from < 0)
            continue;
        storage[out] = storage[from];
        lifetimes[storage[out]].last = lifetimes[out].last;
    }
}

struct block {
    int buffer, first, last;
    size_t bytes, offset;
};

static int larger_first(const void *a, const void *b) {
    const struct block *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return (x->buffer > y->buffer) - (x->buffer < y->buffer);
}

/* The lowest offset at which a block meets none of those that live at the same time. placed is sorted by offset. */
static size_t find_offset(const struct block *block, const struct block *placed, int n) {
    size_t offset = 0;
    for (int i = 0; i < n; i++) {
        const struct block *other = &placed[i];
        if (other->last < block->first || block->last < other->first)
            continue;
        if (other->offset >= offset && other->offset - offset >= block->bytes)
            break;
        if (other->offset + other->bytes > offset)
            offset = other->offset + other->bytes;
    }
    return offset;
}

static void insert_placed(struct block *placed, int n, struct block block) {
    int at = n;
    for (; at > 0 && placed[at - 1].offset > block.offset; at--)
        placed[at] = placed[at - 1];
    placed[at] = block;
}

/* Greedy by size: Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net Inference" (2020), section 5. */
static void place_blocks(struct block *blocks, int n, struct block *placed, struct pom_memory_map *map) {
    qsort(blocks, (size_t)n, sizeof *blocks, larger_first);
    for (int i = 0; i < n; i++) {
        blocks[i].offset = find_offset(&blocks[i], placed, i);
        insert_placed(placed, i, blocks[i]);
        map->offsets[blocks[i].buffer] = blocks[i].offset;
        if (blocks[i].offset + blocks[i].bytes > map->arena_bytes)
            map->arena_bytes = blocks[i].offset + blocks[i].bytes;
    }
}

static bool block_bytes(const struct pom_plan_buffer *buffer, size_t copies, size_t *bytes) {
    const size_t most = (size_t)1 << 46; /* sums of these cannot overflow */
    if (!pom_size_mul(buffer->elements, buffer->width, bytes) || !pom_size_mul(*bytes, copies, bytes) || *bytes > most)
        return false;
    *bytes = (*bytes + POM_ALIGN - 1) / POM_ALIGN * POM_ALIGN;
    return true;
}

static bool collect_blocks(const struct pom_plan *plan, const struct pom_lifetime *lifetimes, int max_batch,
    const struct pom_memory_map *map, struct block *blocks, int *n) {
    *n = 0;
    for (int b = 0; b < plan->n_buffers; b++) {
        const struct pom_lifetime *life = &lifetimes[b];
        if (plan->buffers[b].place != POM_PLACE_ARENA || life->first < 0 || map->storage[b] != b)
            continue;
        struct block *block = &blocks[(*n)++];
        *block = (struct block){.buffer = b, .first = life->first, .last = life->last};
        if (!block_bytes(&plan->buffers[b], life->all_images ? (size_t)max_batch : 1, &block->bytes))
            return false;
    }
    return true;
}

static bool scratch_bytes(const struct pom_plan *plan, int max_batch, size_t *most) {
    *most = 0;
    for (int i = 0; i < plan->n_steps; i++) {
        size_t bytes;
        if (!pom_size_mul(plan->steps[i].scratch_per_image, (size_t)max_batch, &bytes) ||
            __builtin_add_overflow(bytes, plan->steps[i].scratch_bytes, &bytes))
            return false;
        *most = bytes > *most ? bytes : *most;
    }
    return true;
}

static void set_strides(const struct pom_plan *plan, const struct pom_lifetime *lifetimes, struct pom_memory_map *map) {
    for (int b = 0; b < plan->n_buffers; b++) {
        const struct pom_plan_buffer *buffer = &plan->buffers[b];
        bool outside = buffer->place != POM_PLACE_ARENA && buffer->place != POM_PLACE_CONSTANT;
        map->strides[b] =
            buffer->batched && (outside || lifetimes[b].all_images) ? buffer->elements * buffer->width : 0;
        map->offsets[b] = map->offsets[map->storage[b]];
    }
}

enum pom_status pom_memory_map_new(
    const struct pom_plan *plan, int max_batch, struct pom_memory_map *map, struct pom_message *msg) {
    size_t n = (size_t)plan->n_buffers;
    *map = (struct pom_memory_map){.offsets = pom_calloc(n, sizeof(size_t)),
        .strides = pom_calloc(n, sizeof(size_t)),
        .storage = pom_calloc(n, sizeof(int))};
    struct pom_lifetime *lifetimes = pom_calloc(n, sizeof *lifetimes);
    struct block *blocks = pom_calloc(2 * n, sizeof *blocks);
    enum pom_status status = POM_OK;
    if (!map->offsets || !map->strides || !map->storage || !lifetimes || !blocks) {
        status = pom_fail_memory(msg, "the memory map of a network");
    } else {
        int n_blocks;
        for (int b = 0; b < plan->n_buffers; b++)
            map->storage[b] = b;
        pom_plan_lifetimes(plan, lifetimes);
        share_storage(plan, lifetimes, map->storage);
        if (collect_blocks(plan, lifetimes, max_batch, map, blocks, &n_blocks) &&
            scratch_bytes(plan, max_batch, &map->scratch_bytes))
            place_blocks(blocks, n_blocks, blocks + n, map);
        else
            status = pom_fail(msg, POM_ERR_LIMIT, "the network needs too much memory for %d images at once", max_batch);
        set_strides(plan, lifetimes, map);
    }
    free(lifetimes);
    free(blocks);
    if (status != POM_OK)
        pom_memory_map_clean_up(map);
    return status;
}

void pom_memory_map_clean_up(struct pom_memory_map *map) {
    free(map->offsets);
    free(map->strides);
    free(map->storage);
    *map = (struct pom_memory_map){0};
}
