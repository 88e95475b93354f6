"""pomona features again: continued, changed, refused, killed."""
import fcntl
import os
import shutil
import signal
import subprocess
import time

import numpy as np
import pandas as pd
import pytest
from conftest import BINARY, PIXELS, photograph, pomona, receipt


def tables(dest):
    return {p.name: p.read_bytes() for p in dest.iterdir() if p.is_file() and p.name != "run.json"}


def test_second_run_does_nothing(photos, tmp_path):
    out = tmp_path / "out"
    pomona("features", photos, "-o", out, *PIXELS, "--pca", 2)
    before = {p.name: p.stat().st_mtime_ns for p in out.iterdir() if p.is_file()}
    for photo in photos.rglob("*.*"):
        os.chmod(photo, 0)  # and it is not even opened
    assert "up to date" in pomona("features", photos, "-o", out, *PIXELS, "--pca", 2)
    assert before == {p.name: p.stat().st_mtime_ns for p in out.iterdir() if p.is_file()}


def test_delta(photos, tmp_path):
    out, fresh = tmp_path / "out", tmp_path / "fresh"
    pomona("features", photos, "-o", out, *PIXELS, "--pca", 2)
    photograph(100).save(photos / "apple" / "00.jpg")
    photograph(101).save(photos / "apple" / "new.png")
    (photos / "fig").mkdir()
    photograph(102).save(photos / "fig" / "1.png")
    shutil.rmtree(photos / "tomato")
    said = pomona("features", photos, "-o", out, *PIXELS, "--pca", 2)
    counts = receipt(out)["counts"]
    assert (counts["computed"], counts["carried_over"], counts["dropped"], counts["rows"]) == (3, 15, 8, 18)
    assert "15 carried over, 8 dropped" in said
    pomona("features", photos, "-o", fresh, *PIXELS, "--pca", 2)
    assert tables(out) == tables(fresh)
    assert "up to date" in pomona("features", photos, "-o", out, *PIXELS, "--pca", 2)


@pytest.mark.parametrize("format", ["json", "csv"])
def test_delta_of_text_tables(photos, tmp_path, format):
    out, fresh = tmp_path / "out", tmp_path / "fresh"
    pomona("features", photos, "-o", out, *PIXELS, "--format", format)
    photograph(101).save(photos / "apple" / "new.png")
    pomona("features", photos, "-o", out, *PIXELS, "--format", format)
    pomona("features", photos, "-o", fresh, *PIXELS, "--format", format)
    assert tables(out) == tables(fresh)
    assert receipt(out)["counts"]["computed"] == 1


def test_failed_images_are_kept_until_retried(photos, tmp_path):
    out = tmp_path / "out"
    bad = photos / "apple" / "bad.jpg"
    bad.write_text("not an image")
    pomona("features", photos, "-o", out, *PIXELS, code=2)
    assert "up to date" in pomona("features", photos, "-o", out, *PIXELS, code=2)
    assert "images/s" not in pomona("features", photos, "-o", out, *PIXELS, "--retry-failed", code=2)
    counts = receipt(out)["counts"]
    assert (counts["failed"], counts["carried_over"], counts["errors"]) == (1, 24, 1)
    photograph(50).save(bad)
    pomona("features", photos, "-o", out, *PIXELS)
    assert receipt(out)["counts"]["computed"] == 1 and len(pd.read_parquet(out / "errors.parquet")) == 0


@pytest.mark.parametrize("other, text", [
    (["--resize", "nearest"], "--resize was bicubic, is nearest"),
    (["--pca", "3"], "--pca was 2, is 3"),
    (["--format", "csv"], "--format was parquet, is csv"),
    (["--label", "{label}.*"], "--label was {label}/*, is {label}.*"),
    (["--size", "8"], "--size was 16x16, is 8x8"),
])
def test_other_settings_are_refused(photos, tmp_path, other, text):
    out = tmp_path / "out"
    pomona("features", photos, "-o", out, *PIXELS, "--pca", 2)
    before = tables(out)
    said = pomona("features", photos, "-o", out, *PIXELS, "--pca", 2, *other, code=1)
    assert text in said and "--fresh" in said and tables(out) == before
    pomona("features", photos, "-o", out, *PIXELS, "--pca", 2, *other, "--fresh")
    pomona("features", photos, "-o", tmp_path / "new", *PIXELS, "--pca", 2, *other)
    assert tables(out) == tables(tmp_path / "new")


