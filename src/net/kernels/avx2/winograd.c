#include "net/kernels/vector/avx2.h"

#include "net/kernels/template/winograd.h"

const struct pom_winograd_kernel pom_winograd_avx2 = {"f32_winograd4x3_avx2", winograd_input, winograd_output};
