#include "net/kernels/vector/neon.h"

#include "net/kernels/template/depthwise.h"

#define PATH "neon"

DEPTHWISE_EACH(DEPTHWISE_TILES_14, DEPTHWISE_DEFINE)

const struct pom_depthwise_kernel pom_depthwise_neon[] = DEPTHWISE_TABLE(DEPTHWISE_TILES_14);
