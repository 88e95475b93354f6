#!/usr/bin/env python3
"""Pomona on Spark beside the job as the reference systems do it, and beside the program, on the same images in one run.

usage: bench/spark.py [--images N] [--rounds 2] [--executors N] [--plain]        needs `make python` and tools/deps.sh peers

Prints Markdown: one executor of one core beside two, on --executors images, with the lines of [measured] for deploy/cost.toml; then wall and CPU
seconds of alternating rounds (medians), by stages, the ratios, and what Spark costs over the program. --images 0 or --executors 0 leaves
a part out. The peer is ../shared/peers/spark_tf_pipeline.py. Both sides get SHORT, what docs/spark.md says of short jobs, and each an archive
of its Java classes, which a run of each makes first; --plain is Spark as it comes, for both. Nothing else should be running.
"""
import argparse
import ctypes
import os
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from common import FRUITS, MOBILENET, POMONA, PYTHON, ROOT, SHARED, table
from job import features_command, sample

SITE = ROOT / "build" / "site"
CORES = len(os.sched_getaffinity(0))
TIMES = re.compile(r"images (\d+) start ([\d.]+) s features ([\d.]+) s scaler\+pca\+write ([\d.]+) s total ([\d.]+) s")
SETTINGS = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.executorEnv.PYTHONPATH": SITE}
JAVA = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
SHORT = {
    "spark.driver.extraJavaOptions": JAVA,
    "spark.executor.extraJavaOptions": JAVA,
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.sources.parallelPartitionDiscovery.threshold": "1000",
}
PR_SET_CHILD_SUBREAPER = 36
TICK = os.sysconf("SC_CLK_TCK")


