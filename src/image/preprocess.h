/* How a network wants its pixels: the modes of Keras's preprocess_input, and EfficientNet-Lite's. */
#ifndef POM_IMAGE_PREPROCESS_H
#define POM_IMAGE_PREPROCESS_H

#include "base/status.h"

enum pom_preprocess {
    POM_PREPROCESS_TF = 0, /* x / 127.5 - 1: MobileNetV2 */
    POM_PREPROCESS_CAFFE,  /* BGR minus (103.939, 116.779, 123.68): ResNet50, VGG16 */
    POM_PREPROCESS_TORCH,  /* (x / 255 - mean) / std with torchvision's ImageNet mean and std */
    POM_PREPROCESS_LITE    /* (x - 127) / 128: EfficientNet-Lite */
};

/* "tf", "caffe", "torch", "lite"; POM_ERR_ARGUMENT for anything else, and the message lists the choices. */
enum pom_status pom_preprocess_parse(const char *name, enum pom_preprocess *out, struct pom_message *msg);
const char *pom_preprocess_name(enum pom_preprocess preprocess);

#endif
