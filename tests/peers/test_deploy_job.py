"""deploy/job.py whole, by Spark 3.5's spark-submit, against `pomona features` on the same photographs."""
import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parents[2]
SPARK = ROOT / ".deps" / "peers-spark35" / "bin"
SITE = Path(os.environ.get("POMONA_SITE", ROOT / "build" / "site"))
MODEL = ROOT / ".deps" / "models" / "efficientnet-lite0.onnx"
STAMPS = Path("/usr/share/tuxpaint/stamps/food")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Two labels, one with a space, and one file that is no picture."""
    folder = tmp_path_factory.mktemp("photos")
    for number, picture in enumerate(sorted(STAMPS.rglob("*.png"))[:16]):
        label = folder / ("two words" if number % 2 else "one")
        label.mkdir(exist_ok=True)
        shutil.copy(picture, label / f"{number}.png")
    (folder / "one" / "broken.jpg").write_text("no picture")
    return folder


@pytest.fixture(scope="module")
def tables(photos, tmp_path_factory):
    if not (SITE / "pomona" / "spark").exists():
        pytest.skip("deploy: the package pomona.spark is not built")
    out = tmp_path_factory.mktemp("spark")
    env = {**os.environ, "PYTHONPATH": str(SITE), "PYSPARK_PYTHON": str(SPARK / "python"), "SPARK_LOCAL_IP": "127.0.0.1"}
    command = [SPARK / "spark-submit", "--master", "local[2]", "--conf", "spark.ui.enabled=false", "--conf", "spark.sql.shuffle.partitions=2",
               ROOT / "deploy" / "job.py", photos, out, "--model", MODEL, "--pca", "4"]
    done = subprocess.run([str(word) for word in command], env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
    assert done.returncode == 0, done.stdout[-4000:]
    return out, next(json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"images"'))


def by_name(table, column):
    """Label and file name -> value; Spark and the program spell a local path differently."""
    return {"/".join(path.split("/")[-2:]): value for path, value in zip(table["path"].to_pylist(), table[column].to_pylist()) if value is not None}


def test_the_job_does_what_the_program_does(tables, photos, tmp_path):
    out, said = tables
    command = [os.environ.get("POMONA", ROOT / "build" / "pomona"), "features", photos, "-o", tmp_path / "out", "--model", MODEL, "--pca", "4", "--quiet"]
    assert subprocess.run([str(word) for word in command], timeout=120).returncode == 2  # rows in errors
    features = pq.read_table(out / "features.parquet")
    assert by_name(features, "features") == by_name(pq.read_table(tmp_path / "out" / "features.parquet"), "features")
    assert set(features["label"].to_pylist()) == {"one", "two words"}
    assert said["images"] == 17 and said["failed"] == 1
    assert by_name(pq.read_table(out / "errors.parquet"), "error").keys() == {"one/broken.jpg"}
    projected, expected = (by_name(pq.read_table(place / "pca.parquet"), "pca_features") for place in (out, tmp_path / "out"))
    assert projected.keys() == expected.keys()
    for name in projected:
        np.testing.assert_allclose(projected[name], expected[name], rtol=1e-4, atol=1e-4)


def test_the_projection_is_one_that_the_program_takes(tables, tmp_path):
    out, _ = tables
    rows = pq.read_table(out / "features.parquet", columns=["path", "label", "features"])
    pq.write_table(rows.filter(rows["features"].is_valid()), tmp_path / "features.parquet")
    command = [os.environ.get("POMONA", ROOT / "build" / "pomona"), "pca", tmp_path / "features.parquet", "-o", tmp_path / "out",
               "--projection", out / "projection.parquet", "--quiet"]
    assert subprocess.run([str(word) for word in command], timeout=60).returncode == 0