class Watch(threading.Thread):
    """Adds up the CPU seconds of all that this process has started, four times a second: what Spark's daemon forks, it never waits for."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seen, self.ended = {}, threading.Event()

    def run(self):
        while not self.ended.wait(0.25):
            stats = {}
            for file in Path("/proc").glob("[0-9]*/stat"):
                try:
                    fields = file.read_text().rsplit(") ", 1)[1].split()  # from the third on: state, parent, ... utime, stime; start
                    stats[int(file.parent.name)] = int(fields[1]), (int(fields[11]) + int(fields[12])) / TICK, fields[19]
                except (OSError, IndexError):  # it has just ended
                    pass
            below = {os.getpid()}
            while below := {pid for pid, (parent, _, _) in stats.items() if parent in below}:
                self.seen.update({(pid, stats[pid][2]): stats[pid][1] for pid in below})

    def seconds(self):
        self.ended.set()
        self.join()
        return sum(self.seen.values())


def cpu_seconds(command, env=None):
    """What the command printed, and the wall and CPU seconds of it and of all that it started, the JVM and its workers included."""
    watch, start = Watch(), time.perf_counter()
    watch.start()
    done = subprocess.run([str(c) for c in command], env=env, capture_output=True, text=True, timeout=1800)
    wall = time.perf_counter() - start
    try:
        while True:
            os.wait()  # the JVM ends a moment after its Python, and is then our child
    except ChildProcessError:
        pass
    cpu = watch.seconds()
    if done.returncode:
        sys.exit(f"{shlex.join(map(str, command))} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout, wall, cpu


def spark_times(script, source, out, *arguments, settings, master=f"local[{CORES}]"):
    """Images, then seconds: start, features, scaler + PCA + write, total, CPU."""
    given = " ".join(f"--conf {shlex.quote(f'{name}={value}')}" for name, value in {**SETTINGS, **settings}.items())
    env = {**os.environ, "PYTHONPATH": str(SITE), "PYSPARK_PYTHON": str(PYTHON), "SPARK_LOCAL_IP": "127.0.0.1",
           "PYSPARK_SUBMIT_ARGS": f"--master {master} --driver-memory 4g {given} pyspark-shell"}
    printed, _, cpu = cpu_seconds([PYTHON, script, source, out, 50, *arguments], env)
    found = TIMES.search(printed)
    if not found:
        sys.exit(f"{script} printed no times:\n{printed[-2000:]}")
    return int(found[1]), *map(float, found.groups()[1:]), cpu


class Job:
    """A script with its settings."""

    def __init__(self, script, *arguments, settings):
        self.script, self.arguments, self.settings = script, arguments, settings

    def run(self, source, out, **where):
        return spark_times(self.script, source, out, *self.arguments, settings=self.settings, **where)

    def archive(self, source, out):
        """A run that leaves its Java classes in a file, which the next ones map."""
        file = f"{out}/{self.script.stem}.jsa"
        short, self.settings = self.settings, {**self.settings, "spark.driver.extraJavaOptions": f"{JAVA} -XX:ArchiveClassesAtExit={file}"}
        self.run(source, f"{out}/archive")
        self.settings = {**short, "spark.driver.extraJavaOptions": f"{JAVA} -XX:SharedArchiveFile={file}"}


def medians(rounds):
    return [statistics.median(column) for column in zip(*rounds)]


def program(source, out, *options):
    """Wall and CPU seconds."""
    return cpu_seconds(features_command(source, out, "--pca", 50, *options))[1:]


def peers(jobs, source, out, rounds):
    runs, alone = {name: [] for name in jobs}, []
    for i in range(rounds):
        for name, job in jobs.items():
            runs[name].append(job.run(source, f"{out}/tables"))
        alone.append(program(source, f"{out}/program{i}"))
    tf, own = map(medians, runs.values())
    wall, cpu = medians(alone)
    rows = [[name, *(f"{s:.1f}" for s in medians(times)[1:])] for name, times in runs.items()]
    rows.append(["the ratio", *(f"{a / b:.1f}x" for a, b in zip(tf[1:], own[1:]))])
    rows.append([f"the program ({POMONA.name} features --pca 50)", "", "", "", f"{wall:.1f}", f"{cpu:.1f}"])
    rows.append(["Spark over the program", "", "", "", f"{own[4] - wall:.1f} more", f"{own[5] - cpu:.1f} more"])
    head = [f"{int(own[0]):,} images, {CORES} cores, {rounds} rounds: seconds", "start", "features", "scaler, PCA, write", "total", "CPU"]
    return table(head, rows)


def executors(job, images, out):
    """Executors are processes of a local cluster, of one core each; they share the machine with the driver. What a further image takes is
    the difference between a fifth of the images and all, without the start; counted in CPU time, the driver's too, it asks for no idle machine."""
    few, many = sample(images // 5), sample(images)
    rows, rates = [], {}

    def row(name, n, short, long):
        (wall, cpu), further = long, images - images // 5
        rates[name] = n * further / (cpu - short[1])
        rows.append([name.replace("_", " "), f"{wall:.1f}", f"{images / wall:.0f}", f"{further / (wall - short[0]):.0f}", f"{cpu:.1f}", f"{rates[name]:.0f}"])

    row("program", 1, *(program(source, f"{out}/one", "--threads", 1) for source in (few, many)))
    for n, name in ((1, "one_executor"), (2, "two_executors")):
        runs = [job.run(source, f"{out}/executors", master=f"local-cluster[{n},1,1024]") for source in (few, many)]
        row(name, n, *((run[2], run[5]) for run in runs))
    head = [f"of one core each, {images:,} images", "features, s", "images/s", "of further images", "CPU, s", "further images by CPU time"]
    return table(head, rows) + "\n\n[measured]\n" + "\n".join(f"{name} = {rate:.0f}" for name, rate in rates.items())


def main():
    everything = len(list(FRUITS.rglob("*.jpg")))
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--images", type=int, default=everything, help="beside the peer (default: all, %(default)s)")
    ap.add_argument("--rounds", type=int, default=2)
    ap.add_argument("--executors", type=int, default=4 * everything, help="images for one and two executors (default %(default)s)")
    ap.add_argument("--plain", action="store_true", help="without SHORT and the archives")
    args = ap.parse_args()
    if not SHARED.exists():
        sys.exit("left out: the peer and the images are in ../shared, which is not here")
    if not SITE.exists():
        sys.exit("no build/site: make python")
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    short = {} if args.plain else SHORT
    tensorflow = Job(SHARED / "peers" / "spark_tf_pipeline.py", settings=short)
    pomona = Job(ROOT / "examples" / "spark_fruits.py", MOBILENET, settings=short)
    with tempfile.TemporaryDirectory() as out:
        if args.executors:
            print(executors(pomona, args.executors, out), end="\n\n", flush=True)
        for job in [] if args.plain or not args.images else [tensorflow, pomona]:
            job.archive(sample(200), out)
        if args.images:
            print(peers({"PySpark, TensorFlow": tensorflow, "PySpark, Pomona": pomona}, sample(args.images), out, args.rounds))


if __name__ == "__main__":
    main()
