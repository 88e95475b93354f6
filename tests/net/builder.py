"""Networks in ONNX, node by node, with random weights: for tests that need their shape and not their knowledge."""
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

MOBILENETV2 = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
RESNET50 = [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)]
VGG16 = [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]


class Builder:
    def __init__(self, seed):
        self.rng, self.nodes, self.initializers = np.random.default_rng(seed), [], []

    def constant(self, array):
        name = f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def op(self, kind, *inputs, outputs=1, **attributes):
        names = [f"t{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, **attributes))
        return names[0] if outputs == 1 else names

    def conv(self, x, c_in, c_out, kernel=1, groups=1, **attributes):
        weights = self.rng.normal(0, (2 / (c_in / groups * kernel * kernel)) ** 0.5, (c_out, c_in // groups, kernel, kernel))
        bias = self.rng.normal(0, 0.1, c_out)
        return self.op("Conv", x, self.constant(weights.astype(np.float32)), self.constant(bias.astype(np.float32)), group=groups, **attributes)

    def norm(self, x, channels):
        statistics = [(0.5, 1.5), (-0.2, 0.2), (-0.2, 0.2), (0.5, 1.5)]  # scale, shift, mean, variance
        return self.op("BatchNormalization", x, *(self.constant(self.rng.uniform(*s, channels).astype(np.float32)) for s in statistics))

    def unit(self, x, c_in, c_out, kernel=1, stride=1, groups=1, activation=None):
        """Convolution, BatchNormalization and "Relu", 6 (ReLU6) or nothing; the sides are halved at stride 2."""
        pad = max(kernel - stride, 0)
        pads = [pad // 2] * 2 + [pad - pad // 2] * 2
        x = self.norm(self.conv(x, c_in, c_out, kernel, groups, strides=[stride] * 2, pads=pads), c_out)
        if activation == 6:
            return self.op("Clip", x, self.constant(np.float32(0)), self.constant(np.float32(6)))
        return self.op(activation, x) if activation else x

    def save(self, path, outputs, side=40, **metadata):
        image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, side, side])
        results = [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs]
        graph = helper.make_graph(self.nodes, "net", [image], results, self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        helper.set_model_props(model, metadata)
        onnx.save(onnx.shape_inference.infer_shapes(model), path)

    def save_features(self, path, x, preprocess):
        x = self.op("Flatten", self.op("GlobalAveragePool", x))
        self.save(path, [x], None, **{"pomona.preprocess": preprocess})


def mobilenetv2(path):
    b = Builder(4)
    x, c = b.unit("image", 3, 32, 3, 2, activation=6), 32
    for expansion, c_out, blocks, first_stride in MOBILENETV2:
        for i in range(blocks):
            stride, inner = first_stride if i == 0 else 1, c * expansion
            y = b.unit(x, c, inner, activation=6) if expansion > 1 else x
            y = b.unit(y, inner, inner, 3, stride, groups=inner, activation=6)
            y = b.unit(y, inner, c_out)
            x, c = b.op("Add", x, y) if stride == 1 and c == c_out else y, c_out
    b.save_features(path, b.unit(x, c, 1280, activation=6), "tf")


def resnet50(path):
    b = Builder(5)
    x = b.op("MaxPool", b.unit("image", 3, 64, 7, 2, activation="Relu"), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    c = 64
    for width, blocks, first_stride in RESNET50:
        for i in range(blocks):
            stride = first_stride if i == 0 else 1
            y = b.unit(x, c, width, 1, stride, activation="Relu")
            y = b.unit(y, width, width, 3, activation="Relu")
            y = b.unit(y, width, 4 * width)
            x, c = b.op("Relu", b.op("Add", b.unit(x, c, 4 * width, 1, stride) if i == 0 else x, y)), 4 * width
    b.save_features(path, x, "caffe")


def vgg16(path):
    b = Builder(6)
    x, c = "image", 3
    for width, layers in VGG16:
        for _ in range(layers):
            x, c = b.op("Relu", b.conv(x, c, width, 3, pads=[1, 1, 1, 1])), width
        x = b.op("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    b.save_features(path, x, "caffe")
