#!/usr/bin/env python3
"""The ONNX project's backend tests for our operators, run through the engine.

usage: backend.py RUN_CASES LIST.md [--write]      needs: onnx

The tests of single operators are made from the onnx package (as its own `backend-test-tools generate-data` does); those of
PyTorch's converter come with it as files. An engine with weights packed beforehand wants weights, shapes and bounds as constants, as
exporters write them: what a test feeds as an input there is made an initializer (CONSTANT_INPUTS). The tests that do not apply
are listed with their reasons in LIST.md; any difference between that list and what is seen fails. --write writes it anew.
"""
import os
import re
import subprocess
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path

PYTHON = Path(__file__).resolve().parents[2] / ".deps/venv/bin/python"
if PYTHON.exists() and Path(sys.prefix).resolve() != PYTHON.parents[1].resolve():
    os.execv(PYTHON, [PYTHON, *sys.argv])
try:
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper, version_converter
except ImportError:
    print("SKIPPED net-backend: .deps/venv with numpy and onnx is absent")
    sys.exit(77)

OPERATORS = """Add AveragePool BatchNormalization Cast Clip Concat Constant ConstantOfShape Conv Div Dropout Flatten Gather Gemm
GlobalAveragePool HardSigmoid HardSwish Identity LeakyRelu MatMul MaxPool Mul PRelu Pad ReduceMean Relu Reshape Resize Shape Sigmoid
Slice Softmax Split Squeeze Sub Transpose Unsqueeze""".split()

# Inputs that are constants in exported networks, by position. Inputs of ints are constants everywhere.
CONSTANT_INPUTS = {
    "BatchNormalization": {1, 2, 3, 4}, "Clip": {1, 2}, "Conv": {1, 2}, "Dropout": {1, 2}, "Gemm": {1, 2}, "PRelu": {1},
    "Pad": {1, 2, 3}, "Resize": {1, 2, 3}, "Reshape": {1}, "Gather": {1}, "Slice": {1, 2, 3, 4}, "Squeeze": {1},
    "Unsqueeze": {1}, "ReduceMean": {1}, "Split": {1}, "ConstantOfShape": {0}, "Shape": {0}, "Cast": {0},
}
INTS = {TensorProto.INT64, TensorProto.INT32, TensorProto.BOOL, TensorProto.UINT8, TensorProto.INT8, TensorProto.INT16,
        TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64}

# Why a test does not apply: the first pattern found in what the engine said.
REASONS = [
    (r"element type (8|14|15)\b|'to' 8", "strings and complex numbers"),
    (r"element type|not float32|not float|casts to|ints", "computes on other types than float32 at run time"),
    (r"rank 3 and 4, not", "three spatial dimensions: the engine is for pictures and signals"),
    (r"output 1 is not supported|its output", "more outputs than inference of a network uses (indices, masks, statistics)"),
    (r"PRelu.: sides", "slopes by channel as before operator set 7, which ONNX's own converter does not lift"),
    (r"training", "training mode"),
    (r"storage_order", "column-major indices of MaxPool"),
    (r"empty", "empty tensors at run time"),
    (r"not one row", "Gemm adds a whole matrix: no layer of a network does"),
    (r"operator set", "older than operator set 7, and ONNX's own converter does not lift it"),
    (r"this operator is not supported", "other operators"),
    (r"computed at run time|must be constant", "what must be a constant is computed at run time"),
    (r"is not a tensor|no shape|left open", "inputs without a fixed shape, sequences and optionals"),
    (r"not a constant of numbers", "strings and complex numbers"),
    (r"a constant of", "strings and complex numbers"),
]


def as_constants(model, inputs, positions):
    """Inputs of the one node at those positions become initializers. Returns the inputs that are left."""
    names = {model.graph.node[0].input[i] for i in positions if i < len(model.graph.node[0].input)}
    left = []
    for value, array in zip(list(model.graph.input), inputs):
        if value.name in names or value.type.tensor_type.elem_type in INTS:
            tensor = array if isinstance(array, TensorProto) else numpy_helper.from_array(np.asarray(array), value.name)
            tensor.name = value.name
            model.graph.initializer.append(tensor)
            model.graph.input.remove(value)
        else:
            left.append(array)
    return left


def float_outputs(model, outputs):
    """Ints are seen through a Cast: the engine hands out floats."""
    for value in model.graph.output:
        if value.type.tensor_type.elem_type in INTS:
            name = value.name
            value.name = name + "_as_float"
            value.type.tensor_type.elem_type = TensorProto.FLOAT
            model.graph.node.append(helper.make_node("Cast", [name], [value.name], to=TensorProto.FLOAT))
    return [np.asarray(o).astype(np.float32) if np.asarray(o).dtype.kind in "iub" else o for o in outputs]


