"""The whole job beside whole pipelines, and what it takes at most."""
import os, shutil, statistics, tempfile
from pathlib import Path

from common import FRUITS, MOBILENET, POMONA, PYTHON, SHARED, WORK, measured, output, spread, table


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
    return [POMONA, "features", source, "-o", out, "--model", MOBILENET, "--fresh", "--quiet", *options]


def bench_job(args):
    source = sample(1200)
    with tempfile.TemporaryDirectory() as out:
        commands = {f"Pomona, {p}": features_command(source, f"{out}/{p}", "--pca", 50, "--precision", p) for p in args.precision}
        commands["Pillow, ONNX Runtime, scikit-learn, pyarrow"] = [PYTHON, SHARED / "peers/ort_pipeline.py", source, f"{out}/ort", MOBILENET, 50]
        commands["PySpark, TensorFlow"] = [PYTHON, SHARED / "peers/spark_tf_pipeline.py", source, f"{out}/spark", 50]
        rounds = [{name: measured(command) for name, command in commands.items()} for _ in range(args.rounds)]
    first, rows = next(iter(commands)), []
    for name in commands:
        walls, memory = zip(*(r[name] for r in rounds))
        ratio = statistics.median(wall / r[first][0] for wall, r in zip(walls, rounds))
        rows.append([name, spread(walls, 2), f"{ratio:.2f}", f"{statistics.median(memory):.0f} MB"])
    return [table(["1,200 images, whole process", "seconds", f"in the time of {first}", "peak memory"], rows)]


def bench_limits(args):
    rows = []
    with tempfile.TemporaryDirectory() as out:
        first = [measured(features_command(sample(1200), f"{out}/first", "--limit", 1))[0] for _ in range(args.rounds)]
        rows.append(["a job of one image, process start to end", f"{spread(first, 3)} s"])
        for n in (6030, 60300):
            wall, memory = measured(features_command(sample(n), f"{out}/{n}", "--pca", 50))
            rows.append([f"{n:,} images, PCA 50", f"{wall:.1f} s, {n / wall:.0f} images/s, {memory:.0f} MB"])
        stripped = Path(out) / "pomona"
        output(["strip", "-o", stripped, POMONA])
        rows.append(["stripped binary", f"{stripped.stat().st_size / 1e6:.2f} MB"])
    return [table(["limits", ""], rows)]
