#include "model/model.h"

static const struct {
    const char *name;
    bool offered;
} precisions[] = {
    [POM_PRECISION_EXACT] = {"exact", true},
    [POM_PRECISION_BF16] = {"bf16", false},
    [POM_PRECISION_INT8] = {"int8", true},
};

const char *pom_precision_name(enum pom_precision precision) {
    return precisions[precision].name;
}

bool pom_precision_offered(enum pom_precision precision) {
    return precisions[precision].offered;
}

enum pom_status pom_precision_check(enum pom_precision precision, struct pom_message *msg) {
    if ((size_t)precision >= sizeof precisions / sizeof *precisions)
        return pom_fail(msg, POM_ERR_ARGUMENT, "%d is not a precision", (int)precision);
    if (!pom_precision_offered(precision))
        return pom_fail(msg, POM_ERR_UNSUPPORTED, "precision %s is not offered here: take int8 or exact",
            pom_precision_name(precision));
    return POM_OK;
}
