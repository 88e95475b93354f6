#include "net/kernels/vector/avx512.h"

#include "net/kernels/template/depthwise.h"

#define PATH "avx512"

DEPTHWISE_EACH(DEPTHWISE_TILES_14, DEPTHWISE_DEFINE)

const struct pom_depthwise_kernel pom_depthwise_avx512[] = DEPTHWISE_TABLE(DEPTHWISE_TILES_14);
