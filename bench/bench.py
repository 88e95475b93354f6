#!/usr/bin/env python3
"""Pomona beside the systems that users would pick instead, on this machine, in one run.

usage: bench.py [engine] [job] [limits] [--rounds N] [--networks NAME ...] [--layers]
  engine  images per second of the network alone, 2 threads: Pomona, ONNX Runtime, OpenVINO, in turn
  job     1,200 images -> features -> scaler -> PCA 50 -> Parquet: Pomona, a careful Python pipeline, PySpark + TensorFlow
  limits  time to the first row, peak memory over 6,030 and 60,300 images, size of the stripped binary

Every figure is the median of alternating rounds, and a ratio is taken within a round. Nothing else should be running.
The peers' scripts and the images stand in ../shared; without them the parts that need them are named and left out.
"""
import argparse, os, re, shutil, statistics, subprocess, sys, tempfile, time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
WORK = ROOT / ".deps" / "bench"
POMONA = ROOT / "build" / "pomona"
PYTHON = ROOT / ".deps" / "peers" / "bin" / "python"
MODEL = SHARED / "models" / "mobilenetv2.onnx"
FRUITS = SHARED / "data" / "fruits-360" / "Training"


def output(command, **kw):
    done = subprocess.run([str(c) for c in command], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kw)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout[-3000:]}")
    return done.stdout


def measured(command):
    """Wall seconds and peak memory (MB) of a whole process, start included."""
    start = time.perf_counter()
    env = {**os.environ, "PYSPARK_PYTHON": str(PYTHON)}
    pid = subprocess.Popen([str(c) for c in command], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).pid
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f"{' '.join(map(str, command))} ended with status {status}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def median_text(values, digits=1):
    return f"{statistics.median(values):9.{digits}f}  ({min(values):.{digits}f} to {max(values):.{digits}f})"


# --- the network alone ---

def pomona_rate(model, seconds):
    last = output([POMONA, "model", "bench", model, "--threads", 2, "--seconds", seconds]).strip().splitlines()[-1]
    rate, peak = re.match(r"images/s ([\d.]+)\s+peak ([\d.]+) %", last).groups()
    return float(rate), float(peak)


def peer_rate(engine, model, seconds):
    text = output([PYTHON, SHARED / "peers" / "engines.py", model, "--threads", 2, "--seconds", seconds, "--engine", engine])
    return float(re.search(r"mean\s+([\d.]+)", text)[1])


def networks(names):
    made = WORK / "models"
    missing = [n for n in names if n != "efficientnet-lite0" and not (made / f"{n}.onnx").exists()]
    if missing:
        output([PYTHON, SHARED / "peers" / "make_models.py", made, *missing])
    return {n: ROOT / ".deps" / "models" / f"{n}.onnx" if n == "efficientnet-lite0" else made / f"{n}.onnx" for n in names}


def print_layers(model):
    print(output([POMONA, "model", "bench", model, "--threads", 2, "--seconds", 3, "--layers"]), flush=True)


def bench_engine(args):
    peers = ["ort", "openvino"]
    for name, model in networks(args.networks).items():
        seconds = 12 if name == "vgg16" else 5
        rates, peaks = {k: [] for k in ["pomona", *peers]}, []
        for _ in range(args.rounds):
            rate, peak = pomona_rate(model, seconds)
            rates["pomona"].append(rate)
            peaks.append(peak)
            for peer in peers:
                rates[peer].append(peer_rate(peer, model, seconds))
        for engine, values in rates.items():
            print(f"{name:18s} {engine:10s} images/s {median_text(values)}")
        ratios = [rates["pomona"][i] / max(rates[p][i] for p in peers) for i in range(args.rounds)]
        print(f"{name:18s} ratio to the faster peer {median_text(ratios, 2)}   {statistics.median(peaks):.0f} % of the FMA peak", flush=True)
        if args.layers:
            print_layers(model)


# --- the whole job ---

def sample(n):
    """n images, evenly over the whole set, as a folder of links <label>/<file>."""
    folder = WORK / f"fruits-{n}"
    if folder.exists():
        return folder
    files = sorted(FRUITS.rglob("*.jpg"))
    for i in range(n):
        file = files[i * len(files) // n] if n <= len(files) else files[i % len(files)]
        link = folder / file.parent.name / (file.name if n <= len(files) else f"{i // len(files)}_{file.name}")
        link.parent.mkdir(parents=True, exist_ok=True)
        os.link(file, link) if os.stat(file).st_dev == os.stat(link.parent).st_dev else shutil.copy(file, link)
    return folder


def features_command(source, out, *options):
    return [POMONA, "features", source, "-o", out, "--model", MODEL, "--fresh", "--quiet", *options]


def bench_job(args):
    source, rows = sample(1200), {"pomona": [], "ort_pipeline": [], "spark_tf_pipeline": []}
    with tempfile.TemporaryDirectory() as out:
        commands = {
            "pomona": features_command(source, f"{out}/pomona", "--pca", 50),
            "ort_pipeline": [PYTHON, SHARED / "peers/ort_pipeline.py", source, f"{out}/ort", MODEL, 50],
            "spark_tf_pipeline": [PYTHON, SHARED / "peers/spark_tf_pipeline.py", source, f"{out}/spark", 50],
        }
        for _ in range(args.rounds):
            for name, command in commands.items():
                rows[name].append(measured(command))
    for name, values in rows.items():
        walls = [w for w, _ in values]
        ratios = [w / p for w, (p, _) in zip(walls, rows["pomona"])]
        print(f"job 1,200 images   {name:18s} seconds {median_text(walls, 2)}   {statistics.median(ratios):5.2f} x Pomona's time   "
              f"peak {statistics.median(m for _, m in values):.0f} MB", flush=True)


def bench_limits(args):
    with tempfile.TemporaryDirectory() as out:
        first = [measured(features_command(sample(1200), f"{out}/first", "--limit", 1))[0] for _ in range(args.rounds)]
        print(f"first row          seconds from process start to the end of a job of one image {median_text(first, 3)}")
        for n in (6030, 60300):
            wall, memory = measured(features_command(sample(n), f"{out}/{n}", "--pca", 50))
            print(f"job {n:6d} images  seconds {wall:9.1f}   {n / wall:.0f} images/s   peak {memory:.0f} MB", flush=True)
        stripped = Path(out) / "pomona"
        output(["strip", "-o", stripped, POMONA])
        print(f"stripped binary    {stripped.stat().st_size / 1e6:.2f} MB")


PARTS = {"engine": bench_engine, "job": bench_job, "limits": bench_limits}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("parts", nargs="*", default=list(PARTS), help="engine, job, limits")
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--networks", nargs="+", default=["mobilenetv2", "efficientnet-lite0", "resnet50", "vgg16"])
    ap.add_argument("--layers", action="store_true", help="engine: also what each layer takes")
    args = ap.parse_args()
    if not SHARED.exists():
        print("left out: the peers and the image sets are in ../shared, which is not here; only the engine's own figures follow")
        for name in args.networks:
            print(f"{name:18s} " + output([POMONA, "model", "bench", name, "--seconds", 3]).strip().splitlines()[-1])
        return
    WORK.mkdir(parents=True, exist_ok=True)
    for part in args.parts:
        PARTS[part](args)


if __name__ == "__main__":
    main()
