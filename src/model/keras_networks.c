#include "model/keras_networks.h"

typedef struct pom_keras_tensor tensor;
typedef struct pom_keras_builder builder;

/* The classifier that MobileNetV2 and ResNet50 end in, where the file has it. */
static void add_predictions(builder *b, tensor features) {
    b->classifier = pom_keras_has_dense(b, "predictions", features.channels);
    if (b->classifier)
        pom_keras_dense(b, features, "predictions", "Softmax");
}

/* MobileNetV2: Sandler et al., https://arxiv.org/abs/1801.04381. Keras's explicit padding before a stride of 2 is
 * TensorFlow's SAME. */

static const float MOBILENET_EPSILON = 1e-3F;

static tensor mobilenet_unit(
    builder *b, tensor x, const char *prefix, const char *name, struct pom_keras_conv conv, bool activation) {
    x = pom_keras_conv(b, x, pom_keras_name(b, "%s%s", prefix, name), conv);
    x = pom_keras_norm(b, x, pom_keras_name(b, "%s%s_BN", prefix, name), MOBILENET_EPSILON);
    return activation ? pom_keras_relu6(b, x, pom_keras_name(b, "%s%s_relu", prefix, name)) : x;
}

static tensor mobilenet_block(builder *b, tensor x, int block, int filters, int stride) {
    const char *prefix = block ? pom_keras_name(b, "block_%d_", block) : "expanded_conv_";
    tensor y = x;
    if (block)
        y = mobilenet_unit(
            b, y, prefix, "expand", (struct pom_keras_conv){.filters = 6 * x.channels, .kernel = 1}, true);
    y = mobilenet_unit(b, y, prefix, "depthwise",
        (struct pom_keras_conv){.kernel = 3, .stride = stride, .pad = POM_KERAS_SAME, .depthwise = true}, true);
    y = mobilenet_unit(b, y, prefix, "project", (struct pom_keras_conv){.filters = filters, .kernel = 1}, false);
    bool residual = stride == 1 && x.channels == filters;
    return residual ? pom_keras_add(b, x, y, pom_keras_name(b, "%sadd", prefix)) : y;
}

static tensor mobilenetv2(builder *b, tensor x) {
    static const struct {
        int filters, stride, blocks;
    } stages[] = {{16, 1, 1}, {24, 2, 2}, {32, 2, 3}, {64, 2, 4}, {96, 1, 3}, {160, 2, 3}, {320, 1, 1}};
    x = pom_keras_conv(
        b, x, "Conv1", (struct pom_keras_conv){.filters = 32, .kernel = 3, .stride = 2, .pad = POM_KERAS_SAME});
    x = pom_keras_relu6(b, pom_keras_norm(b, x, "bn_Conv1", MOBILENET_EPSILON), "Conv1_relu");
    int block = 0;
    for (size_t s = 0; s < sizeof stages / sizeof *stages; s++)
        for (int i = 0; i < stages[s].blocks; i++)
            x = mobilenet_block(b, x, block++, stages[s].filters, i == 0 ? stages[s].stride : 1);
    x = pom_keras_conv(b, x, "Conv_1", (struct pom_keras_conv){.filters = 1280, .kernel = 1});
    x = pom_keras_relu6(b, pom_keras_norm(b, x, "Conv_1_bn", MOBILENET_EPSILON), "out_relu");
    x = pom_keras_global_average(b, x, "global_average_pooling2d");
    add_predictions(b, x);
    return x;
}

/* ResNet50: He et al., https://arxiv.org/abs/1512.03385. */

static const float RESNET_EPSILON = 1.001e-5F;

static tensor resnet_conv(builder *b, tensor x, const char *block, int i, int filters, int kernel, int stride) {
    return pom_keras_conv(b, x, pom_keras_name(b, "%s_%d_conv", block, i),
        (struct pom_keras_conv){
            .filters = filters, .kernel = kernel, .stride = stride, .pad = POM_KERAS_SAME, .bias = true});
}

static tensor resnet_norm(builder *b, tensor x, const char *block, int i) {
    return pom_keras_norm(b, x, pom_keras_name(b, "%s_%d_bn", block, i), RESNET_EPSILON);
}

