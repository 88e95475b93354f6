"""SIGKILL at fifty random moments of one job, through every phase of it: the tables end as those of an undisturbed run,
and the manifest never claims what is not there."""
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from conftest import BINARY, FRUITS, pomona, receipt  # noqa: E402

KILLS = 50


def tables(dest):
    return {p.name: p.read_bytes() for p in dest.iterdir() if p.is_file() and p.name != "run.json"}


@pytest.mark.skipif(not FRUITS.exists(), reason="../shared/data/fruits-360 is not there")
def test_fifty_kills(tmp_path):
    photos = tmp_path / "photos"
    shutil.copytree(FRUITS / "Training", photos)
    args = ["features", photos, "--model", "pixels", "--size", "24", "--pca", "3"]
    begun = time.time()
    pomona(*args, "-o", tmp_path / "whole")
    whole = time.time() - begun
    chance, killed, finished = random.Random(1), 0, 0
    out = tmp_path / "out"
    while killed < KILLS:
        job = subprocess.Popen([BINARY, *map(str, args), "-o", out, "--quiet"])
        try:
            job.wait(timeout=chance.uniform(0, whole * 1.1))
            assert job.returncode == 0
            finished += 1
            assert tables(out) == tables(tmp_path / "whole")
            for image in chance.sample(sorted(photos.rglob("*.jpg")), 3000):
                os.utime(image)  # changed, it seems: the next run has work again
        except subprocess.TimeoutExpired:
            job.kill()
            job.wait()
            killed += 1
    pomona(*args, "-o", out)
    assert tables(out) == tables(tmp_path / "whole")
    assert receipt(out)["counts"]["rows"] == 6030
    print(f"{killed} kills, {finished} finished in between")
