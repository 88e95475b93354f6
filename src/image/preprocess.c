#include "image/preprocess.h"

#include <string.h>

static const char *const names[] = {
    [POM_PREPROCESS_TF] = "tf",
    [POM_PREPROCESS_CAFFE] = "caffe",
    [POM_PREPROCESS_TORCH] = "torch",
    [POM_PREPROCESS_LITE] = "lite",
};

enum { N_NAMES = sizeof names / sizeof *names };

enum pom_status pom_preprocess_parse(const char *name, enum pom_preprocess *out, struct pom_message *msg) {
    for (int i = 0; i < N_NAMES; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (enum pom_preprocess)i;
            return POM_OK;
        }
    return pom_fail(msg, POM_ERR_ARGUMENT,
        "no preprocessing is named '%s': use tf (MobileNetV2), caffe (ResNet50, VGG16), torch (torchvision) or lite "
        "(EfficientNet-Lite)",
        name);
}

const char *pom_preprocess_name(enum pom_preprocess preprocess) {
    return (unsigned)preprocess < N_NAMES ? names[preprocess] : "unknown";
}
