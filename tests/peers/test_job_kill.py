"""SIGKILL at random moments of one job, through every phase of it (POMONA_KILLS says how often): the tables end as those of an undisturbed run,
and the manifest never claims what is not there."""
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from conftest import BINARY, FRUITS, pomona, receipt  # noqa: E402

KILLS = int(os.environ.get("POMONA_KILLS", 8))
RECORD = 16 * 16 * 3 * 4  # bytes of a photograph's features
WINDOW = 1.0  # seconds: a quarter between two commits, and what a busy machine adds


def tables(dest):
    return {p.name: p.read_bytes() for p in dest.iterdir() if p.is_file() and p.name != "run.json"}


def computed_twice(state, tmp_path):
    """Features in the spool that the manifest does not know: what a kill has cost."""
    spool, manifest = state / "features.spool", state / "manifest.sqlite"
    if not spool.exists() or not manifest.exists():
        return 0
    for suffix in ("", "-wal"):
        if Path(f"{manifest}{suffix}").exists():
            shutil.copy(f"{manifest}{suffix}", f"{tmp_path}/copy.sqlite{suffix}")
    with closing(sqlite3.connect(tmp_path / "copy.sqlite")) as db:
        known = db.execute("SELECT count(*) FROM item WHERE place = 1").fetchone()[0]
    for file in tmp_path.glob("copy.sqlite*"):
        file.unlink()
    return spool.stat().st_size // RECORD - known


@pytest.mark.skipif(not FRUITS.exists(), reason="../shared/data/fruits-360 is not there")
def test_kills(tmp_path):
    photos = tmp_path / "photos"
    shutil.copytree(FRUITS / "Training", photos)
    args = ["features", photos, "--model", "pixels", "--size", "16", "--pca", "3"]
    begun = time.time()
    pomona(*args, "-o", tmp_path / "whole")
    whole = time.time() - begun
    chance, killed, finished, twice = random.Random(1), 0, 0, []
    out = tmp_path / "out"
    while killed < KILLS:
        job = subprocess.Popen([BINARY, *map(str, args), "-o", out, "--quiet"])
        try:
            job.wait(timeout=whole * 1.1 * chance.random() ** 2)
            assert job.returncode == 0
            finished += 1
            assert tables(out) == tables(tmp_path / "whole")
            for image in chance.sample(sorted(photos.rglob("*.jpg")), 3000):
                os.utime(image)  # changed, it seems: the next run has work again
        except subprocess.TimeoutExpired:
            job.kill()
            job.wait()
            killed += 1
            twice.append(computed_twice(out / ".pomona", tmp_path))
    pomona(*args, "-o", out)
    assert tables(out) == tables(tmp_path / "whole")
    assert receipt(out)["counts"]["rows"] == 6030
    assert max(twice) <= WINDOW * 6030 / receipt(tmp_path / "whole")["speed"]["wall_seconds"]["images"]
    print(f"{killed} kills, {finished} finished in between; computed twice: {sum(twice)}, at most {max(twice)} after a kill")
