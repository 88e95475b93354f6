#!/usr/bin/env python3
"""OpenVINO's int8 network: NNCF's post-training quantisation, as its manual has it, calibrated on photographs.

usage: openvino_int8.py MODEL.onnx OUT.xml IMAGES [--calibration 300]
needs: numpy nncf onnx openvino pillow
Takes images evenly over IMAGES (<label>/<file>.jpg), scaled to the network's range by its metadata key pomona.preprocess.
"""
import argparse
from pathlib import Path

import nncf
import numpy as np
import onnx
import openvino as ov
from PIL import Image

SIDE = 224
PREPROCESS = {
    "tf": lambda rgb: rgb / 127.5 - 1,
    "lite": lambda rgb: (rgb - 127) / 128,
    "caffe": lambda rgb: rgb[..., ::-1] - np.array([103.939, 116.779, 123.68]),
}


def evenly(items, n):
    return [items[i * len(items) // n] for i in range(min(n, len(items)))]


def tensor(path, scale):
    with Image.open(path) as image:
        rgb = np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.BICUBIC), dtype=np.float64)
    return scale(rgb).transpose(2, 0, 1)[None].astype(np.float32)


def quantise(model, images):
    metadata = {p.key: p.value for p in onnx.load(model).metadata_props}
    scale = PREPROCESS[metadata["pomona.preprocess"]]
    net = ov.Core().read_model(model)
    net.reshape([-1, 3, SIDE, SIDE])
    return nncf.quantize(net, nncf.Dataset(images, lambda path: tensor(path, scale)), subset_size=len(images))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("model", type=Path)
    ap.add_argument("out", type=Path)
    ap.add_argument("images", type=Path)
    ap.add_argument("--calibration", type=int, default=300)
    args = ap.parse_args()
    images = evenly(sorted(args.images.rglob("*.jpg")), args.calibration)
    ov.save_model(quantise(args.model, images), args.out, compress_to_fp16=False)


if __name__ == "__main__":
    main()
