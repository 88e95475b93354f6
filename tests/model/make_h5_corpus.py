#!/usr/bin/env python3
"""Writes the seeds of fuzz_keras into corpus-h5 beside it: weights in the layouts of Keras 2 and 3, small. Needs h5py."""
from pathlib import Path

import h5py
import numpy as np

FOLDER = Path(__file__).parent / "corpus-h5"
FOLDER.mkdir(exist_ok=True)

with h5py.File(FOLDER / "keras2.h5", "w") as f:
    f.attrs["layer_names"] = [b"Conv1", b"bn_Conv1", b"relu"]
    f.attrs["keras_version"] = b"2.2.4"
    for layer, weights in (("Conv1", ("kernel:0",)), ("bn_Conv1", ("gamma:0", "beta:0")), ("relu", ())):
        group = f.create_group(layer)
        group.attrs["weight_names"] = [f"{layer}/{w}".encode() for w in weights]
        for w in weights:
            group.create_dataset(f"{layer}/{w}", data=np.arange(12, dtype="f4").reshape((3, 4) if w == "kernel:0" else 12))

with h5py.File(FOLDER / "keras3.h5", "w") as f:
    for layer in ("conv2d", "batch_normalization", "dense"):
        group = f.create_group(f"layers/{layer}")
        group.attrs["name"] = layer
        for i in range(2):
            group.create_dataset(f"vars/{i}", data=np.ones((2, 3), dtype="f4"), chunks=(1, 3), compression="gzip")
