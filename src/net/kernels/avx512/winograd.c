#include "net/kernels/vector/avx512.h"

#include "net/kernels/template/winograd.h"

const struct pom_winograd_kernel pom_winograd_avx512 = {"f32_winograd4x3_avx512", winograd_input, winograd_output};
