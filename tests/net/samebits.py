#!/usr/bin/env python3
"""The same bits everywhere: one SHA-256 of the features of real photographs for every CPU path, number of threads and batch.

usage: samebits.py quick|full SAMEBITS [SAMEBITS_NEON]      needs: numpy, onnx, pillow

SAMEBITS is tests/net/samebits.c; SAMEBITS_NEON the same for AArch64, run by qemu. Paths that this CPU lacks are named and left out.
EfficientNet-Lite0 has its real weights, MobileNetV2 too where ../shared has them; other weights are random. A row of PLANS is what is
run of a network; all hashes of one network, side and precision must be the same, those of fewer images as the
first of more. Int8 is calibrated on the first images, by each path for itself. Bf16 runs on every path, also where it is not offered.
"""
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections import namedtuple
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / ".deps/venv/bin/python"
if PYTHON.exists() and Path(sys.prefix).resolve() != PYTHON.parents[1].resolve():
    os.execv(PYTHON, [PYTHON, *sys.argv])
try:
    from PIL import Image

    import builder
except ImportError:
    print("SKIPPED net-samebits: .deps/venv with numpy, onnx and Pillow is absent")
    sys.exit(77)

FRUITS, GROCERY, STAMPS = ROOT / "../shared/data/fruits-360", ROOT / "../shared/data/grocery", Path("/usr/share/tuxpaint/stamps")
SYNTHETIC = ROOT / "tests/image/golden/files"
LITE0, MOBILENETV2 = ROOT / ".deps/models/efficientnet-lite0.onnx", ROOT / "../shared/models/mobilenetv2.onnx"
SIMD, PORTABLE, NEON = ("avx2", "avx512"), ("ref",), ("neon",)
BF16 = ("avx512bf16",)
SIMD_INT8, NEON_INT8 = ("avx2", "avx2vnni", "avx512", "avx512vnni"), ("neon", "neondot")

# Threads and batch.
PRODUCT = [(threads, batch) for threads in (1, 2, 7) for batch in (1, 3, 16)]
DIAGONAL = [(1, 1), (2, 3), (7, 16)]
ONE = [(7, 3)]

Plan = namedtuple("Plan", "networks side images paths runs precision", defaults=["exact"])
SMALL, LARGE = ("efficientnet-lite0", "mobilenetv2"), ("resnet50", "vgg16")
PLANS = {
    "quick": [
        Plan(SMALL, 64, 40, SIMD, PRODUCT), Plan(LARGE, 48, 40, SIMD, DIAGONAL),
        Plan(SMALL, 32, 20, SIMD + PORTABLE + NEON, ONE), Plan(SMALL, 32, 4, PORTABLE + NEON, DIAGONAL),
        Plan(LARGE, 32, 2, SIMD + PORTABLE + NEON, ONE),
        Plan(SMALL, 64, 40, SIMD_INT8, DIAGONAL, "int8"), Plan(SMALL, 32, 20, SIMD_INT8 + PORTABLE + NEON_INT8, ONE, "int8"),
        Plan(SMALL, 64, 40, BF16, DIAGONAL, "bf16"), Plan(SMALL, 32, 4, BF16 + SIMD + PORTABLE + NEON, ONE, "bf16"),
    ],
    "full": [
        Plan(SMALL, 224, 500, SIMD, DIAGONAL), Plan(SMALL, 224, 50, SIMD, PRODUCT),
        Plan(LARGE, 64, 500, SIMD, DIAGONAL), Plan(LARGE, 64, 50, SIMD, PRODUCT), Plan(LARGE, 224, 50, SIMD, ONE),
        Plan((*SMALL, "resnet50"), 32, 500, SIMD + PORTABLE + NEON, ONE), Plan(("vgg16",), 32, 100, SIMD + PORTABLE + NEON, ONE),
        Plan(SMALL + LARGE, 32, 20, PORTABLE + NEON, DIAGONAL),
        Plan(SMALL, 224, 6, PORTABLE + NEON, ONE), Plan(LARGE, 64, 4, PORTABLE + NEON, ONE),
        Plan(SMALL, 64, 500, SIMD_INT8, DIAGONAL, "int8"), Plan(SMALL, 224, 50, SIMD_INT8, ONE, "int8"),
        Plan(LARGE, 64, 50, SIMD_INT8, ONE, "int8"),
        Plan(SMALL, 32, 500, SIMD_INT8 + PORTABLE + NEON_INT8, ONE, "int8"),
        Plan(LARGE, 32, 20, SIMD_INT8 + PORTABLE + NEON_INT8, ONE, "int8"),
        Plan(SMALL, 224, 100, BF16, PRODUCT, "bf16"), Plan(("resnet50",), 64, 50, BF16, DIAGONAL, "bf16"),
        Plan((*SMALL, "resnet50"), 32, 20, BF16 + SIMD + PORTABLE + NEON, ONE, "bf16"),
    ],
}


