#include "net/kernels/vector/avx2.h"

#include "net/kernels/template/depthwise.h"

#define PATH "avx2"

DEPTHWISE_EACH(DEPTHWISE_TILES_7, DEPTHWISE_DEFINE)

const struct pom_depthwise_kernel pom_depthwise_avx2[] = DEPTHWISE_TABLE(DEPTHWISE_TILES_7);
