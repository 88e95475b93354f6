"""`pomona pca` against scikit-learn and by its own contract: formats, few rows, stored projections, other writers' tables."""
import json
import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.decomposition import PCA

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/stats"))
from pca_compare import Projection, assert_same_components, assert_same_rows, lists  # noqa: E402

POMONA = ROOT / "build/pomona"
PHOTOGRAPHS = ROOT / "../shared/data/fruits-360/Training"
MODEL = ROOT / "../shared/models/mobilenetv2.onnx"


def pomona(*args, status=0):
    done = subprocess.run([POMONA, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300)
    assert done.returncode == status and done.stdout == "", done.stderr
    return done


def made_up(rows, d, seed=1):
    random = np.random.default_rng(seed)
    factors = random.standard_normal((rows, 40)) / (1 + np.arange(40)) ** 0.7
    x = factors @ random.standard_normal((40, d)) + 0.2 * random.standard_normal((rows, d)) + random.uniform(0, 3, d)
    return np.maximum(x, 0).astype(np.float32)


def save(path, x, **columns):
    columns = columns or {"path": [f"fruit/{i:05d}.jpg" for i in range(len(x))], "label": [f"kind {i % 7}" for i in range(len(x))]}
    pq.write_table(pa.table({**columns, "features": [list(map(float, row)) for row in x]},
                            schema=pa.schema([*((c, pa.string()) for c in columns), ("features", pa.list_(pa.float32()))])), path)
    return path


def scikit(x, scale=True):
    """(mean, std with n - 1, standardised rows, PCA of all components)"""
    x = x.astype(np.float64)
    mean, std = x.mean(0), x.std(0, ddof=1)
    std[np.ptp(x, axis=0) == 0] = 0
    scaled = np.divide(x - mean, std, out=np.zeros_like(x), where=std > 0) if scale else x
    return mean, std, scaled, PCA(svd_solver="full").fit(scaled)


def assert_parity(table, out, k, *options, scale=True):
    pomona("pca", table, "-o", out, "--pca", k, *options)
    features = lists(pq.read_table(table), "features", np.float32)
    mean, std, scaled, pca = scikit(features, scale)
    ours = Projection(out / "projection.parquet")
    np.testing.assert_allclose(ours.mean, mean, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(ours.std, std, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(ours.variance, pca.explained_variance_[:k], rtol=1e-9)
    np.testing.assert_allclose(ours.ratio, pca.explained_variance_ratio_[:k], rtol=1e-9)
    largest = np.abs(ours.components).argmax(1)
    assert (ours.components[np.arange(k), largest] > 0).all()
    assert_same_components(ours.components, pca.components_[:k], pca.explained_variance_, 1e-6)
    written = pq.read_table(out / "pca.parquet")
    assert written["path"] == pq.read_table(table)["path"] and written["label"] == pq.read_table(table)["label"]
    assert_same_rows(lists(written, "pca_features", np.float64), pca.transform(scaled)[:, :k], pca.explained_variance_, 1e-5)


@pytest.mark.parametrize("rows,d,k", [(900, 200, 50), (300, 500, 20), (60, 1280, 59)])
def test_scikit_learn(tmp_path, rows, d, k):
    x = made_up(rows, d)
    x[:, 3] = 0.1  # no deviation
    x[:, 7] = x[:, 8]
    table = save(tmp_path / "features.parquet", x)
    assert_parity(table, tmp_path / "scaled", k)
    assert_parity(table, tmp_path / "raw", k, "--no-scale", scale=False)


def test_wide_rows_within_little_memory(tmp_path):
    assert_parity(save(tmp_path / "features.parquet", made_up(300, 1500)), tmp_path / "out", 20, "--memory", "16M")


def features_of(out, limit, *options):
    if not PHOTOGRAPHS.exists() or not MODEL.exists():
        pytest.skip(f"features of real photographs: no {PHOTOGRAPHS} or {MODEL}")
    pomona("features", PHOTOGRAPHS, "-o", out, "--model", MODEL, "--limit", limit, "--quiet", *options)


def test_scikit_learn_on_real_features(tmp_path):
    features_of(tmp_path, 600)
    assert_parity(tmp_path / "features.parquet", tmp_path / "scaled", 50)
    assert_parity(tmp_path / "features.parquet", tmp_path / "raw", 50, "--no-scale", scale=False)


def test_wide_real_features_against_the_exact_decomposition(tmp_path):
    """MobileNetV2 before its pooling: 62,720 features, past any covariance; the Gram matrix of few rows is the exact answer."""
    features_of(tmp_path, 150, "--output-layer", "t97", "--pca", "12")
    x = lists(pq.read_table(tmp_path / "features.parquet"), "features", np.float64)
    assert x.shape == (150, 62720)
    std = x.std(0, ddof=1)
    constant = np.ptp(x, axis=0) == 0
    scaled = np.where(constant, 0, (x - x.mean(0)) / np.where(constant, 1, std))
    values, vectors = np.linalg.eigh(scaled @ scaled.T / 149)
    values, vectors = values[::-1], vectors[:, ::-1]
    ours = Projection(tmp_path / "projection.parquet")
    np.testing.assert_allclose(ours.variance, values[:12], rtol=1e-10)
    np.testing.assert_allclose(ours.ratio, values[:12] / values.sum(), rtol=1e-10)
    exact = vectors[:, :12].T @ scaled / np.sqrt(149 * values[:12])[:, None]
    assert_same_components(ours.components, exact, values, 1e-7)


def test_a_share_takes_the_fewest_components(tmp_path):
    x = made_up(500, 100)
    table = save(tmp_path / "features.parquet", x)
    total = np.cumsum(scikit(x)[3].explained_variance_ratio_)
    for share in (0.3, 0.9, 0.995):
        pomona("pca", table, "-o", tmp_path / "out", "--pca", share)
        assert Projection(tmp_path / "out/projection.parquet").k == np.searchsorted(total, share) + 1
    pomona("pca", table, "-o", tmp_path / "default")
    assert Projection(tmp_path / "default/projection.parquet").k == np.searchsorted(total, 0.9) + 1


def test_scaled_rows(tmp_path):
    x = made_up(400, 30)
    x[:, 5] = 2.5
    table = save(tmp_path / "features.parquet", x)
    pomona("pca", table, "-o", tmp_path / "out", "--keep-scaled", "--pca", "2")
    scaled = lists(pq.read_table(tmp_path / "out/scaled.parquet"), "scaled_features", np.float64)
    np.testing.assert_allclose(scaled, scikit(x)[2], atol=1e-6)
    assert (scaled[:, 5] == 0).all()


def test_no_center_leaves_the_mean_in(tmp_path):
    x = made_up(200, 20)
    table = save(tmp_path / "features.parquet", x)
    pomona("pca", table, "-o", tmp_path / "out", "--pca", "3", "--no-scale", "--no-center")
    components = Projection(tmp_path / "out/projection.parquet").components
    rows = lists(pq.read_table(tmp_path / "out/pca.parquet"), "pca_features", np.float64)
    np.testing.assert_allclose(rows, x.astype(np.float64) @ components.T, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("format", ["parquet", "json", "csv"])
def test_a_stored_projection_applies_to_new_rows(tmp_path, format):
    x = made_up(320, 64)
    old, new = save(tmp_path / "old.parquet", x[:300]), save(tmp_path / "new.parquet", x[300:])
    pomona("pca", old, "-o", tmp_path / "out", "--pca", "9", "--format", format)
    pomona("pca", new, "-o", tmp_path / "applied", "--projection", tmp_path / f"out/projection.{format}")
    pomona("pca", old, "-o", tmp_path / "reference", "--pca", "9")
    p, stored = Projection(tmp_path / "reference/projection.parquet"), Projection(tmp_path / "applied/projection.parquet")
    assert (p.components == stored.components).all() and (p.mean == stored.mean).all() and (p.ratio == stored.ratio).all()
    rows = lists(pq.read_table(tmp_path / "applied/pca.parquet"), "pca_features", np.float64)
    np.testing.assert_allclose(rows, (x[300:] - p.mean) / p.std @ p.components.T, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("format", ["json", "csv"])
def test_text_formats_hold_the_same_rows(tmp_path, format):
    table = save(tmp_path / "features.parquet", made_up(50, 16))
    pomona("pca", table, "-o", tmp_path / "out", "--pca", "4")
    pomona("pca", table, "-o", tmp_path / "out", "--pca", "4", "--keep-scaled", "--format", format)
    expected = lists(pq.read_table(tmp_path / "out/pca.parquet"), "pca_features", np.float32)
    if format == "json":
        rows = [json.loads(line)["pca_features"] for line in open(tmp_path / "out/pca.json")]
    else:
        import csv
        rows = [json.loads(row["pca_features"]) for row in csv.DictReader(open(tmp_path / "out/pca.csv", newline=""))]
    assert (np.array(rows, dtype=np.float32) == expected).all()
    pomona("pca", tmp_path / f"out/scaled.{format}", "--column", "scaled_features", "-o", tmp_path / "again", "--pca", "4")
    np.testing.assert_allclose(lists(pq.read_table(tmp_path / "again/pca.parquet"), "pca_features", np.float64), expected, atol=1e-4)


def test_a_folder_of_parts_and_tables_without_names(tmp_path):
    x = made_up(100, 12)
    (tmp_path / "parts").mkdir()
    save(tmp_path / "parts/part-00000-a.snappy.parquet", x[:40])
    save(tmp_path / "parts/part-00001-a.snappy.parquet", x[40:])
    (tmp_path / "parts/_SUCCESS").touch()
    whole = tmp_path / "bare.parquet"
    pq.write_table(pa.table({"features": pa.array(x.astype(np.float64).tolist())}), whole)
    pomona("pca", tmp_path / "parts", "-o", tmp_path / "a", "--pca", "5")
    pomona("pca", whole, "-o", tmp_path / "b", "--pca", "5")
    a, b = pq.read_table(tmp_path / "a/pca.parquet"), pq.read_table(tmp_path / "b/pca.parquet")
    assert a.column_names == ["path", "label", "pca_features"] and b.column_names == ["pca_features"]
    assert a["pca_features"] == b["pca_features"]


def test_few_rows(tmp_path):
    x = made_up(25, 80)
    done = pomona("pca", save(tmp_path / "25.parquet", x), "-o", tmp_path / "out", "--pca", "50")
    assert "--pca 50 is lowered to 24" in done.stderr
    assert Projection(tmp_path / "out/projection.parquet").k == 24
    same = save(tmp_path / "same.parquet", np.repeat(x[:1], 5, axis=0))
    for options in (("--pca", "2"), ("--pca", "0.9"), ("--pca", "2", "--no-scale", "--keep-scaled")):
        refused(tmp_path, same, *options, says="no PCA: all 5 rows of")
    few = save(tmp_path / "few.parquet", np.tile(x[:4], (6, 1)))
    done = pomona("pca", few, "-o", tmp_path / "few", "--pca", "10")
    assert "--pca 10 is lowered to 3" in done.stderr
    np.testing.assert_allclose(np.linalg.norm(Projection(tmp_path / "few/projection.parquet").components, axis=1), 1, rtol=1e-12)


def refused(tmp_path, *args, says):
    out = tmp_path / "refused"
    done = pomona("pca", *args, "-o", out, status=1)
    assert says in done.stderr, done.stderr
    assert not list(out.glob("*.parquet")) and not list(out.glob(".pomona/*.parquet"))


def test_refusals_say_why_and_write_nothing(tmp_path):
    x = made_up(20, 6)
    table = save(tmp_path / "t.parquet", x)
    refused(tmp_path, tmp_path / "absent.parquet", says="there is no table")
    refused(tmp_path, save(tmp_path / "one.parquet", x[:1]), says="at least two rows")
    refused(tmp_path, save(tmp_path / "none.parquet", x[:0]), says="has no rows")
    refused(tmp_path, table, "--column", "colour", says="colour")
    refused(tmp_path, table, "--pca", "1.5", says="--pca 1.5")
    refused(tmp_path, table, table, says="one table")
    bad = x.copy()
    bad[11, 4] = np.nan
    refused(tmp_path, save(tmp_path / "nan.parquet", bad), says="row 11, column 4")
    pq.write_table(pa.table({"features": pa.array([[1.0, 2.0], [1.0]], pa.list_(pa.float32()))}), tmp_path / "ragged.parquet")
    refused(tmp_path, tmp_path / "ragged.parquet", says="row 1 has 1 values")
    pomona("pca", table, "-o", tmp_path / "out", "--pca", "2")
    other = save(tmp_path / "other.parquet", made_up(20, 7))
    refused(tmp_path, other, "--projection", tmp_path / "out/projection.parquet", says="projects 6 features")
    for name, model in ("ours", b"a" * 64), ("theirs", b"b" * 64):
        pq.write_table(pq.read_table(table).replace_schema_metadata({"pomona.model.sha256": model}), tmp_path / f"{name}.parquet")
    pomona("pca", tmp_path / "ours.parquet", "-o", tmp_path / "made", "--pca", "2")
    refused(tmp_path, tmp_path / "theirs.parquet", "--projection", tmp_path / "made/projection.parquet", says="of another model")
    refused(tmp_path, table, "--projection", table, says="row")
    stored = pq.read_table(tmp_path / "out/projection.parquet")
    pq.write_table(stored.slice(1), tmp_path / "cut.parquet")
    refused(tmp_path, table, "--projection", tmp_path / "cut.parquet", says='is not "mean"')
    pq.write_table(stored.slice(0, 1), tmp_path / "short.parquet")
    refused(tmp_path, table, "--projection", tmp_path / "short.parquet", says="missing")


def test_an_interruption_ends_the_job(tmp_path):
    rows, d = 600, 20000
    values = np.random.default_rng(1).standard_normal(rows * d, dtype=np.float32)
    features = pa.ListArray.from_arrays(np.arange(rows + 1, dtype=np.int32) * d, values)
    pq.write_table(pa.table({"features": features}), tmp_path / "wide.parquet")
    out = tmp_path / "out"
    command = [POMONA, "pca", tmp_path / "wide.parquet", "-o", out, "--pca", "50", "--memory", "100M", "--threads", "1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as job:
        while not out.exists() and job.poll() is None:
            time.sleep(0.01)
        time.sleep(0.3)
        job.send_signal(signal.SIGINT)
        said = job.communicate(timeout=60)[1]
    assert job.returncode == 1 and "the same command starts over" in said
    assert not list(out.glob("*.parquet")) and not list(out.glob(".pomona/*.parquet"))
