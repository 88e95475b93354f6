"""pomona features --precision fast: what it chooses, says, keeps and falls back to."""
import shutil
import subprocess
import time

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from conftest import BINARY, ROOT, photograph, pomona, receipt

LITE0 = ROOT / ".deps" / "models" / "efficientnet-lite0.onnx"
FAST = ("--model", LITE0, "--precision", "fast", "--min-cosine", "0.5")
pytestmark = pytest.mark.skipif(not LITE0.exists(), reason="efficientnet-lite0 is not there: make deps")


def matrix(dest):
    return np.stack(pd.read_parquet(dest / "features.parquet").features)


def tables(dest):
    return {p.name: p.read_bytes() for p in dest.iterdir() if p.is_file() and p.name != "run.json"}


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """Nine photographs, and one that is none."""
    folder = tmp_path_factory.mktemp("few") / "photos"
    folder.mkdir()
    for i in range(9):
        photograph(i).save(folder / f"{i}.png")
    (folder / "4bad.png").write_text("no image")
    return folder


@pytest.fixture(scope="module")
def exact(few, tmp_path_factory):
    out = tmp_path_factory.mktemp("exact") / "out"
    pomona("features", few, "-o", out, "--model", LITE0, code=2)
    return out


def test_int8_is_calibrated_checked_and_kept(few, exact, tmp_path):
    photos, out = tmp_path / "photos", tmp_path / "out"
    shutil.copytree(few, photos)
    said = pomona("features", photos, "-o", out, *FAST, code=2)
    told = receipt(out)["precision"]
    assert (told["asked"], told["used"], told["min_cosine"]) == ("fast", "int8", 0.5)
    assert (told["images_calibrated"], told["images_checked"]) == (5, 4)
    [tried] = told["tried"]
    assert tried["precision"] == "int8" and tried["taken"]
    assert pq.read_metadata(out / "features.parquet").metadata[b"pomona.precision"] == b"int8"
    assert f"int8: mean cosine to exact {tried['cosine_mean']:.6f}" in said and "warning" not in said
    a, b = matrix(exact).astype(np.float64), matrix(out).astype(np.float64)
    cosines = ((a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(1)))[1::2]  # those that checked
    assert cosines.mean() == pytest.approx(tried["cosine_mean"], abs=1e-9)
    assert cosines.min() == pytest.approx(tried["cosine_minimum"], abs=1e-9) and cosines.min() < 1

    shutil.copy(photos / "3.png", photos / "new.png")  # computed with the same calibration
    pomona("features", photos, "-o", out, *FAST, code=2)
    table = pd.read_parquet(out / "features.parquet")
    assert (table.features[3] == table.features[9]).all() and table.path[9].endswith("new.png")
    assert receipt(out)["counts"]["computed"] == 1 and receipt(out)["precision"] == told
    assert "up to date" in pomona("features", photos, "-o", out, *FAST, code=2)
    refused = pomona("features", photos, "-o", out, "--model", LITE0, code=1)
    assert "--precision was fast, is exact" in refused
    refused = pomona("features", photos, "-o", out, *FAST[:-1], "0.6", code=1)
    assert "--min-cosine was 0.5, is 0.6" in refused


def test_what_is_not_near_enough_falls_back(few, exact, tmp_path):
    said = pomona("features", few, "-o", tmp_path / "out", *FAST[:-1], "1", "--threads", 2, code=2)
    told = receipt(tmp_path / "out")["precision"]
    assert told["used"] == "exact" and told["tried"] and not any(t["taken"] for t in told["tried"])
    assert "no int8: the features of 4 images have a mean cosine of 0." in said and "precision exact" in said
    assert (matrix(tmp_path / "out") == matrix(exact)).all()


def test_bf16_needs_no_calibration(few, tmp_path):
    """Nothing is said of int8, which nobody asked for, and what was written can be verified."""
    said = pomona("features", few, "-o", tmp_path / "out", "--model", LITE0, "--precision", "bf16", "--min-cosine", "0.5", code=2)
    assert "int8" not in said
    told = receipt(tmp_path / "out")["precision"]
    if told["used"] == "exact":
        pytest.skip(f"this CPU has no bf16: {said}")
    assert [t["precision"] for t in told["tried"]] == ["bf16"] and told["used"] == "bf16"
    pomona("verify", tmp_path / "out", "--model", LITE0)
    assert "up to date" in pomona("features", few, "-o", tmp_path / "out", "--model", LITE0, "--precision", "bf16", "--min-cosine", "0.5", code=2)


def test_nothing_to_calibrate_with(tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "bad.png").write_text("no image")
    said = pomona("features", tmp_path / "photos", "-o", tmp_path / "out", *FAST, code=2)
    assert "nothing to calibrate with" in said and receipt(tmp_path / "out")["precision"]["used"] == "exact"
    photograph(0).save(tmp_path / "photos" / "good.png")  # no row stands in the way of calibrating now
    pomona("features", tmp_path / "photos", "-o", tmp_path / "out", *FAST, code=2)
    told = receipt(tmp_path / "out")["precision"]
    assert (told["used"], told["images_calibrated"], told["images_checked"]) == ("int8", 1, 1)


def records(out):
    spool = out / ".pomona" / "features.spool"
    return spool.stat().st_size // (1280 * 4) if spool.exists() else 0


def wait_for_records(job, out, n):
    while job.poll() is None and records(out) < n:
        time.sleep(0.01)


def test_killed_runs_continue_with_the_same_calibration(tmp_path):
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    photograph(0).save(photos / "00.png")
    photograph(1, (3200, 2400)).save(photos / "01.jpg", quality=95)  # decoding these takes long enough for a commit
    for i in range(2, 100):
        (photos / f"{i:02}.jpg").hardlink_to(photos / "01.jpg")
    pomona("features", photos, "-o", tmp_path / "whole", *FAST)
    job = subprocess.Popen([BINARY, "features", photos, "-o", out, *FAST, "--threads", "1", "--quiet"])
    wait_for_records(job, out, 1)
    time.sleep(1.1)  # the next record but a batch is behind a commit
    wait_for_records(job, out, records(out) + 17)
    job.kill()
    assert job.wait() != 0
    first = (photos / "00.png").read_bytes()
    photograph(2).save(photos / "00.png")  # of the sample: a calibration made anew would be another
    pomona("features", photos, "-o", out, *FAST)
    assert receipt(out)["counts"]["carried_over"] > 0
    assert (matrix(out)[1:] == matrix(tmp_path / "whole")[1:]).all()
    (photos / "00.png").write_bytes(first)
    pomona("features", photos, "-o", out, *FAST)
    assert tables(out) == tables(tmp_path / "whole")
