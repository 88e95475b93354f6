/* A path's table from the templates. Include after an int8 vector header and PATH, the path's name as a string. */
#ifndef POM_NET_KERNELS_TEMPLATE_INT8_PATH_H
#define POM_NET_KERNELS_TEMPLATE_INT8_PATH_H

#include "net/kernels/template/int8_depthwise.h"
#include "net/kernels/template/int8_gemm.h"
#include "net/kernels/template/int8_peak.h"
#include "net/kernels/template/int8_plain.h"

DEPTHWISE_EACH(DEPTHWISE_DEFINE)

static const struct pom_int8_depthwise_kernel depthwise[] = {
    DEPTHWISE_EACH(DEPTHWISE_KERNEL){"int8_depthwise_any_" PATH, 0, 0, 1, depthwise_any}};

#define INT8_TABLE(gemm_kernels)                                                                                       \
    {                                                                                                                  \
        .lanes = LANES, .weight_bytes = WEIGHT_BYTES, .input_offset = INPUT_OFFSET, .gemm = (gemm_kernels),            \
        .depthwise = depthwise, .plain = {quantise, pom_ref_int8_dequantise, max_pool, global_average},                \
        .dot_burst = dot_burst, .ops_per_step = PEAK_OPS_PER_STEP                                                      \
    }

#endif
