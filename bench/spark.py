#!/usr/bin/env python3
"""Pomona on Spark beside the job as the reference systems do it, and beside the program, on the same images in one run.

usage: bench/spark.py [--images 1200] [--rounds 2]        needs `make python` and tools/deps.sh peers

Prints Markdown: seconds end to end and of the stage that makes features (medians of alternating rounds), what Spark costs over the
program, and one executor beside two. The peer is ../shared/peers/spark_tf_pipeline.py. Nothing else should be running.
"""
import argparse
import os
import re
import statistics
import subprocess
import sys
import tempfile

from common import MOBILENET, POMONA, PYTHON, ROOT, SHARED, measured, table
from job import features_command, sample

SITE = ROOT / "build" / "site"
CORES = len(os.sched_getaffinity(0))
TIMES = re.compile(r"images (\d+) start ([\d.]+) s features ([\d.]+) s scaler\+pca\+write ([\d.]+) s total ([\d.]+) s")


def spark_times(script, source, out, *arguments, master=f"local[{CORES}]"):
    """Images, then seconds: start, features, scaler + PCA + write, total."""
    submit = f"--master {master} --driver-memory 4g --conf spark.executorEnv.PYTHONPATH={SITE} --conf spark.ui.enabled=false pyspark-shell"
    env = {**os.environ, "PYTHONPATH": str(SITE), "PYSPARK_PYTHON": str(PYTHON), "PYSPARK_SUBMIT_ARGS": submit, "SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run([str(c) for c in (PYTHON, script, source, out, 50, *arguments)], env=env, capture_output=True, text=True, timeout=280)
    found = TIMES.search(done.stdout)
    if not found:
        sys.exit(f"{script} printed no times:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return int(found[1]), *map(float, found.groups()[1:])


def medians(rounds):
    return [statistics.median(column) for column in zip(*rounds)]


def ours(source, out, **where):
    return spark_times(ROOT / "examples" / "spark_fruits.py", source, out, MOBILENET, **where)


def peers(source, out, rounds):
    runs = {"PySpark, TensorFlow": [], "PySpark, Pomona": []}
    program = []
    for i in range(rounds):
        runs["PySpark, TensorFlow"].append(spark_times(SHARED / "peers" / "spark_tf_pipeline.py", source, f"{out}/tf"))
        runs["PySpark, Pomona"].append(ours(source, f"{out}/pomona"))
        program.append(measured(features_command(source, f"{out}/program{i}", "--pca", 50))[0])
    tf, own, alone = medians(runs["PySpark, TensorFlow"]), medians(runs["PySpark, Pomona"]), statistics.median(program)
    rows = [[name, *(f"{s:.2f}" for s in medians(times)[1:])] for name, times in runs.items()]
    rows.append(["the ratio", *(f"{a / b:.1f}x" for a, b in zip(tf[1:], own[1:]))])
    rows.append([f"the program ({POMONA.name} features --pca 50)", "", "", "", f"{alone:.2f}"])
    rows.append(["Spark over the program", "", "", "", f"{own[4] - alone:.2f} s more"])
    return table([f"{int(own[0]):,} images, {CORES} cores: seconds", "start", "features", "scaler, PCA, write", "total"], rows)


def scaling(source, out):
    """Executors are processes of a local cluster, of one core each."""
    rows, first = [], None
    for n in range(1, CORES + 1):
        images, _, features, _, total = ours(source, f"{out}/scaling", master=f"local-cluster[{n},1,1024]")
        first = first or features
        rows.append([n, f"{features:.2f}", f"{images / features:.0f}", f"{first / features:.2f}x", f"{total:.2f}"])
    return table(["executors of one core", "features, s", "images/s", "of one", "total, s"], rows)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--images", type=int, default=1200)
    ap.add_argument("--rounds", type=int, default=2)
    args = ap.parse_args()
    if not SHARED.exists():
        sys.exit("left out: the peer and the images are in ../shared, which is not here")
    if not SITE.exists():
        sys.exit("no build/site: make python")
    source = sample(args.images)
    with tempfile.TemporaryDirectory() as out:
        print(peers(source, out, args.rounds), scaling(source, out), sep="\n\n")


if __name__ == "__main__":
    main()
