#!/usr/bin/env python3
"""Pomona beside the systems that users would pick instead, on this machine, in one run.

usage: bench.py [engine] [avx2] [job] [limits] [buckets] [--rounds N] [--networks NAME ...] [--precision exact|fast ...] [--layers]
  engine  images per second of the network alone, 2 threads: exact beside ONNX Runtime and OpenVINO f32, fast beside OpenVINO bf16 and int8
  avx2    the same with AVX2 as the best that Pomona and OpenVINO may use
  job     1,200 images -> features -> scaler -> PCA 50 -> Parquet: Pomona, a careful Python pipeline, PySpark + TensorFlow
  limits  time of a job of one image, peak memory over 6,030 and 60,300 images, size of the stripped binary
  buckets reading and listing beside obstore, the first row of a million keys, and a job from a distant bucket beside one from local files

Every figure is the median of alternating rounds, and a ratio is taken within a round. Each peer first tries its settings once and keeps
the best, which the output names. Nothing else should be running. The run ends with its tables in Markdown.
The peers' scripts and the images stand in ../shared; without them only the engine's own figures are printed.
"""
import argparse

import buckets, engine, job
from common import POMONA, SHARED, WORK, output

PARTS = {
    "engine": lambda args: engine.bench(engine.NATIVE, args),
    "avx2": lambda args: engine.bench(engine.AVX2, args),
    "job": job.bench_job,
    "limits": job.bench_limits,
    "buckets": buckets.bench,
}


def arguments():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("parts", nargs="*", default=list(PARTS), help=", ".join(PARTS))
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--networks", nargs="+", default=engine.NETWORKS, choices=engine.NETWORKS, metavar="NAME", help=", ".join(engine.NETWORKS))
    ap.add_argument("--precision", nargs="+", default=["exact", "fast"], choices=["exact", "fast"], metavar="WHICH", help="exact, fast")
    ap.add_argument("--buckets", nargs="+", default=list(buckets.PARTS), choices=buckets.PARTS, metavar="WHAT", help=", ".join(buckets.PARTS))
    ap.add_argument("--layers", action="store_true", help="engine, avx2: also the time, GFLOP/s and share of the peak of each layer")
    args = ap.parse_args()
    if unknown := set(args.parts) - set(PARTS):
        ap.error(f"no such part: {', '.join(sorted(unknown))}")
    return args


def alone(args):
    print("left out: the peers and the image sets are in ../shared, which is not here; only the engine's own figures follow")
    for name in args.networks:
        print(f"{name:18s} " + output([POMONA, "model", "bench", name, "--seconds", 3]).strip().splitlines()[-1])


def main():
    args = arguments()
    if not SHARED.exists():
        return alone(args)
    WORK.mkdir(parents=True, exist_ok=True)
    tables = [table for part in args.parts for table in PARTS[part](args)]
    print("\n" + "\n\n".join(tables))


if __name__ == "__main__":
    main()
