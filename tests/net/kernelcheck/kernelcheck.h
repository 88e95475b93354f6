/* Shared by the files of kernelcheck: which paths there are, guarded memory, values, comparison, counting. */
#ifndef KERNELCHECK_H
#define KERNELCHECK_H

#include "net/kernels/table.h"
#include <stdint.h>

/* Kinds of values that tests are filled with. */
enum values {
    VALUES_PLAIN,  /* -1..1 */
    VALUES_WILD,   /* finite: zeros of both signs, denormals, huge and tiny, sums that cancel */
    VALUES_SPECIAL /* wild, with infinities and NaN among them */
};

/* n floats that end (or, every other time, begin) at a page that may not be touched; the other side is watched. */
struct guarded {
    float *data;
    size_t n, bytes, used;
    unsigned char *map;
};

struct guarded guarded_new(size_t n);
/* The same for n bytes. */
struct guarded guarded_bytes(size_t n);
bool guarded_intact(const struct guarded *guarded);
/* Ends with NULL. */
void guarded_free(struct guarded *first, ...);

void random_seed(uint64_t seed);
int random_int(int low, int high); /* both included */
void random_bytes(void *to, size_t n);
void fill(float *to, size_t n, enum values values);

/* Same bits, or both NaN; prints the first difference. */
bool same(const char *what, const float *got, const float *want, size_t n);

/* Counts one case; prints it when it failed. */
void report(bool passed, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Ends a group of cases: prints its name and count. */
void report_group(const char *format, ...) __attribute__((format(printf, 1, 2)));

void check_gemm_tiles(const struct pom_kernel_table *table);
void check_depthwise_tiles(const struct pom_kernel_table *table);
void check_convolutions(enum pom_isa isa, int cases);
void check_winograd(enum pom_isa isa, int cases);
void check_blocks(enum pom_isa isa, int cases);
void check_winograd_error(void);
void check_refusals(void);
void check_dense(enum pom_isa isa, int cases);
void check_plain(enum pom_isa isa, int cases);
void check_int8(enum pom_isa isa, int cases);
void check_int8_meaning(void);
void check_bf16(enum pom_isa isa, int cases);
void check_bf16_blocks(enum pom_isa isa, int cases);
void check_bf16_numbers(void);

/* n numbers in bf16: filled, denormals among them; the same but for NaN. */
void fill_bf16(void *to, size_t n, enum values values);
bool same_bf16(const char *what, const void *got, const void *want, size_t n);

/* Ends the program where a status is not OK. */
void require(enum pom_status status, const struct pom_message *msg);
/* Any convolution and pooling window within kernels.h. */
struct pom_conv_desc random_conv(void);
struct pom_pool_desc random_pool(void);

/* Every layer of the networks on one path and in its precisions, so many images a call: time of an image, GOP/s,
 * fraction of the peak. network NULL: all. */
void bench(enum pom_isa isa, const char *network, int images);

#endif
