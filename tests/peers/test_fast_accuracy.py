"""How close `--precision` fast comes to exact on real photographs: the cosine of each row of features, and what a linear classifier loses."""
import copy
import itertools
import random
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from conftest import MOBILENET, ROOT, pomona, receipt  # noqa: E402

DATA = ROOT.parent / "shared" / "data"
NETWORKS = {"mobilenetv2": MOBILENET, "efficientnet-lite0": ROOT / ".deps" / "models" / "efficientnet-lite0.onnx"}
SETS = ["fruits-360", "grocery"]
TESTED, TRAINED = 1000, 2000
MEAN_COSINE = {"int8": 0.995, "bf16": 0.999}
MIN_COSINE = {"int8": 0.97, "bf16": 0.99}
POINTS_LOST = 0.5

pytestmark = pytest.mark.skipif(not (DATA.exists() and MOBILENET.exists()), reason="no ../shared with photographs and a network")


def spread_over_labels(folder):
    """All images of folder/<label>/, the labels in turn, each label's images in a fixed random order."""
    shuffled = [random.Random(0).sample(files, len(files)) for files in (sorted(label.glob("*.jpg")) for label in sorted(folder.iterdir()))]
    return [file for of_each in itertools.zip_longest(*shuffled) for file in of_each if file]


def photographs(name, folder):
    """Links folder/<part>/<label>/<file>; where the set's Test has less than is tested, some of Training joins it and is not trained with."""
    training, test = (spread_over_labels(DATA / name / split) for split in ("Training", "Test"))
    joining = max(0, TESTED - len(test))
    parts = {"test": (test + training[:joining])[:TESTED], "train": training[joining:][:TRAINED]}
    for part, files in parts.items():
        for file in files:
            link = folder / part / file.parent.name / f"{file.parent.parent.name}_{file.name}"
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(file)
    return folder


def features(photos, model, out, precision="exact", parts=("test", "train")):
    """The precision used, and {part: (labels, rows)} of the parts, made in one job."""
    pomona("features", *(photos / part for part in parts), "-o", out, "--model", model, "--precision", precision, "--quiet")
    table = pq.read_table(out / "features.parquet")
    labels, rows = np.array(table["label"].to_pylist()), np.stack(table["features"].to_numpy())
    tested = np.array([path.startswith(f"{photos}/test/") for path in table["path"].to_pylist()])
    assert tested.sum() == TESTED
    return receipt(out)["precision"]["used"], {"test": (labels[tested], rows[tested]), "train": (labels[~tested], rows[~tested])}


def cosines(a, b):
    return (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def classify(made, start=None):
    """A classifier of the training rows, and per cent of the test rows that it knows. It is sought from where `start` stands, which is near."""
    scaler = StandardScaler().fit(made["train"][1])
    classifier = copy.deepcopy(start) or LogisticRegression(C=0.01, max_iter=200, warm_start=True)
    with threadpool_limits(1):  # several threads wait for each other at each step, the longer the busier the machine is
        classifier.fit(scaler.transform(made["train"][1]), made["train"][0])
    return classifier, 100 * classifier.score(scaler.transform(made["test"][1]), made["test"][0])


@pytest.fixture(scope="module", params=itertools.product(SETS, NETWORKS), ids="-".join)
def exact(request, tmp_path_factory):
    """The photographs, the network, its exact features, and the classifier of those with its accuracy."""
    name, network = request.param
    folder = tmp_path_factory.mktemp(f"{name}-{network}")
    photos = photographs(name, folder / "photos")
    _, made = features(photos, NETWORKS[network], folder / "exact")
    return photos, NETWORKS[network], made, *classify(made)


def test_int8_is_close_to_exact(exact, tmp_path, capsys):
    photos, network, wanted, classifier, before = exact
    used, made = features(photos, network, tmp_path / "int8", "int8")
    cosine, after = cosines(wanted["test"][1], made["test"][1]), classify(made, classifier)[1]
    with capsys.disabled():
        print(f"\n{photos.parent.name} int8: cosine mean {cosine.mean():.5f}, min {cosine.min():.5f}; classifier {before:.1f} -> {after:.1f} %")
    assert used == "int8" and cosine.mean() >= MEAN_COSINE["int8"] and cosine.min() >= MIN_COSINE["int8"]
    assert after >= before - POINTS_LOST


def test_bf16_is_closer(exact, tmp_path, capsys):
    photos, network, wanted, *_ = exact
    used, made = features(photos, network, tmp_path / "bf16", "bf16", ["test"])
    if used != "bf16":
        pytest.skip(f"this CPU multiplies no bfloat16: {used} was taken")
    cosine = cosines(wanted["test"][1], made["test"][1])
    with capsys.disabled():
        print(f"\n{photos.parent.name} bf16: cosine mean {cosine.mean():.5f}, min {cosine.min():.5f}")
    assert cosine.mean() >= MEAN_COSINE["bf16"] and cosine.min() >= MIN_COSINE["bf16"]