static tensor resnet_unit(builder *b, tensor x, const char *block, int i, int filters, int kernel, int stride) {
    x = resnet_norm(b, resnet_conv(b, x, block, i, filters, kernel, stride), block, i);
    return pom_keras_simple(b, "Relu", x, pom_keras_name(b, "%s_%d_relu", block, i));
}

static tensor resnet_block(builder *b, tensor x, const char *block, int filters, int stride, bool projected) {
    tensor y = resnet_unit(b, x, block, 1, filters, 1, stride);
    y = resnet_unit(b, y, block, 2, filters, 3, 1);
    if (projected)
        x = resnet_conv(b, x, block, 0, 4 * filters, 1, stride);
    y = resnet_conv(b, y, block, 3, 4 * filters, 1, 1);
    if (projected)
        x = resnet_norm(b, x, block, 0);
    y = resnet_norm(b, y, block, 3);
    y = pom_keras_add(b, x, y, pom_keras_name(b, "%s_add", block));
    return pom_keras_simple(b, "Relu", y, pom_keras_name(b, "%s_out", block));
}

static tensor resnet50(builder *b, tensor x) {
    static const int blocks[] = {3, 4, 6, 3};
    x = pom_keras_conv(
        b, x, "conv1_conv", (struct pom_keras_conv){.filters = 64, .kernel = 7, .stride = 2, .pad = 3, .bias = true});
    x = pom_keras_simple(b, "Relu", pom_keras_norm(b, x, "conv1_bn", RESNET_EPSILON), "conv1_relu");
    /* Keras pads with zeros, which after a ReLU are never over the largest of a window. */
    x = pom_keras_max_pool(b, x, "pool1_pool", 3, 2, 1);
    for (int stage = 0; stage < 4; stage++)
        for (int i = 0; i < blocks[stage]; i++)
            x = resnet_block(b, x, pom_keras_name(b, "conv%d_block%d", stage + 2, i + 1), 64 << stage,
                stage > 0 && i == 0 ? 2 : 1, i == 0);
    x = pom_keras_global_average(b, x, "avg_pool");
    add_predictions(b, x);
    return x;
}

/* VGG16: Simonyan and Zisserman, https://arxiv.org/abs/1409.1556. */

static tensor vgg16(builder *b, tensor x) {
    static const int convs[] = {2, 2, 3, 3, 3};
    for (int block = 1; block <= 5; block++) {
        for (int i = 1; i <= convs[block - 1]; i++)
            x = pom_keras_conv(b, x, pom_keras_name(b, "block%d_conv%d", block, i),
                (struct pom_keras_conv){.filters = block < 4 ? 32 << block : 512,
                    .kernel = 3,
                    .pad = POM_KERAS_SAME,
                    .bias = true,
                    .relu = true});
        x = pom_keras_max_pool(b, x, pom_keras_name(b, "block%d_pool", block), 2, 2, 0);
    }
    tensor average = pom_keras_global_average(b, x, "global_average_pooling2d");
    b->classifier = pom_keras_has_dense(b, "fc1", 7 * 7 * 512);
    if (b->classifier) {
        b->size = 224;
        x = pom_keras_flatten(b, x, "flatten", 7);
        x = pom_keras_dense(b, x, "fc1", "Relu");
        x = pom_keras_dense(b, x, "fc2", "Relu");
        if (pom_keras_has_dense(b, "predictions", x.channels))
            pom_keras_dense(b, x, "predictions", "Softmax");
    }
    return average;
}

const struct pom_keras_network pom_keras_networks[] = {
    {"resnet50", "caffe", "conv5_block3_3_conv", "conv2d_52", 106, 1, resnet50},
    {"mobilenetv2", "tf", "block_16_project", "depthwise_conv2d_16", 104, 1, mobilenetv2},
    {"vgg16", "caffe", "block5_conv3", "conv2d_12", 13, 3, vgg16},
};
const size_t pom_keras_networks_count = sizeof pom_keras_networks / sizeof *pom_keras_networks;
