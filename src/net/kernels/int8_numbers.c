#include "net/kernels/int8_numbers.h"
#include "base/memory.h"

#include <stdlib.h>

/* A vector of them stays within a line of the cache. */
static void *zeroed(size_t n, size_t size) {
    void *memory = pom_alloc_aligned(n, size);
    return memory ? memset(memory, 0, n * size) : NULL;
}

enum pom_status pom_int8_numbers_init(
    struct pom_int8_packed_numbers *numbers, size_t columns, struct pom_message *msg) {
    *numbers = (struct pom_int8_packed_numbers){zeroed(columns, sizeof(int32_t)), zeroed(columns, sizeof(float)),
        zeroed(columns, sizeof(float)), zeroed(columns, sizeof(float)), zeroed(columns, 1), zeroed(columns, 1)};
    bool complete = numbers->start && numbers->factor && numbers->offset && numbers->residual_factor && numbers->low &&
                    numbers->high;
    return complete ? POM_OK : pom_fail_memory(msg, "the weights of a convolution");
}

void pom_int8_numbers_clean_up(struct pom_int8_packed_numbers *numbers) {
    free(numbers->start);
    free(numbers->factor);
    free(numbers->offset);
    free(numbers->residual_factor);
    free(numbers->low);
    free(numbers->high);
}

static int32_t sum_of_weights(const struct pom_int8_layer *layer, int channel) {
    const struct pom_conv_desc *d = &layer->desc;
    size_t n = (size_t)d->kernel_h * (size_t)d->kernel_w * (size_t)(d->in_c / d->groups);
    int32_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += layer->weights[(size_t)channel * n + i];
    return sum;
}

void pom_int8_numbers_set(const struct pom_int8_packed_numbers *numbers, size_t at, const struct pom_int8_layer *layer,
    const struct pom_int8_table *table, int vectors, int from, int width) {
    for (int i = 0; i < vectors * table->lanes; i++) {
        int in_order = pom_int8_channel(vectors, i / table->lanes, i % table->lanes), channel = from + in_order % width;
        if (channel >= layer->desc.out_c)
            continue;
        numbers->start[at + (size_t)i] = table->input_offset ? table->input_offset * sum_of_weights(layer, channel) : 0;
        numbers->factor[at + (size_t)i] = layer->factor[channel];
        numbers->offset[at + (size_t)i] = layer->offset[channel];
        numbers->residual_factor[at + (size_t)i] = layer->residual_factor[channel];
        numbers->low[at + (size_t)in_order] = layer->low[channel];
        numbers->high[at + (size_t)in_order] = layer->high[channel];
    }
}
