#include "net/kernels/vector/bf16_avx512.h"

#include "net/kernels/template/depthwise.h"

#define PATH "avx512bf16"

DEPTHWISE_EACH(DEPTHWISE_TILES_14, DEPTHWISE_DEFINE)

const struct pom_depthwise_kernel pom_depthwise_avx512bf16[] = DEPTHWISE_TABLE(DEPTHWISE_TILES_14);
