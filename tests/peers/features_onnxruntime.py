"""Features of every 50th row of a table, made again with Pillow and ONNX Runtime.

usage: features_onnxruntime.py FEATURES.parquet MODEL.onnx
Ends with 'ok: ...' and the largest difference, relative to the largest feature of the row.
"""
import sys

import numpy as np
import onnxruntime as ort
import pyarrow.parquet as pq
from PIL import Image

table, model = sys.argv[1:]
net = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
worst = rows = 0
for row in pq.read_table(table).slice(0).to_pylist()[::50]:
    with Image.open(row["path"]) as image:
        x = np.asarray(image.convert("RGB").resize((224, 224), Image.BICUBIC), dtype=np.float32)
    wanted = net.run(None, {net.get_inputs()[0].name: (x / 127.5 - 1).transpose(2, 0, 1)[None]})[0].ravel()
    worst = max(worst, np.abs(wanted - row["features"]).max() / np.abs(wanted).max())
    rows += 1
assert worst < 1e-4, worst
print(f"ok: {rows} rows, {worst:.1e}")
