/* The numbers of a layer's channels in the order of a path's panels. */
#ifndef POM_NET_KERNELS_INT8_NUMBERS_H
#define POM_NET_KERNELS_INT8_NUMBERS_H

#include "net/kernels/int8_layer.h"
#include "net/kernels/int8_table.h"
#include <string.h>

struct pom_int8_packed_numbers {
    int32_t *start;
    float *factor, *offset, *residual_factor;
    uint8_t *low, *high;
};

/* For `columns` columns of all panels, zeroed. After a failure clean_up may follow. */
enum pom_status pom_int8_numbers_init(struct pom_int8_packed_numbers *numbers, size_t columns, struct pom_message *msg);
void pom_int8_numbers_clean_up(struct pom_int8_packed_numbers *numbers);

/* Fills the panel at column `at`: `vectors` vectors of the `width` channels from `from` on, which repeat after that. */
void pom_int8_numbers_set(const struct pom_int8_packed_numbers *numbers, size_t at, const struct pom_int8_layer *layer,
    const struct pom_int8_table *table, int vectors, int from, int width);

static inline struct pom_int8_numbers pom_int8_numbers_at(const struct pom_int8_packed_numbers *numbers, size_t at) {
    return (struct pom_int8_numbers){numbers->start + at, numbers->factor + at, numbers->offset + at,
        numbers->residual_factor + at, numbers->low + at, numbers->high + at};
}

/* Puts one lane's quad of weights into a vector of them. */
static inline void pom_int8_pack_quad(
    const struct pom_int8_table *table, const int8_t quad[POM_QUAD], int lane, int8_t *vector) {
    if (table->weight_bytes == POM_QUAD) {
        memcpy(vector + (ptrdiff_t)lane * POM_QUAD, quad, POM_QUAD);
        return;
    }
    const int16_t even[] = {quad[0], quad[2]}, odd[] = {quad[1], quad[3]};
    memcpy(vector + (ptrdiff_t)lane * POM_QUAD, even, sizeof even);
    memcpy(vector + (ptrdiff_t)(table->lanes + lane) * POM_QUAD, odd, sizeof odd);
}

/* Bytes that init takes. */
static inline size_t pom_int8_numbers_bytes(size_t columns) {
    return columns * (4 * sizeof(float) + 2);
}

#endif