def test_settings_that_nothing_was_made_with_are_forgotten(tmp_path):
    out, photos = tmp_path / "out", tmp_path / "photos" / "apple"
    out.mkdir()
    photos.mkdir(parents=True)
    pomona("features", photos, "-o", out, *PIXELS, code=1)
    (photos / "bad.jpg").write_text("bad")
    pomona("features", photos, "-o", out, *PIXELS, "--strict", "--resize", "box", code=1)
    photograph(1).save(photos / "bad.jpg")
    pomona("features", photos, "-o", out, *PIXELS, "--resize", "nearest")
    assert "--resize was nearest" in pomona("features", photos, "-o", out, *PIXELS, code=1)


def test_long_lists_of_sources_are_shown_where_they_differ(photos, tmp_path):
    folders = []
    for i in range(12):
        folders.append(tmp_path / f"folder-{i}")
        shutil.copytree(photos / "apple", folders[-1])
    pomona("features", *folders, "-o", tmp_path / "out", *PIXELS)
    said = pomona("features", *folders[:-1], "-o", tmp_path / "out", *PIXELS, code=1)
    was, now = said.split("SRC was ")[1].split(", is ")
    assert was.split()[0].endswith("/folder-11/") and now.split()[0].endswith("/folder-2/")


def test_foreign_tables_are_not_replaced(photos, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "features.parquet").write_text("mine")
    assert "features.parquet is there" in pomona("features", photos, "-o", out, *PIXELS, code=1)
    assert (out / "features.parquet").read_text() == "mine"
    pomona("features", photos, "-o", out, *PIXELS, "--fresh")
    assert len(pd.read_parquet(out / "features.parquet")) == 24


def test_a_damaged_table_is_told(photos, tmp_path):
    out = tmp_path / "out"
    pomona("features", photos, "-o", out, *PIXELS)
    table = out / "features.parquet"
    before, whole = table.stat(), table.read_bytes()
    table.write_bytes(b"x" * len(whole))
    os.utime(table, ns=(before.st_atime_ns, before.st_mtime_ns))
    photograph(50).save(photos / "new.png")
    assert "features.parquet is damaged: --fresh starts anew" in pomona("features", photos, "-o", out, *PIXELS, code=1)
    pomona("features", photos, "-o", out, *PIXELS, "--fresh")


def test_lost_files_are_made_again(photos, tmp_path):
    out = tmp_path / "out"
    pomona("features", photos, "-o", out, *PIXELS, "--pca", 2)
    before = tables(out)
    (out / "pca.parquet").unlink()
    pomona("features", photos, "-o", out, *PIXELS, "--pca", 2)
    assert tables(out) == before and receipt(out)["counts"]["computed"] == 0
    (out / "features.parquet").unlink()
    pomona("features", photos, "-o", out, *PIXELS, "--pca", 2)
    assert tables(out) == before and receipt(out)["counts"]["computed"] == 24
    (out / ".pomona" / "manifest.sqlite").write_text("x" * 5000)
    assert "--fresh" in pomona("features", photos, "-o", out, *PIXELS, "--pca", 2, code=1)


def test_files_of_others_stay(photos, tmp_path):
    out = tmp_path / "out"
    pomona("features", photos, "-o", out, *PIXELS)
    pomona("pca", out / "features.parquet", "-o", out, "--pca", 2)
    (out / "features.csv").write_text("mine")
    others = {name: (out / name).read_bytes() for name in ("pca.parquet", "projection.parquet", "features.csv")}
    photograph(101).save(photos / "apple" / "new.png")
    for option in ([], ["--fresh"]):
        pomona("features", photos, "-o", out, *PIXELS, *option)
        assert len(pd.read_parquet(out / "features.parquet")) == 25
        assert others == {name: (out / name).read_bytes() for name in others}


def test_own_files_do_not_outlive_other_settings(photos, tmp_path):
    out = tmp_path / "out"
    pomona("features", photos, "-o", out, *PIXELS, "--pca", 2, "--keep-scaled")
    (out / "scaled.parquet").write_text("mine")
    pomona("features", photos, "-o", out, *PIXELS, "--format", "csv", "--fresh")
    assert {p.name for p in out.iterdir()} == {".pomona", "errors.csv", "features.csv", "run.json", "scaled.parquet"}


