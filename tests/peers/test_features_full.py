"""The whole training set through MobileNetV2: counts, the contract's files, memory and the first row; the features are
ONNX Runtime's; 60,000 images take the memory of 6,000."""
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from conftest import FRUITS, MOBILENET, ROOT, pomona, receipt  # noqa: E402

pytestmark = pytest.mark.skipif(not (FRUITS.exists() and MOBILENET.exists()), reason="no ../shared with photographs and a network")
MIB = 1 << 20


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    out = tmp_path_factory.mktemp("full") / "out"
    pomona("features", FRUITS / "Training", "-o", out, "--model", MOBILENET, "--pca", "0.90", "--keep-scaled")
    return out


def test_contract(full):
    features, pca, scaled = (pd.read_parquet(full / f"{name}.parquet") for name in ("features", "pca", "scaled"))
    run = receipt(full)
    assert len(features) == len(pca) == len(scaled) == 6030 and features.label.nunique() == 67
    assert features.features.map(len).eq(1280).all()
    assert pca.pca_features.map(len).eq(run["settings"]["pca"]["components"]).all()
    assert run["settings"]["pca"]["explained_variance_ratio"] >= 0.90
    assert run["speed"]["wall_seconds"]["first_row"] < 0.5
    assert run["host"]["peak_memory_bytes"] < 300 * MIB


def test_features_are_those_of_onnxruntime(full):
    python = ROOT / ".deps" / "peers" / "bin" / "python"
    if not python.exists():
        pytest.skip("no .deps/peers: tools/deps.sh peers makes it")
    done = subprocess.run([python, ROOT / "tests/peers/features_onnxruntime.py", full / "features.parquet", MOBILENET],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
    assert done.returncode == 0 and "ok: 121 rows" in done.stdout, done.stdout[-4000:]


def test_memory_does_not_grow_with_the_number_of_images(tmp_path):
    peaks = []
    for copies in (1, 10):
        photos = tmp_path / f"{copies}"
        for image in (FRUITS / "Training").rglob("*.jpg"):
            for copy in range(copies):
                folder = photos / f"{image.parent.name} {copy}"
                folder.mkdir(parents=True, exist_ok=True)
                (folder / image.name).symlink_to(image)
        out = tmp_path / f"out{copies}"
        pomona("features", photos, "-o", out, "--model", "pixels", "--size", "20", "--pca", "10")
        assert receipt(out)["counts"]["rows"] == 6030 * copies
        peaks.append(receipt(out)["host"]["peak_memory_bytes"])
    assert peaks[1] < peaks[0] + 16 * MIB
