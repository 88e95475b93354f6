"""The reference notebooks' job and its rewriting with Pomona give the same tables, from the same weights."""
import subprocess
import sys

import numpy as np
import pytest
from conftest import BINARY, ROOT, SITE, run_script

FRUITS = ROOT.parent / "shared" / "data" / "fruits-360" / "Test"
K = 5


@pytest.fixture
def photographs(tmp_path):
    """60 photographs of six kinds, <label>/<file>: over 32 folders Spark lists by a job of its own."""
    if not FRUITS.exists():
        pytest.skip(f"no photographs: {FRUITS} is not there")
    for file in [file for label in sorted(FRUITS.iterdir())[::12][:6] for file in sorted(label.glob("*.jpg"))[:10]]:
        (tmp_path / "photos" / file.parent.name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / file.parent.name / file.name).symlink_to(file)
    return tmp_path / "photos"


def table(folder, column):
    """As users read it back: pandas, from part files."""
    import pandas as pd

    rows = pd.read_parquet(folder).sort_values("path")
    values = [row["values"] if isinstance(row, dict) else row for row in rows[column]]  # MLlib's vectors are structs
    return list(rows.path), list(rows.label), np.array([np.asarray(row, np.float64) for row in values])


def test_same_tables(photographs, tmp_path):
    keras = ROOT / ".deps" / "peers" / "bin" / "python"
    if not keras.exists():
        pytest.skip("no .deps/peers: tools/deps.sh peers makes it")
    from PIL import Image

    sample = sorted(photographs.rglob("*.jpg"))[::10]
    np.save(tmp_path / "pictures.npy", np.stack([np.asarray(Image.open(f).resize((224, 224))) for f in sample]))
    weights = tmp_path / "weights.h5"
    code = ("import sys; sys.path.insert(0, sys.argv[1]); import model_keras as m, keras, numpy as np; net = keras.applications.MobileNetV2(weights=None); "
            "m.randomise(net, m.PREPROCESS['mobilenetv2'].preprocess_input(np.load(sys.argv[2]).astype(np.float32))); m.save_legacy(net, sys.argv[3])")
    subprocess.run([keras, "-c", code, ROOT / "tests" / "peers", tmp_path / "pictures.npy", weights], check=True, timeout=120, capture_output=True)
    subprocess.run([BINARY, "model", "import", weights, "-o", tmp_path / "net.onnx"], check=True, timeout=60, capture_output=True)
    run_script("peers", "reference_job.py", photographs, weights, tmp_path / "reference", K)
    run_script("peers", "pomona_job.py", photographs, tmp_path / "net.onnx", tmp_path / "pomona", K)

    paths, labels, theirs = table(tmp_path / "reference" / "features", "features")
    assert len(paths) == 60
    found = table(tmp_path / "pomona" / "features", "features")
    assert found[:2] == (paths, labels)
    sys.path.insert(0, str(SITE))
    import pomona

    direct = pomona.Model.load(tmp_path / "net.onnx").featurize([path.split("file:")[1] for path in paths])
    for ours in (found[2], direct):  # Spark's rows, and the Python package's
        error = (np.abs(ours - theirs).max(1) / np.abs(theirs).max(1)).max()
        assert error < 1e-4, error
    theirs, ours = (table(tmp_path / name / "pca", "pca_features") for name in ("reference", "pomona"))
    assert ours[:2] == theirs[:2]
    signs = np.sign(np.sum(ours[2] * theirs[2], axis=0))
    far = (np.abs(ours[2] * signs - theirs[2]).max(0) / np.abs(theirs[2]).max(0)).max()
    assert far < 1e-3, far
    print(f"features within {error:.1e}, projection within {far:.1e} up to sign")