def test_replaced_files_are_written_again(photos, tmp_path):
    out = tmp_path / "out"
    pomona("features", photos, "-o", out, *PIXELS, "--pca", 2)
    before = tables(out)
    pomona("pca", out / "features.parquet", "-o", out, "--pca", 3)
    assert tables(out) != before
    pomona("features", photos, "-o", out, *PIXELS, "--pca", 2)
    assert tables(out) == before and receipt(out)["counts"]["computed"] == 0
    assert "up to date" in pomona("features", photos, "-o", out, *PIXELS, "--pca", 2)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Images that keep two cores busy for some seconds."""
    folder = tmp_path_factory.mktemp("many") / "photos"
    folder.mkdir()
    photograph(0, (2400, 1800)).save(folder / "000.jpg", quality=95)
    for i in range(1, 300):
        os.link(folder / "000.jpg", folder / f"{i:03}.jpg")
    return folder


def start(many, out):
    """Starts a job, and returns once it has some features."""
    spool = out / ".pomona" / "features.spool"
    before = spool.stat().st_size if spool.exists() else 0
    job = subprocess.Popen([BINARY, "features", many, "-o", out, *PIXELS, "--threads", "2"], stderr=subprocess.PIPE, text=True)
    deadline = time.time() + 60
    while job.poll() is None and (not spool.exists() or spool.stat().st_size <= before) and time.time() < deadline:
        time.sleep(0.01)
    return job


def test_interrupted_runs_continue(many, tmp_path):
    out = tmp_path / "out"
    job = start(many, out)
    job.send_signal(signal.SIGINT)
    said = job.communicate(timeout=20)[1]
    assert job.returncode == 1 and "same command continues" in said
    assert not list(out.glob("[a-z]*.*"))
    pomona("features", many, "-o", out, *PIXELS)
    counts = receipt(out)["counts"]
    assert counts["rows"] == 300 and 0 < counts["carried_over"] < 300
    rows = np.stack(pd.read_parquet(out / "features.parquet").features)
    assert (rows == rows[0]).all()


def test_killed_runs_continue(many, tmp_path):
    out = tmp_path / "out"
    for _ in range(3):
        job = start(many, out)
        time.sleep(1.3)
        job.kill()
        job.wait()
    pomona("features", many, "-o", out, *PIXELS)
    counts = receipt(out)["counts"]
    assert counts["rows"] == 300 and counts["carried_over"] > 0
    rows = np.stack(pd.read_parquet(out / "features.parquet").features)
    assert (rows == rows[0]).all() and (rows.sum(1) > 0).all()
    assert sorted(p.name for p in (out / ".pomona").iterdir()) == ["lock", "manifest.sqlite"]


def test_two_jobs_on_one_destination(many, tmp_path):
    job = start(many, tmp_path / "out")
    assert "in use by another pomona" in pomona("features", many, "-o", tmp_path / "out", *PIXELS, code=1)
    job.terminate()
    job.communicate(timeout=20)


def test_pca_waits_for_no_one(photos, tmp_path):
    out, other = tmp_path / "out", tmp_path / "other"
    pomona("features", photos, "-o", out, *PIXELS)
    before = tables(out)
    with open(out / ".pomona" / "lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "in use by another pomona" in pomona("pca", out / "features.parquet", "-o", out, "--pca", 2, code=1)
    assert tables(out) == before
    pomona("pca", out / "features.parquet", "-o", out, "--pca", 2)
    assert (out / ".pomona" / "manifest.sqlite").exists()
    pomona("pca", out / "features.parquet", "-o", other, "--pca", 2)
    assert {p.name for p in other.iterdir()} == {"pca.parquet", "projection.parquet"}
    (tmp_path / "bad.parquet").write_text("bad")
    pomona("pca", tmp_path / "bad.parquet", "-o", tmp_path / "third", code=1)
    assert not (tmp_path / "third" / ".pomona").exists()


def test_a_destination_that_cannot_be_written(photos, tmp_path):
    (tmp_path / "file").write_text("")
    assert "file" in pomona("features", photos, "-o", tmp_path / "file" / "out", *PIXELS, code=1)