def photographs():
    """Up to 500 files, evenly over what there is."""
    found = sorted(FRUITS.rglob("*.jpg"))[::17] + sorted(GROCERY.rglob("*.jpg"))[::5]
    found = found or sorted(STAMPS.rglob("*.png"))
    if not found:
        print("SKIPPED net-samebits on photographs: neither ../shared nor tuxpaint-stamps-default is here; small pictures instead")
        found = sorted(p for p in SYNTHETIC.iterdir() if p.suffix in (".jpg", ".png") and not p.name.startswith("bad"))
    n = min(500, len(found))
    return [found[i * len(found) // n] for i in range(n)]


def write_pixels(path, files, side):
    with open(path, "wb") as out:
        for file in files:
            out.write(Image.open(file).convert("RGB").resize((side, side)).tobytes())


def model(folder, name):
    known = {"efficientnet-lite0": LITE0, "mobilenetv2": MOBILENETV2}.get(name)
    if known and known.exists():
        return known
    path = folder / f"{name}.onnx"
    if not path.exists():
        getattr(builder, name)(path)
    return path


class Bits:
    """Runs the program and keeps what it gave: the first run of a network, side and number of images decides the hash."""

    def __init__(self, folder, programs, files):
        self.folder, self.programs, self.files = folder, programs, files
        self.features, self.runs, self.wrong = {}, 0, 0

    def pixels(self, side, images):
        path = self.folder / f"{side}-{images}"
        if not path.exists():
            write_pixels(path, self.files[:images], side)
        return path

    def run(self, network, plan, images, path, threads, batch):
        """The features as bytes, or None where this machine lacks the path."""
        command = [*self.programs[path], model(self.folder, network), self.pixels(plan.side, images), plan.side, threads, batch, plan.precision]
        done = subprocess.run(list(map(str, command)), env={**os.environ, "POMONA_CPU": path}, capture_output=True, timeout=1200)
        if done.returncode and b"POMONA_CPU" in done.stderr:
            return None
        if done.returncode or not done.stdout:
            sys.exit(f"FAILED {' '.join(map(str, command))}: {done.stderr.decode()}")
        return done.stdout

    def check(self, plan, network, path):
        start, images = time.time(), min(plan.images, len(self.files))
        known = self.features.setdefault((network, plan.side, plan.precision), b"")
        for threads, batch in plan.runs:
            features = self.run(network, plan, images, path, threads, batch)
            if features is None:
                return print(f"SKIPPED {network} on {path}: this CPU lacks it")
            shared = min(len(known), len(features))
            self.runs += 1
            if features[:shared] != known[:shared]:
                self.wrong += 1
                print(f"FAILED {network} at {plan.side}, {plan.precision}, {path}, {threads} threads, batch {batch}: other bits")
            known = max(known, features, key=len)
        self.features[network, plan.side, plan.precision] = known
        print(f"{hashlib.sha256(features).hexdigest()[:16]}  {network:18s} at {plan.side:3d}  {images:3d} images  {plan.precision}  {path:10s}  "
              f"{len(plan.runs)} runs  {time.time() - start:.1f} s", flush=True)


def main(which, samebits, neon=None):
    programs = {path: [samebits] for path in SIMD_INT8 + BF16 + PORTABLE}
    if neon:
        programs.update({path: ["qemu-aarch64", neon] for path in NEON_INT8})
    else:
        print("SKIPPED net-samebits on neon: needs aarch64-linux-gnu-gcc, qemu-aarch64 and .deps/arm64")
    with tempfile.TemporaryDirectory() as folder:
        bits = Bits(Path(folder), programs, photographs())
        for plan in PLANS[which]:
            for network in plan.networks:
                for path in plan.paths:
                    if path in programs:
                        bits.check(plan, network, path)
    print(f"{bits.runs} runs, {bits.wrong} with other bits; {len(bits.files)} images at hand")
    return 1 if bits.wrong or not bits.runs else 0


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4) or sys.argv[1] not in PLANS:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
