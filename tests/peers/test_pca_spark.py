"""Runs pca_spark.py under both Spark versions, on the features of real photographs."""
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PHOTOGRAPHS = ROOT / "../shared/data/fruits-360/Training"
MODEL = ROOT / "../shared/models/mobilenetv2.onnx"
K = "50"


@pytest.fixture(scope="session")
def real_job(tmp_path_factory):
    """A folder with features.parquet, pca.parquet and projection.parquet."""
    if not PHOTOGRAPHS.exists() or not MODEL.exists():
        pytest.skip(f"features of real photographs: no {PHOTOGRAPHS} or {MODEL}")
    out = tmp_path_factory.mktemp("real")
    subprocess.run([ROOT / "build/pomona", "features", PHOTOGRAPHS, "-o", out, "--model", MODEL, "--limit", "1500", "--pca", K, "--quiet"],
                   check=True, timeout=300)
    return out


@pytest.mark.parametrize("venv", ["peers-spark35", "peers-spark4"])
def test_scaler_and_pca(venv, real_job):
    python = ROOT / ".deps" / venv / "bin" / "python"
    if not python.exists():
        pytest.skip(f"no .deps/{venv}: tools/deps.sh peers makes it")
    done = subprocess.run([python, ROOT / "tests/peers/pca_spark.py", real_job / "features.parquet", real_job, K],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
    assert done.returncode == 0 and "ok: Spark" in done.stdout, done.stdout[-4000:]