def write_case(folder, model, inputs, outputs):
    data = folder / "test_data_set_0"
    data.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    for kind, arrays in (("input", inputs), ("output", outputs)):
        for i, array in enumerate(arrays):
            tensor = array if isinstance(array, TensorProto) else numpy_helper.from_array(np.asarray(array))
            (data / f"{kind}_{i}.pb").write_bytes(tensor.SerializeToString())


def is_plain(arrays):
    return all(isinstance(a, (np.ndarray, np.generic, float, int)) and np.asarray(a).dtype.kind in "fiub" for a in arrays)


def node_cases(root):
    """Tests of one node each. Returns folders, and reasons for those that cannot be written as files."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from onnx.backend.test.case.node import collect_testcases
        cases = collect_testcases(None)
    folders, skipped = [], {}
    for case in cases:
        types = [n.op_type for n in case.model.graph.node]
        if len(types) != 1 or types[0] not in OPERATORS or case.name.endswith("_expanded"):
            continue
        model = onnx.ModelProto.FromString(case.model.SerializeToString())
        inputs, outputs = case.data_sets[0]
        if not is_plain(inputs) or not is_plain(outputs):
            skipped[case.name] = "strings, sequences, optionals and number types that numpy lacks"
            continue
        left = as_constants(model, inputs, CONSTANT_INPUTS.get(types[0], set()))
        write_case(root / case.name, model, left, float_outputs(model, outputs))
        folders.append(root / case.name)
    return folders, skipped


def converted_cases(root):
    """PyTorch's tests, operator set 6: lifted by ONNX's own converter where it can."""
    data = Path(onnx.__file__).parent / "backend/test/data"
    folders = []
    for source in sorted([*(data / "pytorch-converted").iterdir(), *(data / "pytorch-operator").iterdir()]):
        model = onnx.load(source / "model.onnx")
        if not {n.op_type for n in model.graph.node} <= set(OPERATORS):
            continue
        folder = root / source.name
        folder.mkdir()
        try:
            model = version_converter.convert_version(model, 13)
        except Exception:  # the engine's own message then says why it does not apply
            pass
        (folder / "model.onnx").write_bytes(model.SerializeToString())
        for part in source.glob("test_data_set_*"):
            (folder / part.name).symlink_to(part)
        folders.append(folder)
    return folders


def run(run_cases, folders):
    out = subprocess.run([run_cases, "-r", "1e-3", *map(str, folders)], capture_output=True, text=True, check=True).stdout
    results = {}
    for line in out.splitlines():
        verdict, name, rest = line.split(" ", 2)
        results[name] = (verdict, rest)
    return results


def reason_of(text):
    return next((reason for pattern, reason in REASONS if re.search(pattern, text)), None)


def list_text(passed, skipped):
    lines = ["# ONNX backend tests", "",
             f"Made by `tests/net/backend.py --write` with onnx {onnx.__version__}; `make test` fails where it no longer holds.", "",
             f"Operators: {', '.join(sorted(OPERATORS))}.", "",
             f"{passed} tests of these operators pass (largest difference 1e-3 of the largest expected number: ONNX's own tolerance, as some expectations are rounded). "
             f"{len(skipped)} do not apply:", ""]
    for reason, count in sorted(Counter(skipped.values()).items(), key=lambda item: (-item[1], item[0])):
        lines += [f"## {reason[0].upper()}{reason[1:]} ({count})", ""]
        lines += [f"- {name}" for name in sorted(skipped) if skipped[name] == reason] + [""]
    return "\n".join(lines)


def main():
    run_cases, list_path = sys.argv[1], Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        folders, skipped = node_cases(root)
        folders += converted_cases(root)
        results = run(run_cases, folders)
    bad = []
    for name in sorted({f.name for f in folders}):
        verdict, rest = results.get(name, ("missing", "the runner ended before it"))
        reason = reason_of(rest) if verdict in ("refused", "wrong") else None
        if reason:
            skipped[name] = reason
        elif verdict != "pass":
            bad.append(f"{verdict} {name}: {rest}")
    passed = len(folders) - len(bad) - sum(f.name in skipped for f in folders)
    text = list_text(passed, skipped)
    print("\n".join(bad))
    print(f"{passed} passed, {len(skipped)} do not apply, {len(bad)} failed")
    if "--write" in sys.argv:
        list_path.write_text(text)
    elif list_path.read_text() != text:
        bad.append("drift")
        print(f"{list_path} no longer says what is: run tests/net/backend.py with --write and look at the difference")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
