#include "net/kernels/vector/neon.h"

#include "net/kernels/template/winograd.h"

const struct pom_winograd_kernel pom_winograd_neon = {"f32_winograd4x3_neon", winograd_input, winograd_output};
