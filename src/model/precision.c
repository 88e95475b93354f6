#include "model/model.h"

#include "base/cpu.h"
#include "net/kernels/bf16.h"

static const char *const names[] = {
    [POM_PRECISION_EXACT] = "exact", [POM_PRECISION_BF16] = "bf16", [POM_PRECISION_INT8] = "int8"};

const char *pom_precision_name(enum pom_precision precision) {
    return names[precision];
}

bool pom_precision_offered(enum pom_precision precision) {
    enum pom_isa isa;
    return precision != POM_PRECISION_BF16 || (pom_cpu_isa(&isa, NULL) == POM_OK && pom_bf16_is_fast(isa));
}

enum pom_status pom_precision_check(enum pom_precision precision, struct pom_message *msg) {
    if ((size_t)precision >= sizeof names / sizeof *names)
        return pom_fail(msg, POM_ERR_ARGUMENT, "%d is not a precision", (int)precision);
    if (!pom_precision_offered(precision))
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "precision %s is not offered here: take int8 or exact",
            pom_precision_name(precision));
    return POM_OK;
}
