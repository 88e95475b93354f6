#!/usr/bin/env python3
"""The engine against ONNX Runtime: real MobileNetV2 and random-weight networks on real photographs, networks of the onnx package, and
small networks of everything that backbones are made of.

usage: parity.py RUN_CASES SHARED      needs: numpy, onnx, onnxruntime, pillow; SHARED holds models, peers and data
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper
from PIL import Image

from builder import Builder

TOLERANCE = "1e-4"
LIGHT = ["densenet121", "inception_v2", "squeezenet"]  # of onnx/backend/test/data/light


def photographs(folder, n):
    paths = sorted(folder.rglob("*.jpg"))
    chosen = paths[:: max(1, len(paths) // n)][:n]
    pictures = [np.asarray(Image.open(p).convert("RGB").resize((224, 224)), np.float32) for p in chosen]
    return (np.stack(pictures) / 127.5 - 1).transpose(0, 3, 1, 2).copy()


def write_case(folder, model_path, feeds):
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    (folder / "model.onnx").symlink_to(Path(model_path).resolve())
    session = onnxruntime.InferenceSession(str(model_path), providers=["CPUExecutionProvider"])
    outputs = session.run(None, feeds)
    for kind, arrays in (("input", feeds.values()), ("output", outputs)):
        for i, array in enumerate(arrays):
            (data / f"{kind}_{i}.pb").write_bytes(numpy_helper.from_array(array).SerializeToString())


def squeeze_excite(path):
    """MobileNetV3 and EfficientNet: hard swish, SiLU, gates per channel, asymmetric padding, shared values."""
    b = Builder(1)
    x = b.op("HardSwish", b.conv("image", 3, 16, 3, pads=[1, 1, 1, 1], strides=[2, 2]))
    gate = b.op("ReduceMean", x, axes=[2, 3], keepdims=1)
    gate = b.op("HardSigmoid", b.conv(b.op("Relu", b.conv(gate, 16, 8)), 8, 16), alpha=1 / 6, beta=0.5)
    x = b.op("Mul", x, gate)
    wide = b.conv(x, 16, 48)
    y = b.op("Mul", wide, b.op("Sigmoid", wide))
    y = b.conv(b.op("Pad", y, b.constant(np.array([0, 0, 0, 0, 0, 0, 1, 1])), mode="constant"), 48, 48, 3, groups=48, strides=[2, 2])
    gate = b.op("Sigmoid", b.conv(b.op("GlobalAveragePool", y), 48, 48))
    y = b.conv(b.op("Mul", gate, y), 48, 24)
    both = b.op("Add", y, b.conv(y, 24, 24, 3, pads=[1, 1, 1, 1]))
    b.save(path, [both, b.op("Flatten", b.op("GlobalAveragePool", both))])


def branches(path):
    """Inception, DenseNet and ShuffleNet: Concat, pools, BatchNormalization before the convolution, channel shuffle, Split, Resize."""
    b = Builder(2)
    x = b.op("Relu", b.conv("image", 3, 24, 3, auto_pad="SAME_UPPER", strides=[2, 2]))
    pooled = b.op("AveragePool", x, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    x = b.op("Concat", b.op("MaxPool", x, kernel_shape=[3, 3], pads=[1, 1, 1, 1]), b.conv(pooled, 24, 8), x, axis=1)
    statistics = [b.constant(b.rng.uniform(0.5, 1.5, 56).astype(np.float32)) for _ in range(4)]
    x = b.conv(b.op("LeakyRelu", b.op("BatchNormalization", x, *statistics), alpha=0.1), 56, 32, 3, groups=4, dilations=[2, 2], pads=[2, 2, 2, 2])
    x = b.op("Reshape", x, b.constant(np.array([0, 2, 16, 20, 20])))
    x = b.op("Reshape", b.op("Transpose", x, perm=[0, 2, 1, 3, 4]), b.constant(np.array([0, 32, 20, 20])))
    left, right = b.op("Split", x, axis=1, outputs=2)
    right = b.op("PRelu", b.conv(right, 16, 16, 3, groups=16, pads=[1, 1, 1, 1]), b.constant(np.full((16, 1, 1), 0.2, np.float32)))
    x = b.op("Concat", left, b.op("Clip", right, b.constant(np.float32(-1)), b.constant(np.float32(2))), axis=1)
    up = b.op("Resize", x, "", b.constant(np.array([1, 1, 1.5, 1.5], np.float32)), mode="linear")
    dense = b.op("MatMul", b.op("Flatten", b.op("AveragePool", up, kernel_shape=[5, 5], strides=[5, 5])), b.constant(b.rng.normal(0, 0.05, (32 * 36, 10)).astype(np.float32)))
    b.save(path, [b.op("Softmax", dense), up])


def channels_last(path):
    """What TensorFlow's exporters write: an NHWC inside, turned back and forth."""
    b = Builder(3)
    x = b.conv("image", 3, 8, 3, strides=[2, 2], auto_pad="SAME_LOWER")
    x = b.op("Transpose", x, perm=[0, 2, 3, 1])
    x = b.op("Add", b.op("Mul", x, b.constant(b.rng.normal(1, 0.2, 8).astype(np.float32))), b.constant(b.rng.normal(0, 1, 8).astype(np.float32)))
    x = b.op("Transpose", b.op("Relu", x), perm=[0, 3, 1, 2])
    x = b.op("Transpose", b.conv(x, 8, 4), perm=[0, 2, 3, 1])
    shape = b.op("Shape", x)
    rows = b.op("Unsqueeze", b.op("Gather", shape, b.constant(np.array(0)), axis=0), b.constant(np.array([0])))
    x = b.op("Reshape", x, b.op("Concat", rows, b.constant(np.array([-1])), axis=0))
    b.save(path, [x])


def main():
    run_cases, shared = sys.argv[1], Path(sys.argv[2])
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        subprocess.run([sys.executable, shared / "peers/make_models.py", root / "models"], check=True, stdout=subprocess.DEVNULL)
        pictures = photographs(shared / "data/fruits-360", 5)
        networks = {"mobilenetv2-imagenet": shared / "models/mobilenetv2.onnx", **{p.stem: p for p in (root / "models").glob("*.onnx")}}
        for name, path in networks.items():
            write_case(root / "cases" / name, path, {"image": pictures})
        for make in (squeeze_excite, branches, channels_last):
            path = root / f"{make.__name__}.onnx"
            make(path)
            write_case(root / "cases" / make.__name__, path, {"image": rng.normal(0, 1, (4, 3, 40, 40)).astype(np.float32)})
        for name in LIGHT:
            path = Path(onnx.__file__).parent / f"backend/test/data/light/light_{name}.onnx"
            session_input = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).get_inputs()[0]
            write_case(root / "cases" / f"light-{name}", path, {session_input.name: rng.uniform(0, 1, session_input.shape).astype(np.float32)})
        folders = sorted((root / "cases").iterdir())
        out = subprocess.run([run_cases, "-r", TOLERANCE, *map(str, folders)], capture_output=True, text=True, check=True).stdout
    print(out, end="")
    passed = sum(line.startswith("pass ") for line in out.splitlines())
    print(f"{passed} of {len(folders)} networks within {TOLERANCE} of ONNX Runtime {onnxruntime.__version__}")
    sys.exit(passed != len(folders))


if __name__ == "__main__":
    main()
